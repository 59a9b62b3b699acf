# wrong: merged
# en: It cuts a header off every buffer, not only the first.
# zh: 从每个缓冲区都切掉一个头部，而不只是第一个。
# misconception: header-in-every-buffer
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
        found.append(b"".join(buffer[12:] for buffer in buffers[at : at + count]))
        at += count
    return found
