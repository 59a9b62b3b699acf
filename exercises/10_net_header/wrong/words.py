# wrong: fields
# en: It takes flags and gso_type for 16-bit numbers.
# zh: 把 flags 和 gso_type 当成了 16 位数。
import struct

NAMES = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers")


def parse(data):
    if len(data) < 12:
        raise ValueError
    return dict(zip(NAMES, struct.unpack("<HHHHHH", data[:12]) + (1,)))


def frames(buffers):
    found, at = [], 0
    while at < len(buffers):
        count = parse(buffers[at])["num_buffers"]
        if count == 0 or at + count > len(buffers):
            raise ValueError
        found.append(b"".join(buffers[at : at + count])[12:])
        at += count
    return found
