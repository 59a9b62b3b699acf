# wrong: named
# en: It gives back what was written down beforehand.
# zh: 返回的是预先写死的内容。
def names(word, table):
    return ["VIRTIO_NET_F_MRG_RXBUF", "VIRTIO_F_VERSION_1"]


def offer(own, vhost, shared):
    return 0x100008000


def accept(offered, wanted, requires):
    return 0x100008000


def tell(driver, vhost, logging):
    return 0x100008000
