# en: Takes name and numbers out of each text with regular expressions.
# zh: 用正则表达式从每段文本里取出名字与编号。
import re


def find_workers(tasks, owner):
    rows = []
    for status in tasks:
        name = re.search(r"^Name:	(.*)$", status, re.M).group(1)
        tgid, pid, ppid = (
            int(re.search(rf"^{key}:	(\d+)$", status, re.M).group(1)) for key in ("Tgid", "Pid", "PPid")
        )
        rows.append((name, tgid, pid, ppid))
    mine = {pid for _, tgid, pid, _ in rows if tgid == owner}
    found = set()
    for name, _, pid, ppid in rows:
        match = re.fullmatch(r"vhost-(\d+)", name)
        if match and (pid in mine or (ppid == 2 and int(match.group(1)) in mine)):
            found.add(pid)
    return sorted(found)
