# wrong: kthread
# en: It finds nothing.
# zh: 什么也没找到。
def find_workers(tasks, owner):
    return []
