# wrong: merged
# en: It goes on with the buffer after the first one, not after the last one of the packet.
# zh: 接着看的是第一个缓冲区的下一个，而不是这个包最后一个的下一个。
import struct

NAMES = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers")


def parse(data):
    if len(data) < 12:
        raise ValueError
    return dict(zip(NAMES, struct.unpack("<BBHHHHH", data[:12])))


def frames(buffers):
    found, at = [], 0
    while at < len(buffers):
        count = max(1, int.from_bytes(buffers[at][10:12], "little"))
        found.append(b"".join(buffers[at : at + min(count, len(buffers) - at)])[12:])
        at += 1
    return found
