# wrong: believed
# en: It leaves a packet out when its num_buffers cannot be, and says nothing.
# zh: num_buffers 不成立时，悄悄丢下这个包。
import struct

NAMES = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers")


def parse(data):
    if len(data) < 12:
        raise ValueError
    return dict(zip(NAMES, struct.unpack("<BBHHHHH", data[:12])))


def frames(buffers):
    found, at = [], 0
    while at < len(buffers):
        count = parse(buffers[at])["num_buffers"]
        if count == 0 or at + count > len(buffers):
            break
        found.append(b"".join(buffers[at : at + count])[12:])
        at += count
    return found
