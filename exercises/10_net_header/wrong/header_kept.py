# wrong: single
# en: It leaves the header before the frame.
# zh: 帧前面还留着头部。
# misconception: used-len-is-frame
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
            raise ValueError
        found.append(b"".join(buffers[at : at + count]))
        at += count
    return found
