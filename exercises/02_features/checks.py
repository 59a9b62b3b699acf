"""What must hold of names(), offer(), accept() and tell()."""

from typing import Any

from tour.abi.names import Feature, word_of
from tour.judge.bench import Bench

F = Feature
VERSION_1, LOG_ALL = F.VIRTIO_F_VERSION_1.mask, F.VHOST_F_LOG_ALL.mask
VHOST = word_of(
    F.VIRTIO_NET_F_MRG_RXBUF, F.VIRTIO_RING_F_INDIRECT_DESC, F.VIRTIO_RING_F_EVENT_IDX, F.VIRTIO_F_VERSION_1
)
VHOST |= word_of(F.VIRTIO_F_NOTIFY_ON_EMPTY, F.VHOST_F_LOG_ALL, F.VHOST_NET_F_VIRTIO_NET_HDR)
"""A vhost word as in lesson 3."""
SHARED = VHOST & ~word_of(F.VHOST_F_LOG_ALL, F.VHOST_NET_F_VIRTIO_NET_HDR) | word_of(F.VIRTIO_F_RING_PACKED)
"""The bits for which QEMU asks vhost too."""
NAMED = {one.value: one.name for one in F if one.value < 64}
REQUIRES = [
    (F.VIRTIO_NET_F_HOST_ECN, F.VIRTIO_NET_F_HOST_TSO4),
    (F.VIRTIO_NET_F_HOST_TSO4, F.VIRTIO_NET_F_CSUM),
    (F.VIRTIO_NET_F_GUEST_TSO4, F.VIRTIO_NET_F_GUEST_CSUM),
    (F.VIRTIO_NET_F_MQ, F.VIRTIO_NET_F_CTRL_VQ),
]
"""virtio v1.3 5.1.3.1 for a driver that knows TSO4 only; of HOST_ECN's two, it requires that one."""
Case = tuple[Any, ...]


def named(bench: Bench) -> None:
    """One bit, some, the highest; with names and without."""
    table = [[bit, NAMED[bit]] for bit in bench.random.sample(sorted(NAMED), 20) if bit not in (15, 32)]
    table += [[15, "VIRTIO_NET_F_MRG_RXBUF"], [32, "VIRTIO_F_VERSION_1"]]
    some = [1 << bench.random.randrange(1, 60) | 1 << 63 | 1 << 41 | 1 for _ in range(3)]
    _ask(bench, "names", [(word, table) for word in (1 << 15 | VERSION_1, 0, 1, VERSION_1, VHOST, 1 << 63, *some)])


def offered(bench: Bench) -> None:
    """Vhosts with more and less than the device."""
    mine = word_of(F.VIRTIO_NET_F_MAC, F.VIRTIO_NET_F_STATUS, F.VIRTIO_NET_F_CSUM)
    own = mine | word_of(F.VIRTIO_F_RING_PACKED, F.VIRTIO_NET_F_MRG_RXBUF, F.VIRTIO_F_VERSION_1)
    cases = [(own, VHOST, SHARED), (mine, VHOST, SHARED), (own, VERSION_1 | LOG_ALL, SHARED), (own, 0, SHARED)]
    _ask(bench, "offer", cases + [_words(bench, 3) for _ in range(6)])


def accepted(bench: Bench) -> None:
    """Wanted and not offered, offered and not wanted, with VERSION_1 and without."""
    mac, csum, status = (one.mask for one in (F.VIRTIO_NET_F_MAC, F.VIRTIO_NET_F_CSUM, F.VIRTIO_NET_F_STATUS))
    words = [
        (VERSION_1 | mac | csum, VERSION_1 | csum | status),
        (VERSION_1 | mac, mac | csum),
        (mac | csum, VERSION_1 | mac),
        (mac, mac | csum),
        (VERSION_1, 0),
    ]
    words += [_words(bench, 2) for _ in range(6)]
    _ask(bench, "accept", [(*two, []) for two in words])


