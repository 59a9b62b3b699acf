# wrong: others
# en: It cuts a line at every colon and takes the second piece: a name may have colons too.
# zh: 每个冒号处都切开，只取第二段：名字里也可能有冒号。
"""Find the vhost workers of a process among the tasks that /proc shows."""


def fields(status: str) -> dict[str, str]:
    """The lines of one task's status file: name to value."""
    cut = [line.split(":") for line in status.splitlines()]
    return {name: value.strip() for name, value, *_ in cut}


def find_workers(tasks: list[str], owner: int) -> list[int]:
    """The thread numbers of the owner's vhost workers, in ascending order."""
    told = [fields(status) for status in tasks]
    threads = [one["Pid"] for one in told if one["Tgid"] == str(owner)]
    found = []
    for one in told:
        prefix, _, number = one["Name"].partition("-")
        if prefix != "vhost" or not number.isdigit():
            continue
        thread = one["Tgid"] == str(owner)
        kthread = one["PPid"] == "2" and number in threads
        if thread or kthread:
            found.append(int(one["Pid"]))
    return sorted(found)
