# wrong: message
# en: It gives the same message whatever is asked.
# zh: 不管要什么，都给出同一条消息。
def message(request, payload=b""):
    return bytes([3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])


def handshake(sock, features, protocol):
    sock.send(message(3))
    return [features, protocol]
