# wrong: merged
# en: It takes every buffer for a packet of its own.
# zh: 把每个缓冲区都当成一个数据包。
# misconception: one-buffer-per-packet
import struct

NAMES = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers")


def parse(data):
    if len(data) < 12:
        raise ValueError
    return dict(zip(NAMES, struct.unpack("<BBHHHHH", data[:12])))


def frames(buffers):
    return [buffer[12:] for buffer in buffers]
