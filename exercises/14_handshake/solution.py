"""The first vhost-user handshake."""

import struct

GET_FEATURES, SET_FEATURES, SET_OWNER = 1, 2, 3
GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES = 15, 16
VERSION, ANSWER = 1, 5
PROTOCOL_FEATURES = 1 << 30


def message(request: int, payload: bytes = b"") -> bytes:
    """The bytes of a message: header and payload."""
    # step 1: Put 12 bytes of header before the payload. | 在载荷前放上 12 字节的头部。
    return struct.pack("=III", request, VERSION, len(payload)) + payload
    # end


def receive(sock, size: int) -> bytes:
    """Exactly ``size`` bytes from the socket. Raises ValueError when it is closed before."""
    data = b""
    # step 2: Go on until all of them are here. | 一直收到够为止。
    while len(data) < size:
        piece = sock.receive(size - len(data))
        if not piece:
            raise ValueError("the back-end closed the connection")
        data += piece
    # end
    return data


def ask(sock, request: int) -> int:
    """What the back-end answers: a 64-bit number. Raises ValueError for what is no answer to this."""
    # step 3: Send the question, check the answer's header, take its payload. | 发出问题，检查应答的头部，取出载荷。
    sock.send(message(request))
    got, flags, size = struct.unpack("=III", receive(sock, 12))
    if (got, flags, size) != (request, ANSWER, 8):
        raise ValueError(f"an answer to {got} with flags {flags} and {size} bytes")
    (word,) = struct.unpack("=Q", receive(sock, 8))
    return word
    # end


def handshake(sock, features: int, protocol: int) -> list[int]:
    """Agree with the back-end; the two words that were set."""
    # step 4: Ask what it offers. | 问它提供什么。
    offered = ask(sock, GET_FEATURES)
    features &= offered
    # end
    # step 5: Agree about the protocol, if it has more than the oldest one. | 若它不只会最老的协议，再协商协议。
    if offered & PROTOCOL_FEATURES:
        protocol &= ask(sock, GET_PROTOCOL_FEATURES)
        sock.send(message(SET_PROTOCOL_FEATURES, struct.pack("=Q", protocol)))
        features |= PROTOCOL_FEATURES
    else:
        protocol = 0
    # end
    # step 6: Own it, and say which features are used. | 成为属主，并说明用哪些特性。
    sock.send(message(SET_OWNER))
    sock.send(message(SET_FEATURES, struct.pack("=Q", features)))
    # end
    return [features, protocol]
