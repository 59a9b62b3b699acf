"""What must hold of handle_rx(): the judge is the driver, and the packets are a peer's answers."""

from tour.judge.bench import Bench, Op
from tour.judge.device_side import PortHandle, Wire
from tour.judge.driver_side import WRAP, Receiver, request
from tour.judge.talk import Hook
from tour.virtqueue.chain import NEXT
from tour.virtqueue.net_header import DATA_VALID, SIZE, NetHeader

ARP_PACKET = SIZE + 42
"""Bytes of an ARP reply and its header."""


def frame(bench: Bench) -> None:
    """One ARP reply, one buffer."""
    driver, wire = Receiver(bench, base=bench.random.randrange(60000)), Wire(bench.stack)
    _answers(bench, wire, [None])
    packets = list(wire.waiting)
    driver.give(2048)
    driver.publish()
    _run(bench, driver, wire)
    driver.check_buffers(packets)


def used(bench: Bench) -> None:
    """As soon as used.idx has moved the driver looks at the entries and the buffers."""
    for base in (bench.random.randrange(1, 60000), 65534):
        driver, wire = Receiver(bench, 8, base), Wire(bench.stack)
        _answers(bench, wire, [None, bench.random.randrange(200), 5])
        packets = list(wire.waiting)
        for _ in range(4):
            driver.give(1024)
        driver.publish()
        for n in range(8):
            driver.ring.store_used_entry(n, 0xFFFF, 0xFFFF)
        bench.talk.after[:] = [_reaper(bench, driver, packets)]
        returned = _run(bench, driver, wire)
        _same(bench, driver, packets, returned)


def merged(bench: Bench) -> None:
    """Buffers smaller than the packets, of one size or of many; more of them than are needed."""
    for sizes in ((32,) * 16, (200, 100, 12, 61, 300, 17, 54, 200)):
        driver, wire = Receiver(bench, 16), Wire(bench.stack)
        _answers(bench, wire, [42, None, bench.random.choice([74, 106])])
        packets = list(wire.waiting)
        for size in sizes:
            driver.give(size)
        driver.publish()
        bench.talk.after[:] = [_reaper(bench, driver, packets)]
        returned = _run(bench, driver, wire)
        _same(bench, driver, packets, returned)


def chain(bench: Bench) -> None:
    """Each chain has several buffers; the header may lie in two."""
    for shapes in (((12, 60), (12, 300)), ((7, 9, 40), (20, 11, 6), (5, 30, 90), (100, 100, 100))):
        driver, wire = Receiver(bench, 16), Wire(bench.stack)
        _answers(bench, wire, [None, bench.random.randrange(50, 120)])
        packets = list(wire.waiting)
        for sizes in shapes:
            driver.give(*sizes)
        driver.publish()
        bench.talk.after[:] = [_reaper(bench, driver, packets)]
        returned = _run(bench, driver, wire)
        _same(bench, driver, packets, returned)


def back(bench: Bench) -> None:
    """The second packet finds no, or too little, room; later it does."""
    for small in ((), (253,), (60, 70)):
        driver, wire = Receiver(bench, 8), Wire(bench.stack)
        _answers(bench, wire, [None, 200])
        packets = list(wire.waiting)
        driver.give(ARP_PACKET)
        for size in small:
            driver.give(size)
        driver.publish()
        idx = _run(bench, driver, wire)
        bench.equal("packets left at the port", 1, len(wire.waiting))
        _same(bench, driver, packets[:1], idx)
        driver.give(2048)
        driver.publish()
        _same(bench, driver, packets, _run(bench, driver, wire, idx))


def call(bench: Bench) -> None:
    """avail.flags decides; used.flags says nothing about calls."""
    for silent in (False, True):
        driver, wire = Receiver(bench, 8), Wire(bench.stack)
        _answers(bench, wire, [None, 20])
        if silent:
            driver.queue.disable_calls()
        for _ in range(3):
            driver.give(512)
        driver.publish()
        before, begun = bench.rung("call"), len(bench.talk.log)
        _run(bench, driver, wire)
        if silent:
            bench.equal("calls (avail.flags 1)", 0, bench.rung("call") - before)
            continue
        did = [op.on if op.on == "call" else op.method for op in bench.talk.log[begun:]]
        behind = "call" in did[len(did) - did[::-1].index("store_used_idx") :] if "store_used_idx" in did else False
        bench.hold(behind, "call (avail.flags 0)", "called after used.idx moved", "not called after used.idx moved")


