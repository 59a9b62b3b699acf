"""What must hold of handle_tx(): the judge is the driver, and a peer sits behind the port."""

from tour.judge.bench import REGIONS, Bench, Op
from tour.judge.device_side import PortHandle, Wire
from tour.judge.driver_side import WRAP, Sender, request, same_frames
from tour.judge.talk import Hook
from tour.virtqueue.chain import NEXT, WRITE
from tour.virtqueue.ring import Desc

HOLE = REGIONS[0][0] + REGIONS[0][1] + 4096
"""A guest address in no region."""


def frame(bench: Bench) -> None:
    """One ARP request in one descriptor, and its answer."""
    driver, wire = Sender(bench, base=bench.random.randrange(60000)), Wire(bench.stack)
    driver.offer(request(bench))
    driver.publish()
    _run(bench, driver, wire)
    same_frames(bench, "at the peer", driver.sent, wire.seen)
    bench.equal("replies of the peer", 1, len(wire.waiting))


def chain(bench: Bench) -> None:
    """Several packets at one kick; chains up to the whole table."""
    for num, shapes in ((8, (2, 1, 3)), (4, (4,)), (16, (1, 5, 2, 4))):
        driver, wire = Sender(bench, num, base=0), Wire(bench.stack)
        for pieces in shapes:
            driver.offer(request(bench, bench.random.randrange(60, 300)), pieces)
        driver.publish()
        _run(bench, driver, wire)
        same_frames(bench, "at the peer", driver.sent, wire.seen)


def used(bench: Bench) -> None:
    """As soon as used.idx has moved the driver looks at the entries and uses the buffers anew."""
    for base in (bench.random.randrange(1, 60000), 65534):
        driver, wire = Sender(bench, 8, base), Wire(bench.stack)
        for pieces in (2, 1, 3):
            driver.offer(request(bench, bench.random.randrange(100)), pieces)
        driver.publish()
        for n in range(8):
            driver.ring.store_used_entry(n, 0xFFFF, 0xFFFF)
        bench.talk.after[:] = [lambda op, driver=driver: _reap(bench, driver, op)]
        returned = _run(bench, driver, wire)
        driver.check_used([0] * 3)
        bench.equal("the returned index", (base + 3) % WRAP, returned)
        same_frames(bench, "at the peer", driver.sent, wire.seen)


def _reap(bench: Bench, driver: Sender, op: Op) -> None:
    if op.method != "store_used_idx":
        return
    count = (driver.ring.load_used_idx() - driver.base) % WRAP
    bench.hold(count <= 3, "used.idx", f"at most {(driver.base + 3) % WRAP}", driver.ring.load_used_idx())
    driver.check_used([0] * count)
    driver.spoil(count)


def call(bench: Bench) -> None:
    """avail.flags decides; used.flags says nothing about calls."""
    for silent in (False, True):
        driver, wire = Sender(bench), Wire(bench.stack)
        if silent:
            driver.queue.disable_calls()
        for _ in range(2):
            driver.offer(request(bench, 20))
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
    """used.flags at each packet, also after one that the second look found, and at the end."""
    driver, wire = Sender(bench), Wire(bench.stack)
    for _ in range(3):
        driver.offer(request(bench, 20))
    driver.publish()
    flags: list[int] = []

    def look(op: Op) -> None:
        if op.method == "send":
            flags.append(driver.ring.load_used_flags())
        if op.method == "load_avail_idx" and len(flags) == 3 == len(driver.sent):
            driver.offer(request(bench, 20))
            driver.publish()

    bench.talk.after.append(look)
    _run(bench, driver, wire)
    bench.equal("used.flags while it works", [1], flags[:1])
    bench.equal("used.flags when it sleeps", 0, driver.ring.load_used_flags())
    bench.equal("used.flags at each packet", [1] * len(flags), flags)


def kick_lost(bench: Bench) -> None:
    """Right after the n-th look that found nothing the driver sends one more."""
    for turn in (1, 2, 3):
        driver, wire = Sender(bench), Wire(bench.stack)
        driver.offer(request(bench, 10))
        driver.publish()
        bench.talk.after[:] = [_one_more(bench, driver, wire, turn)]
        _until_quiet(bench, driver, wire, buffered=True)
        same_frames(bench, "at the peer", driver.sent, wire.seen)


def _one_more(bench: Bench, driver: Sender, wire: Wire, turn: int) -> Hook:
    empty: list[int] = []

    def look(op: Op) -> None:
        if op.method == "load_avail_idx" and len(wire.seen) == len(driver.sent):
            empty.append(op.line)
            if len(empty) == turn:
                driver.offer(request(bench, 10))
                driver.publish()

    return look


