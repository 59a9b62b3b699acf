# wrong: short
# en: It does not look how many bytes there are: what struct raises is no ValueError.
# zh: 没看有多少字节：struct 抛出的并不是 ValueError。
import struct

NAMES = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers")


def parse(data):
    return dict(zip(NAMES, struct.unpack("<BBHHHHH", data[:12])))


def frames(buffers):
    found, at = [], 0
    while at < len(buffers):
        count = parse(buffers[at])["num_buffers"]
        if count == 0 or at + count > len(buffers):
            raise ValueError
        found.append(b"".join(buffers[at : at + count])[12:])
        at += count
    return found
