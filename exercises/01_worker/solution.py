"""Find the vhost workers of a process among the tasks that /proc shows."""


def fields(status: str) -> dict[str, str]:
    """The lines of one task's status file: name to value."""
    # step 1: Cut every line once, at its first colon, and take the blanks off. | 每行只在第一个冒号处切开，再去掉空白。
    cut = [line.partition(":") for line in status.splitlines()]
    return {name: value.strip() for name, _, value in cut}
    # end


def find_workers(tasks: list[str], owner: int) -> list[int]:
    """The thread numbers of the owner's vhost workers, in ascending order."""
    told = [fields(status) for status in tasks]
    # step 2: The numbers of all threads of the owner. | 属主所有线程的编号。
    threads = [one["Pid"] for one in told if one["Tgid"] == str(owner)]
    # end
    found = []
    for one in told:
        prefix, _, number = one["Name"].partition("-")
        if prefix != "vhost" or not number.isdigit():
            continue
        # step 3: From 6.4 on it is a thread of the owner. | 6.4 起，它是属主的一个线程。
        thread = one["Tgid"] == str(owner)
        # end
        # step 4: Up to 6.3 a child of kthreadd, named after such a one. | 6.3 及以前：kthreadd 之子，用线程号命名。
        kthread = one["PPid"] == "2" and number in threads
        # end
        if thread or kthread:
            found.append(int(one["Pid"]))
    return sorted(found)