def quiet(bench: Bench) -> None:
    """used.flags at each packet, also after buffers that the second look found, and when they ran out."""
    driver, wire = Receiver(bench, 8, WRAP - 4), Wire(bench.stack)
    _answers(bench, wire, [None, 10, 20, 30])
    for _ in range(2):
        driver.give(512)
    driver.publish()
    flags: list[int] = []

    def look(op: Op) -> None:
        if op.method == "receive":
            flags.append(driver.ring.load_used_flags())
        if op.method == "load_avail_idx" and len(flags) == 2 == len(driver.heads):
            driver.give(512)
            driver.give(20)
            driver.publish()

    bench.talk.after.append(look)
    _run(bench, driver, wire)
    bench.equal("used.flags while it works", [1], flags[:1])
    bench.equal("used.flags when it sleeps for want of buffers", 0, driver.ring.load_used_flags())
    bench.equal("used.flags at each packet", [1] * len(flags), flags)


def kick_lost(bench: Bench) -> None:
    """Right after the n-th look that found no buffer the driver gives one."""
    for turn in (1, 2, 3):
        driver, wire = Receiver(bench, 8), Wire(bench.stack)
        _answers(bench, wire, [10, 20, 30])
        packets = list(wire.waiting)
        driver.give(512)
        driver.publish()
        bench.talk.after[:] = [_one_more(driver, wire, packets, turn)]
        idx = _until_quiet(bench, driver, wire)
        _same(bench, driver, packets[: len(driver.heads)], idx)


def _one_more(driver: Receiver, wire: Wire, packets: list[bytes], turn: int) -> Hook:
    empty: list[int] = []

    def look(op: Op) -> None:
        if op.method == "load_avail_idx" and len(driver.heads) == len(packets) - len(wire.waiting) < len(packets):
            empty.append(op.line)
            if len(empty) == turn:
                driver.give(512)
                driver.publish()

    return look


def call_lost(bench: Bench) -> None:
    """The driver wants calls again at the very moment the device has read that it wants none, and looks."""
    driver, wire = Receiver(bench), Wire(bench.stack)
    _answers(bench, wire, [None])
    driver.give(512)
    driver.publish()
    driver.queue.disable_calls()
    asleep: list[bool] = []

    def sleep(op: Op) -> None:
        if op.method == "load_avail_flags" and not asleep:
            asleep.append(not driver.queue.enable_calls())

    bench.talk.after.append(sleep)
    _run(bench, driver, wire, buffered=True)
    bench.hold(bool(asleep), "avail.flags", "read", "never read")
    lost = asleep[0] and not bench.rung("call")
    bench.hold(not lost, "call", "the driver is awake or called", "it sleeps, 1 used entry waits, no call")


def hostile(bench: Bench) -> None:
    """A packet that fits; then one that needs a small chain and one that cannot be."""
    for what in BAD:
        driver, wire = Receiver(bench, 8, bench.random.randrange(65529, WRAP)), Wire(bench.stack)
        _answers(bench, wire, [None, None])
        packets = list(wire.waiting)
        driver.give(ARP_PACKET)
        driver.give(30)
        bad = driver.give(20, 30, 40)
        driver.give(512)
        BAD[what](driver, bad)
        driver.queue.publish()
        first = 1
        if what == "avail.idx jumped":
            driver.ring.store_avail_idx((driver.base + 9) % WRAP)
            first = 0
        returned = _run(bench, driver, wire)
        bench.equal(f"packets left at the port ({what})", 2 - first, len(wire.waiting))
        bench.equal(f"used.idx ({what})", (driver.base + first) % WRAP, driver.ring.load_used_idx())
        bench.equal(f"the returned index ({what})", (driver.base + first) % WRAP, returned)
        driver.check_buffers(packets[:first])


def _change(driver: Receiver, index: int, **how: int) -> None:
    driver.ring.write_desc(index, driver.ring.read_desc(index)._replace(**how))


def _second(driver: Receiver, head: int) -> int:
    return driver.ring.read_desc(head).next


def _loop(driver: Receiver, head: int) -> None:
    last = _second(driver, _second(driver, head))
    _change(driver, last, flags=driver.ring.read_desc(last).flags | NEXT, next=head)


