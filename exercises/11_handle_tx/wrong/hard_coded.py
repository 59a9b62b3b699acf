# wrong: frame
# en: It sends a packet written down beforehand.
# zh: 发送的是预先写死的数据包。
def handle_tx(ring, memory, port, call, idx):
    port.send(bytes(12) + bytes.fromhex("ffffffffffff0200000000010806") + bytes(28))
    ring.store_used_entry(idx, 0, 0)
    ring.store_used_idx((idx + 1) % 65536)
    call()
    return (idx + 1) % 65536
