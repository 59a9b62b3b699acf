# wrong: message
# en: It does nothing.
# zh: 什么也没做。
def message(request, payload=b""):
    pass


def handshake(sock, features, protocol):
    pass
