"""Parse virtio_net_hdr, merge receive buffers."""

import struct

SIZE = 12
NAMES = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers")


def parse(data: bytes) -> dict[str, int]:
    """The header at the beginning of ``data``. Raises ValueError when there is none."""
    # step 1: Refuse what is too short. | 太短的就拒绝。
    if len(data) < SIZE:
        raise ValueError("no whole virtio_net_hdr")
    # end
    # step 2: Take the 12 bytes apart. | 拆开这 12 个字节。
    return dict(zip(NAMES, struct.unpack("<BBHHHHH", data[:SIZE]), strict=True))
    # end


def frames(buffers: list[bytes]) -> list[bytes]:
    """The frames in used buffers, in order. Raises ValueError for a number of buffers that cannot be."""
    found: list[bytes] = []
    at = 0
    while at < len(buffers):
        # step 3: Learn in how many buffers the packet lies, and check that. | 得知这个包占几个缓冲区，并检查。
        count = parse(buffers[at])["num_buffers"]
        if count == 0 or at + count > len(buffers):
            raise ValueError(f"a packet in {count} buffers")
        # end
        # step 4: Join them, without the header. | 连起来，去掉头部。
        found.append(b"".join(buffers[at : at + count])[SIZE:])
        at += count
        # end
    return found
