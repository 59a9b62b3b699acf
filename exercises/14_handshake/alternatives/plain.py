# en: One function for both kinds of message, and SET_OWNER first.
# zh: 两种消息共用一个函数，先发 SET_OWNER。
ANSWERED = (1, 15)


def message(request, payload=b""):
    words = (request, 1, len(payload))
    return b"".join(word.to_bytes(4, "little") for word in words) + payload


def exactly(sock, count):
    parts = []
    while count:
        part = sock.receive(count)
        if part == b"":
            raise ValueError("closed")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def tell(sock, request, word=None):
    sock.send(message(request, b"" if word is None else word.to_bytes(8, "little")))
    if request not in ANSWERED:
        return None
    header = exactly(sock, 12)
    if header != message(request, bytes(8))[:4] + b"\5\0\0\0\10\0\0\0":
        raise ValueError(header.hex())
    return int.from_bytes(exactly(sock, 8), "little")


def handshake(sock, features, protocol):
    tell(sock, 3)
    offered = tell(sock, 1)
    extended = offered >> 30 & 1
    agreed = 0
    if extended:
        agreed = protocol & tell(sock, 15)
        tell(sock, 16, agreed)
    word = offered & features | extended << 30
    tell(sock, 2, word)
    return [word, agreed]
