# wrong: others
# en: It takes every thread of the owner whose name begins with vhost.
# zh: 把属主的、名字以 vhost 开头的线程都算上了。
"""Find the vhost workers of a process among the tasks that /proc shows."""


def fields(status: str) -> dict[str, str]:
    """The lines of one task's status file: name to value."""
    cut = [line.partition(":") for line in status.splitlines()]
    return {name: value.strip() for name, _, value in cut}


def find_workers(tasks: list[str], owner: int) -> list[int]:
    """The thread numbers of the owner's vhost workers, in ascending order."""
    told = [fields(status) for status in tasks]
    threads = [one["Pid"] for one in told if one["Tgid"] == str(owner)]
    found = []
    for one in told:
        prefix, _, number = one["Name"].partition("-")
        if not one["Name"].startswith("vhost"):
            continue
        thread = one["Tgid"] == str(owner)
        kthread = one["PPid"] == "2" and number in threads
        if thread or kthread:
            found.append(int(one["Pid"]))
    return sorted(found)
