"""Lesson 12, silence and order: who may tell whom not to ring, counted over 1000 frames; and why order matters."""

from tour.device.contract import RX, TX
from tour.net.frames import GUEST_MAC, PEER_MAC, ethernet
from tour.scene import set_up
from tour.scene.litmus import litmus as play
from tour.scene.measure import EVENT_IDX, PLAIN, Pair
from tour.scene.nic import TX_BUFFER, Nic
from tour.virtqueue.event_idx import need_event
from tour.virtqueue.faults import DriverFault, FaultyDriver
from tour.virtqueue.net_header import NetHeader

HEADER = NetHeader().pack()
ETH_P_LOCAL = 0x88B5
"""IEEE 802: for local experiments. No stack answers it."""
ROOM = 512
"""Bytes between two transmit buffers."""
FRAMES = 1000
ROUNDS = 200_000
TRIES = 5


def prepare(nic: Nic) -> None:
    """Everything stands; one frame was sent with calls on and taken back, its call read."""
    set_up.attach(nic)
    nic.own.sent = 0
    offer(nic, 1)
    nic.tx.kick()
    nic.settle(TX)
    nic.bells[TX].drain_call()
    take_back(nic)


def hush(nic: Nic) -> str:
    """The driver sets avail.flags to 1, then sends a frame, with a kick if the device wants one."""
    nic.tx.disable_calls()
    offer(nic, 1)
    return ring(nic)


def listen(nic: Nic) -> str:
    """The driver sets avail.flags back to 0, with a used entry lying there."""
    nic.tx.enable_calls()
    return nic.settle(TX)


def always(nic: Nic) -> None:
    """1000 frames, one by one; a kick after each, calls wanted all the time."""
    with Pair(nic.chosen, PLAIN, rings_itself=False) as pair:
        pair.call_after(1)
        for _ in range(FRAMES):
            pair.send()
            pair.kick()
        told(nic, "always", pair)


def flags(nic: Nic) -> None:
    """500 frames at once, then 500 one by one; a kick where used.flags is 0, calls off until the last is published."""
    at_work(nic, "flags", PLAIN, 0)


def event(nic: Nic) -> None:
    """The same with EVENT_IDX: a kick where avail_event was passed, a call asked for after the last."""
    at_work(nic, "event", PLAIN | EVENT_IDX, FRAMES)


def negotiate(nic: Nic) -> str:
    """The learner's device again, this time with EVENT_IDX."""
    take_back(nic)
    bases = {index: nic.device.stop(index) for index in (RX, TX)}
    nic.close_device()
    nic.plan = nic.plan._replace(features=EVENT_IDX)
    ended = set_up.hand_over(nic, bases)
    for queue in (nic.rx, nic.tx):
        queue.event_idx = True
    return ended


def equality(nic: Nic) -> str:
    """Three frames published at once; the driver asks whether the last entry is the one asked for."""
    return mistaken(nic, 3)


def equality_one(nic: Nic) -> str:
    """The same question, of one frame."""
    return mistaken(nic, 1)


def mistaken(nic: Nic, count: int) -> str:
    """Publish ``count`` frames and test for equality."""
    nic.own.before = nic.tx.avail_shadow
    faulty = FaultyDriver.of(nic.tx)
    faulty.faults = {DriverFault.KICK_EQUALITY}
    nic.tx = faulty
    offer(nic, count)
    ended = ring(nic)
    faulty.faults = set()
    return ended


def window(nic: Nic) -> str:
    """The same three frames; the driver asks whether the index has passed the entry asked for."""
    new = nic.tx.avail_shadow
    if need_event(nic.rings[TX].load_avail_event(), new, nic.own.before):
        nic.tx.kick()
    return nic.settle(TX)


def window_one(nic: Nic) -> str:
    """Three frames more, tested with the window."""
    nic.own.before = nic.tx.avail_shadow
    offer(nic, 3)
    return window(nic)


def order(nic: Nic) -> None:
    """Store a word, look at the other's: without a full barrier in between, then with one."""
    for name, fence in (("without", False), ("with", True)):
        found = play(ROUNDS, fence=fence)
        nic.figure(f"litmus.{name}.rounds", found.rounds)
        nic.figure(f"litmus.{name}.lost", found.lost)
        if not fence:
            nic.figure("litmus.cpus", found.cpus)
            nic.figure("litmus.seen", "@seen" if found.lost else "@not_seen")


# --- parts ----------------------------------------------------------------------------------------------------


def offer(nic: Nic, count: int) -> None:
    """``count`` frames, described and entered, then published at once."""
    for _ in range(count):
        gpa = TX_BUFFER + nic.own.sent % nic.plan.num * ROOM
        frame = ethernet(PEER_MAC, GUEST_MAC, ETH_P_LOCAL, nic.own.sent.to_bytes(46, "big"))
        nic.write_buffer(gpa, HEADER + frame, "frame")
        nic.tx.add([(gpa, len(HEADER) + len(frame))])
        nic.own.sent += 1
    nic.tx.publish()


def ring(nic: Nic) -> str:
    """The driver's look, and the kick if its test says so."""
    if nic.tx.needs_kick():
        nic.tx.kick()
    return nic.settle(TX)


def take_back(nic: Nic) -> None:
    """You, as guest: what is done."""
    while nic.tx.reap() is not None:
        pass


def at_work(nic: Nic, name: str, features: int, call_after: int) -> None:
    """Half of the frames at once; when the worker has begun on them, the other half one by one. On a busy machine
    either may stand still: a run in which the worker was done before the driver is made again, up to ``TRIES``."""
    for attempt in range(1, TRIES + 1):
        with Pair(nic.chosen, features) as pair:
            pair.call_after(call_after)
            pair.send(FRAMES // 2)
            pair.wait_begun()
            pair.send_apart(FRAMES // 2)
            if not pair.outstanding and attempt < TRIES:
                continue
            if not call_after:
                pair.call_after(1)
            told(nic, name, pair)
            return


def told(nic: Nic, name: str, pair: Pair) -> None:
    """Once all frames are used and the worker sleeps: how often each doorbell was rung."""
    pair.wait_used(FRAMES)
    pair.rest()
    rung = pair.rung()
    nic.figure(f"{name}.kicks", rung.kicks)
    nic.figure(f"{name}.calls", rung.calls)
