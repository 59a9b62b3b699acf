# wrong: fields
# en: It knows the old header of 10 bytes only, without num_buffers.
# zh: 只认旧的 10 字节头部，没有 num_buffers。
import struct

NAMES = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers")


def parse(data):
    if len(data) < 10:
        raise ValueError
    return dict(zip(NAMES, struct.unpack("<BBHHHH", data[:10]) + (1,)))


def frames(buffers):
    found, at = [], 0
    while at < len(buffers):
        count = parse(buffers[at])["num_buffers"]
        if count == 0 or at + count > len(buffers):
            raise ValueError
        found.append(b"".join(buffers[at : at + count])[12:])
        at += count
    return found
