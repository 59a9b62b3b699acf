# wrong: believed
# en: It takes 0 buffers for 1.
# zh: 把 0 个缓冲区当成了 1 个。
import struct

NAMES = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers")


def parse(data):
    if len(data) < 12:
        raise ValueError
    return dict(zip(NAMES, struct.unpack("<BBHHHHH", data[:12])))


def frames(buffers):
    found, at = [], 0
    while at < len(buffers):
        count = parse(buffers[at])["num_buffers"] or 1
        if at + count > len(buffers):
            raise ValueError
        found.append(b"".join(buffers[at : at + count])[12:])
        at += count
    return found