def required(bench: Bench) -> None:
    """One missing, one not offered, and a chain, in both orders."""
    csum, tso, ecn = (one.mask for one in (F.VIRTIO_NET_F_CSUM, F.VIRTIO_NET_F_HOST_TSO4, F.VIRTIO_NET_F_HOST_ECN))
    every = word_of(*(one for pair in REQUIRES for one in pair)) | VERSION_1
    words = [(every & ~csum, every), (every, every & ~csum), (every, every), (every, every & ~tso), (ecn, every)]
    words += [(every & _word(bench), every & _word(bench)) for _ in range(8)]
    tables = (REQUIRES, REQUIRES[::-1], bench.random.sample(REQUIRES, len(REQUIRES)))
    pairs = [[[bit.value, needed.value] for bit, needed in table] for table in tables]
    _ask(bench, "accept", [(*two, table) for two in words for table in pairs])


def told(bench: Bench) -> None:
    """Migration begins and ends; a driver with bits that are not vhost's."""
    csum, mac = F.VIRTIO_NET_F_CSUM.mask, F.VIRTIO_NET_F_MAC.mask
    words = [csum | mac | VERSION_1 | F.VIRTIO_NET_F_MRG_RXBUF.mask, VERSION_1, 0, csum | mac]
    words += [_word(bench) & ~LOG_ALL for _ in range(3)]
    _ask(bench, "tell", [(word, VHOST, logging) for word in words for logging in (False, True, False)])


def whole(bench: Bench) -> None:
    """One negotiation after another, each word made from the one before."""
    for _ in range(8):
        own, shared, wanted = (_word(bench) & ~LOG_ALL | 1 << 63 for _ in range(3))
        vhost = _word(bench) | LOG_ALL | 1 << 63
        order = bench.random.sample([n for n in range(64) if n not in (26, 32)], 12)
        chain = [[bit, needed] for bit, needed in zip(order, order[1:], strict=False)]
        can = _ask(bench, "offer", [(own, vhost, shared)])
        takes = _ask(bench, "accept", [(can, wanted, bench.random.sample(chain, len(chain)))])
        _ask(bench, "names", [(takes, [[0, "VIRTIO_NET_F_CSUM"]]), (vhost, [])])
        _ask(bench, "tell", [(takes, vhost, logging) for logging in (True, False)])


def _word(bench: Bench) -> int:
    return bench.random.getrandbits(64)


def _words(bench: Bench, count: int) -> Case:
    return tuple(_word(bench) for _ in range(count))


def _ask(bench: Bench, function: str, cases: list[Case]) -> Any:
    """All are asked before one is judged: the answers together show what is wrong. The first right one."""
    answers = [bench.call(function, *case) for case in cases]
    right = [RIGHT[function](*case) for case in cases]
    for case, wanted, answer in zip(cases, right, answers, strict=True):
        words = ", ".join(hex(one) for one in case if isinstance(one, int) and not isinstance(one, bool))
        as_shown = answer if isinstance(wanted, list) or type(answer) is not int else hex(answer)
        bench.equal(f"{function}({words}{_more(case)})", wanted if isinstance(wanted, list) else hex(wanted), as_shown)
    return right[0]


def _more(case: Case) -> str:
    return f", logging={case[2]}" if isinstance(case[-1], bool) else ", ..." if isinstance(case[-1], list) else ""


def _names(word: int, table: list[list[Any]]) -> list[str]:
    known = {bit: name for bit, name in table}
    return [known.get(bit, f"bit {bit}") for bit in range(64) if word & 1 << bit]


def _offer(own: int, vhost: int, shared: int) -> int:
    return own & vhost | own & ~shared


def _accept(offered: int, wanted: int, requires: list[list[int]]) -> int:
    word = offered & (wanted | VERSION_1)
    for _ in requires:
        for bit, needed in requires:
            if not word & 1 << needed:
                word &= ~(1 << bit)
    return word


def _tell(driver: int, vhost: int, logging: bool) -> int:
    return driver & vhost | LOG_ALL * logging


RIGHT = {"names": _names, "offer": _offer, "accept": _accept, "tell": _tell}
