# wrong: believed
# en: It joins the buffers that are there when num_buffers says more.
# zh: num_buffers 比实际多时，有几个就连几个。
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
        if count == 0:
            raise ValueError
        found.append(b"".join(buffers[at : at + count])[12:])
        at += count
    return found
