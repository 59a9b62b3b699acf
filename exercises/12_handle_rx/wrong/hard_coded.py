# wrong: frame
# en: It writes bytes written down beforehand.
# zh: 写入的是预先写死的字节。
def handle_rx(ring, memory, port, call, idx):
    port.receive()
    memory.write(ring.read_desc(ring.read_avail_entry(idx)).addr, bytes(54))
    ring.store_used_entry(idx, 0, 54)
    ring.store_used_idx((idx + 1) % 65536)
    call()
    return (idx + 1) % 65536
