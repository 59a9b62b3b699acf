"""What must hold of parse() and frames()."""

from tour.judge.bench import Bench
from tour.judge.talk import Raised
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, PEER_MAC, Echo, arp_request, echo
from tour.virtqueue.net_header import SIZE, NetHeader


def fields(bench: Bench) -> None:
    """Numbers whose two bytes differ, with and without a frame behind."""
    headers = [NetHeader(1, 0x81, 66, 1448, 34, 16, 3), _header(bench), _header(bench)]
    told = [bench.call("parse", header.pack()) for header in headers]
    for header, answer in zip(headers, told, strict=True):
        _same(bench, header, answer)


def short(bench: Bench) -> None:
    """0 to 11 bytes are refused, 12 and more are not."""
    sizes = (0, 1, 10, 11)
    told = [_outcome(bench, "parse", bytes(range(1, size + 1))) for size in sizes]
    for size, outcome in zip(sizes, told, strict=True):
        bench.equal(f"parse() of {size} bytes", "ValueError", outcome)
    header = _header(bench)
    for behind in (b"", b"\1", _frame(bench)):
        _same(bench, header, bench.call("parse", header.pack() + behind))


def single(bench: Bench) -> None:
    """Packets that fit into a buffer each; none, one, three."""
    for count in (1, 3, 0):
        sent = [_frame(bench) for _ in range(count)]
        _frames(bench, sent, [NetHeader(num_buffers=1).pack() + frame for frame in sent])


def merged(bench: Bench) -> None:
    """Packets in two, one, three ... buffers, behind one another."""
    sent = [_frame(bench, 400) for _ in range(4)]
    cut = [_spread(bench, frame, count) for frame, count in zip(sent, (2, 1, 3, 5), strict=True)]
    _frames(bench, sent, [buffer for packet in cut for buffer in packet])


def believed(bench: Bench) -> None:
    """Numbers that cannot be, in the first packet or behind a right one."""
    right = _spread(bench, _frame(bench, 300), 2)
    told = []
    for before in ([], right):
        for count, there in ((0, 1), (2, 1), (5, 4), (0xFFFF, 3), (0, 3)):
            buffers = _spread(bench, _frame(bench, 300), there)
            buffers[0] = NetHeader(num_buffers=count).pack() + buffers[0][SIZE:]
            told.append(
                (f"num_buffers {count} with {there} buffers there", _outcome(bench, "frames", before + buffers))
            )
    for what, outcome in told:
        bench.equal(what, "ValueError", outcome)


def stream(bench: Bench) -> None:
    """Random packets, cut anywhere, with random headers."""
    for _ in range(6):
        sent = [_frame(bench, bench.random.randrange(1200)) for _ in range(bench.random.randrange(1, 6))]
        cut = [_spread(bench, frame, bench.random.randrange(1, 7)) for frame in sent]
        _frames(bench, sent, [buffer for packet in cut for buffer in packet])


def _frames(bench: Bench, sent: list[bytes], buffers: list[bytes]) -> None:
    found = bench.call("frames", buffers)
    bench.hold(isinstance(found, list), "what is returned", "a list", type(found).__name__)
    for at, (wanted, got) in enumerate(zip(sent, found, strict=False)):
        _bytes(bench, f"frame {at}", wanted, got)
    bench.equal("how many frames there are", len(sent), len(found))


def _bytes(bench: Bench, what: str, wanted: bytes, got: object) -> None:
    """The first byte where they differ, or their lengths."""
    bench.hold(isinstance(got, bytes), what, "bytes", type(got).__name__)
    at = next((n for n, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b), min(len(wanted), len(got)))
    bench.equal(f"{what}, from byte {at} on", wanted[at : at + 16], got[at : at + 16])


def _same(bench: Bench, header: NetHeader, answer: object) -> None:
    bench.hold(isinstance(answer, dict), "what is returned", "a dict", type(answer).__name__)
    for name, value in header._asdict().items():
        bench.equal(name, value, answer.get(name))


def _outcome(bench: Bench, *call: object) -> str:
    """What the call raised, or that it returned something."""
    try:
        answer = bench.call(*call)
    except Raised as error:
        return error.kind
    return f"returned a list of {len(answer)}" if isinstance(answer, list) else f"returned a {type(answer).__name__}"


def _header(bench: Bench) -> NetHeader:
    """Every field another number, both bytes of each different."""
    words = [high << 8 | low for high, low in zip(bench.random.sample(range(256), 5), range(5), strict=True)]
    return NetHeader(bench.random.randrange(1, 8), bench.pick([0, 1, 3, 4, 0x81, 0x84]), *words)


def _frame(bench: Bench, size: int = 0) -> bytes:
    """A real frame: an ARP request, or an ICMP echo with ``size`` bytes in it."""
    if not size:
        return arp_request(GUEST_MAC, GUEST_IP, f"10.0.2.{bench.random.randrange(2, 255)}")
    return echo(Echo(8, GUEST_MAC, PEER_MAC, GUEST_IP, PEER_IP, 1, 1, bench.random.randbytes(size)))


def _spread(bench: Bench, frame: bytes, count: int) -> list[bytes]:
    """The packet of ``frame`` as a device writes it into ``count`` buffers."""
    header = _header(bench)._replace(num_buffers=count)
    packet = header.pack() + frame
    cuts = sorted(bench.random.sample(range(SIZE, len(packet)), count - 1))
    return [packet[a:b] for a, b in zip([0, *cuts], [*cuts, len(packet)], strict=True)]
