# wrong: fields
# en: It exchanges csum_start and csum_offset.
# zh: csum_start 和 csum_offset 弄反了。
import struct

NAMES = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers")


def parse(data):
    if len(data) < 12:
        raise ValueError
    flags, gso, size, mss, start, offset, count = struct.unpack("<BBHHHHH", data[:12])
    return dict(zip(NAMES, (flags, gso, size, mss, offset, start, count)))


def frames(buffers):
    found, at = [], 0
    while at < len(buffers):
        count = parse(buffers[at])["num_buffers"]
        if count == 0 or at + count > len(buffers):
            raise ValueError
        found.append(b"".join(buffers[at : at + count])[12:])
        at += count
    return found
