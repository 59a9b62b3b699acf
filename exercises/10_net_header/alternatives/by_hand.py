# en: Reads each number by hand, and takes the buffers from a queue.
# zh: 逐个数手工读取，并从队列里取缓冲区。
def parse(data):
    if len(data) < 12:
        raise ValueError("too short")
    words = [int.from_bytes(data[n : n + 2], "little") for n in (2, 4, 6, 8, 10)]
    keys = ["hdr_len", "gso_size", "csum_start", "csum_offset", "num_buffers"]
    return {"flags": data[0], "gso_type": data[1]} | dict(zip(keys, words))


def frames(buffers):
    waiting, found = list(buffers), []
    while waiting:
        first = waiting.pop(0)
        more = parse(first)["num_buffers"] - 1
        if more < 0 or more > len(waiting):
            raise ValueError("num_buffers")
        frame = first[12:]
        for _ in range(more):
            frame += waiting.pop(0)
        found.append(frame)
    return found
