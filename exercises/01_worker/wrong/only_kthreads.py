# wrong: thread
# en: It looks among kernel threads only, where workers were up to Linux 6.3.
# zh: 只在内核线程里找，而那是 Linux 6.3 及以前的样子。
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
        if prefix != "vhost" or not number.isdigit():
            continue
        kthread = one["PPid"] == "2" and number in threads
        if kthread:
            found.append(int(one["Pid"]))
    return sorted(found)
