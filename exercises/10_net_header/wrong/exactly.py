# wrong: short
# en: It wants exactly 12 bytes: no frame may follow.
# zh: 要求恰好 12 字节：后面不许跟帧。
import struct

NAMES = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers")


def parse(data):
    if len(data) != 12:
        raise ValueError
    return dict(zip(NAMES, struct.unpack("<BBHHHHH", data)))


def frames(buffers):
    found, at = [], 0
    while at < len(buffers):
        count = parse(buffers[at])["num_buffers"]
        if count == 0 or at + count > len(buffers):
            raise ValueError
        found.append(b"".join(buffers[at : at + count])[12:])
        at += count
    return found
