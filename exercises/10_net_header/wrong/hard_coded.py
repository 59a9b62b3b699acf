# wrong: fields
# en: It gives back the header of a plain packet, whatever it is given.
# zh: 不管给什么，都返回普通数据包的头部。
NAMES = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers")


def parse(data):
    return dict(zip(NAMES, (0, 0, 0, 0, 0, 0, 1)))


def frames(buffers):
    return []