BAD = {
    "head outside the table": lambda driver, _: driver.ring.store_avail_entry(driver.base + 2, driver.ring.num),
    "next outside the table": lambda driver, head: _change(driver, head, next=driver.ring.num),
    "a loop": _loop,
    "a buffer that may only be read": lambda driver, head: _change(driver, _second(driver, head), flags=NEXT),
    "avail.idx jumped": lambda *_: None,
}


def traffic(bench: Bench) -> None:
    """A full ring; then buffers of any size, given between any two accesses of the device's."""
    driver, wire = Receiver(bench, 4, 65534), Wire(bench.stack)
    _answers(bench, wire, [30])
    packets = list(wire.waiting)
    for size in (20, 20, 20, len(packets[0]) - 60):
        driver.give(size)
    driver.publish()
    _same(bench, driver, packets, _until_quiet(bench, driver, wire))
    for num in (4, 32):
        driver, wire = Receiver(bench, num), Wire(bench.stack)
        _answers(bench, wire, [bench.random.randrange(300) for _ in range(8)])
        packets = list(wire.waiting)
        bench.talk.after[:] = [lambda op, driver=driver: _more(bench, driver)]
        driver.give(100)
        driver.publish()
        idx = _until_quiet(bench, driver, wire)
        _same(bench, driver, packets[: len(packets) - len(wire.waiting)], idx)


def _more(bench: Bench, driver: Receiver) -> None:
    if len(driver.heads) < 40 and bench.random.random() < 0.1:
        while driver.queue.reap() is not None:
            continue
        sizes = [bench.random.randrange(12, 200) for _ in range(bench.random.randrange(1, 3))]
        if driver.queue.num_free >= len(sizes):
            driver.give(*sizes)
            driver.publish()


def _answers(bench: Bench, wire: Wire, sizes: list[int | None]) -> None:
    """Let the peer answer a request of each size; the headers say what a tap may say of a checked packet."""
    for size in sizes:
        wire.send(NetHeader().pack() + request(bench, size))
    packets = [NetHeader(flags=DATA_VALID).pack() + packet[SIZE:] for packet in wire.waiting]
    wire.waiting.clear()
    wire.waiting.extend(packets)


def _reaper(bench: Bench, driver: Receiver, packets: list[bytes]) -> Hook:
    """As soon as used.idx moves: whole packets only, their entries and their bytes are there."""
    lengths = driver.lengths(packets)
    ends = [sum(len(into) for into in lengths[:n]) for n in range(len(lengths) + 1)]

    def look(op: Op) -> None:
        if op.method == "store_used_idx":
            count = (driver.ring.load_used_idx() - driver.base) % WRAP
            whole = ", ".join(str((driver.base + end) % WRAP) for end in ends)
            bench.hold(count in ends, "used.idx", f"one of {whole}", driver.ring.load_used_idx())
            _same(bench, driver, packets[: ends.index(count)], None)

    return look


def _same(bench: Bench, driver: Receiver, packets: list[bytes], idx: int | None) -> None:
    """These packets are in, and given back."""
    lengths = [length for into in driver.lengths(packets) for length in into]
    if driver.ring.num >= len(lengths):
        driver.check_used(lengths)
    bench.equal("used.idx", (driver.base + len(lengths)) % WRAP, driver.ring.load_used_idx())
    if idx is not None:
        bench.equal("the returned index", (driver.base + len(lengths)) % WRAP, idx)
    driver.check_buffers(packets)


def _until_quiet(bench: Bench, driver: Receiver, wire: Wire) -> int:
    """Wake the device at every kick, until it sleeps; then no packet may wait beside a buffer it has not seen."""
    idx = driver.base
    while True:
        kicks = driver.kicks
        idx = _run(bench, driver, wire, idx, buffered=True)
        if driver.kicks == kicks:
            break
    room = sum(size for parts in driver.chains[(idx - driver.base) % WRAP :] for _, size in parts)
    lost = bool(wire.waiting) and room >= len(wire.waiting[0])
    bench.hold(not lost, "kick", "the device is awake or kicked", f"it sleeps, {room} bytes of room wait, no kick")
    return idx


def _run(bench: Bench, driver: Receiver, wire: Wire, idx: int | None = None, buffered: bool = False) -> int:
    """The device's worker wakes up."""
    bench.play("device")
    port, call = PortHandle("port", wire), bench.doorbell("call")
    ring = bench.handle(driver.ring, buffered=buffered)
    returned = bench.call("handle_rx", ring, bench.memory_handle(), port, call, driver.base if idx is None else idx)
    bench.hold(type(returned) is int, "the returned index", "a number", returned)
    return returned
