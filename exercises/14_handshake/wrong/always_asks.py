# wrong: features
# en: It asks for protocol features although bit 30 is not offered.
# zh: 对方没有提供第 30 位，还是去问协议特性。
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
    features &= offered
    protocol &= ask(sock, 15)
    sock.send(message(16, struct.pack("=Q", protocol)))
    features |= offered & 1 << 30
    sock.send(message(3))
    sock.send(message(2, struct.pack("=Q", features)))
    return [features, protocol]