def call_lost(bench: Bench) -> None:
    """The driver wants calls again at the very moment the device has read that it wants none, and looks."""
    driver, wire = Sender(bench), Wire(bench.stack)
    driver.offer(request(bench, 10))
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
    """A right packet, then something that cannot be, then another right packet."""
    for what in BAD:
        driver, wire = Sender(bench, 8, bench.random.randrange(65529, WRAP)), Wire(bench.stack)
        driver.offer(request(bench, 10))
        bad = driver.offer(request(bench, 80), 3)
        driver.offer(request(bench, 10))
        BAD[what](driver, bad)
        driver.queue.publish()
        if what == "avail.idx jumped":
            driver.ring.store_avail_idx((driver.base + 9) % WRAP)
        first = 0 if what == "avail.idx jumped" else 1
        returned = _run(bench, driver, wire)
        same_frames(bench, f"at the peer ({what})", driver.sent[:first], wire.seen)
        bench.equal(f"used.idx ({what})", (driver.base + first) % WRAP, driver.ring.load_used_idx())
        bench.equal(f"the returned index ({what})", (driver.base + first) % WRAP, returned)


def _change(driver: Sender, index: int, **how: int) -> None:
    driver.ring.write_desc(index, driver.ring.read_desc(index)._replace(**how))


def _second(driver: Sender, head: int) -> int:
    return driver.ring.read_desc(head).next


def _loop(driver: Sender, head: int) -> None:
    last = _second(driver, _second(driver, head))
    desc: Desc = driver.ring.read_desc(last)
    driver.ring.write_desc(last, desc._replace(flags=desc.flags | NEXT, next=head))


BAD = {
    "head outside the table": lambda driver, _: driver.ring.store_avail_entry(driver.base + 1, driver.ring.num),
    "next outside the table": lambda driver, head: _change(driver, head, next=driver.ring.num),
    "a loop": _loop,
    "a buffer for the device to write": lambda driver, head: _change(driver, _second(driver, head), flags=WRITE | NEXT),
    "an address without memory": lambda driver, head: _change(driver, _second(driver, head), addr=HOLE),
    "avail.idx jumped": lambda *_: None,
}


def traffic(bench: Bench) -> None:
    """A full ring; packets of any shape, and more of them between any two accesses of the device's."""
    driver, wire = Sender(bench, 4, 65534), Wire(bench.stack)
    for _ in range(4):
        driver.offer(request(bench, 10))
    driver.publish()
    _until_quiet(bench, driver, wire, buffered=True)
    same_frames(bench, "at the peer", driver.sent, wire.seen)
    for num in (4, 32):
        driver, wire = Sender(bench, num), Wire(bench.stack)
        bench.talk.after[:] = [lambda op, driver=driver: _more(bench, driver)]
        _offer(bench, driver)
        _until_quiet(bench, driver, wire, buffered=True)
        same_frames(bench, "at the peer", driver.sent, wire.seen)
        bench.equal("used.idx", (driver.base + len(driver.sent)) % WRAP, driver.ring.load_used_idx())


def _more(bench: Bench, driver: Sender) -> None:
    if len(driver.sent) < 24 and bench.random.random() < 0.1:
        _offer(bench, driver)


def _offer(bench: Bench, driver: Sender) -> None:
    while driver.queue.reap() is not None:
        continue
    pieces = bench.random.randrange(1, 4)
    if driver.queue.num_free >= pieces:
        driver.offer(request(bench, bench.random.randrange(1, 600)), pieces)
        driver.publish()


def _until_quiet(bench: Bench, driver: Sender, wire: Wire, buffered: bool) -> int:
    """Wake the device at every kick, until it sleeps; then nothing may wait."""
    idx = driver.base
    while True:
        kicks = driver.kicks
        idx = _run(bench, driver, wire, idx, buffered)
        if driver.kicks == kicks:
            break
    waits = driver.waiting(idx)
    bench.hold(not waits, "kick", "the device is awake or kicked", f"the device sleeps, {waits} waiting, no kick")
    return idx


def _run(bench: Bench, driver: Sender, wire: Wire, idx: int | None = None, buffered: bool = False) -> int:
    """The device's worker wakes up."""
    bench.play("device")
    port, call = PortHandle("port", wire), bench.doorbell("call")
    ring = bench.handle(driver.ring, buffered=buffered)
    returned = bench.call("handle_tx", ring, bench.memory_handle(), port, call, driver.base if idx is None else idx)
    bench.hold(type(returned) is int, "the returned index", "a number", returned)
    return returned
