# wrong: kthread
# en: It gives back a number written down beforehand.
# zh: 返回的是预先写死的数。
def find_workers(tasks, owner):
    return [4730]
