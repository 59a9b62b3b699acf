# wrong: features
# en: It sets all that is offered, wanted or not.
# zh: 对方提供什么就设什么，不管驱动要不要。
# misconception: offered-is-on
import struct


def message(request, payload=b""):
    return struct.pack("=III", request, 1, len(payload)) + payload


def receive(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.receive(size - len(data))
        if not piece:
            raise ValueError("closed")
        data += piece
    return data


def ask(sock, request):
    sock.send(message(request))
    got, flags, size = struct.unpack("=III", receive(sock, 12))
    if got != request:
        raise ValueError("request")
    if flags != 5:
        raise ValueError("flags")
    if size != 8:
        raise ValueError("size")
    return struct.unpack("=Q", receive(sock, 8))[0]


def handshake(sock, features, protocol):
    offered = ask(sock, 1)
    features = offered
    if offered >> 30 & 1:
        protocol &= ask(sock, 15)
        sock.send(message(16, struct.pack("=Q", protocol)))
        features |= 1 << 30
    else:
        protocol = 0
    sock.send(message(3))
    sock.send(message(2, struct.pack("=Q", features)))
    return [features, protocol]
