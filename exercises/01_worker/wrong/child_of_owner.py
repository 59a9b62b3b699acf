# wrong: kthread
# en: It looks for a child process of the owner.
# zh: 它找的是属主的子进程。
def find_workers(tasks, owner):
    rows = [dict(line.split(":\t", 1) for line in status.splitlines()) for status in tasks]
    return sorted(int(row["Pid"]) for row in rows if row["PPid"] == str(owner))
