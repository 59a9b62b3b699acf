"""Lesson 1, two ways to be a NIC: one ping served by a loop in user space, then by vhost, and the bill of each."""

from tour.device.contract import RX, TX
from tour.device.embedded import EmbeddedDevice
from tour.net.frames import GUEST_IP, GUEST_MAC, ICMP_ECHO_REQUEST, PEER_IP, PEER_MAC, Echo, echo
from tour.scene import set_up
from tour.scene.loop import Loop
from tour.scene.nic import RX_BUFFER_SIZE, RX_BUFFERS, TX_BUFFER, Nic
from tour.trace import events as ev
from tour.virtqueue.net_header import NetHeader

HEADER = NetHeader().pack()
ROOM = 512
"""Bytes between two transmit buffers."""
PINGS = 8
"""The last step's pings: as many as the ring has slots."""


def prepare(nic: Nic) -> None:
    """Guest memory, two rings, their doorbells, a tap; and the loop, asleep. vhost is not even open."""
    nic.map_memory()
    nic.place_rings()
    for bells in nic.bells.values():
        bells.make()
    set_up.fill(nic)
    nic.open_port()
    nic.own.told = []
    nic.recorder.sinks.append(nic.own.told.append)
    nic.own.bill = {}
    nic.own.loop = Loop(nic, {RX: 0, TX: 0})
    nic.own.loop.settle()


def offer(nic: Nic) -> None:
    """You, as guest: a ping, written and offered; no doorbell yet."""
    put(nic, 0)
    nic.tx.publish()


def out(nic: Nic) -> str:
    """The doorbell: the loop wakes and sends."""
    begin(nic)
    nic.tx.kick()
    return end_loop(nic, "out")


def back(nic: Nic) -> str:
    """The reply waits at the tap; now the loop may look there."""
    with nic.baton:
        nic.own.loop.watch_tap()
        begin(nic)
    return end_loop(nic, "back")


def hand_over(nic: Nic) -> str:
    """You, as QEMU: the loop ends, and vhost is told where everything is."""
    bases: dict[int, int] = nic.own.loop.close()
    begin(nic)
    ended = set_up.hand_over(nic, bases)
    nic.figure("setup.calls", len(calls(nic)))
    return ended


def again(nic: Nic) -> str:
    """The same ping; vhost serves it."""
    take_back(nic)
    put(nic, 0)
    nic.tx.publish()
    begin(nic)
    nic.tx.kick()
    ended = nic.settle(TX, RX)
    vhost_bill(nic, "vhost")
    bill(nic)
    return ended


def many(nic: Nic) -> str:
    """Eight pings behind one kick."""
    offer_many(nic)
    begin(nic)
    nic.tx.kick()
    ended = nic.settle(TX, RX)
    vhost_bill(nic, "many")
    return ended


def many_one_by_one(nic: Nic) -> str:
    """Eight pings, each offered, kicked and waited for."""
    take_back(nic)
    begin(nic)
    ended = ""
    for number in range(PINGS):
        put(nic, number)
        nic.tx.publish()
        nic.tx.kick()
        ended = nic.settle(TX, RX)
    vhost_bill(nic, "many")
    return ended


def many_loop(nic: Nic) -> str:
    """vhost stops, the loop takes the rings over, and the same eight pings are its."""
    bases = {index: nic.device.stop(index) for index in (RX, TX)}
    nic.own.loop = Loop(nic, bases)
    nic.own.loop.watch_tap()
    offer_many(nic)
    begin(nic)
    nic.tx.kick()
    ended: str = nic.own.loop.settle()
    nic.figure("many.wakes", len(wakes(nic)))
    nic.figure("many.calls", len(calls(nic)))
    return ended


# --- the ping -------------------------------------------------------------------------------------------------


def put(nic: Nic, number: int) -> None:
    """One ping in its transmit buffer, described and entered, not yet published."""
    gpa = TX_BUFFER + number * ROOM
    request = Echo(ICMP_ECHO_REQUEST, GUEST_MAC, PEER_MAC, GUEST_IP, PEER_IP, ident=1, seq=number + 1, data=bytes(56))
    frame = echo(request)
    nic.write_buffer(gpa, HEADER, "net_hdr")
    nic.write_buffer(gpa + len(HEADER), frame, "frame")
    nic.tx.add([(gpa, len(HEADER) + len(frame))])


def offer_many(nic: Nic) -> None:
    """Eight pings, offered at once."""
    take_back(nic)
    for number in range(PINGS):
        put(nic, number)
    nic.tx.publish()


def take_back(nic: Nic) -> None:
    """You, as guest: what is done in both rings; receive buffers are offered again."""
    while nic.tx.reap() is not None:
        pass
    while (used := nic.rx.reap()) is not None:
        gpa = RX_BUFFERS + used.head * RX_BUFFER_SIZE
        nic.rx.add([], [(gpa, RX_BUFFER_SIZE)])
    nic.rx.publish()


# --- counting, from what was told -----------------------------------------------------------------------------


def begin(nic: Nic) -> None:
    """Count from here."""
    nic.own.told.clear()
    nic.own.wakes = worker_wakes(nic)


def calls(nic: Nic) -> list[ev.Event]:
    """System calls by whoever plays QEMU: told by its control side or by its loop; not ours that only look."""
    kinds = ev.Syscall | ev.Ioctl
    return [one for one in nic.own.told if isinstance(one.data, kinds) and one.source in ("control", "device")]


def wakes(nic: Nic) -> list[ev.Event]:
    """Returns of the loop's epoll_wait: it had slept in each."""
    return [one for one in calls(nic) if isinstance(one.data, ev.Syscall) and one.data.name == "epoll_wait"]


def copies(nic: Nic) -> int:
    """Times that a frame's bytes were copied: by a system call that carries one, or by the loop itself."""
    carrying = [one for one in calls(nic) if isinstance(one.data, ev.Syscall) and one.data.result > len(HEADER)]
    by_hand = [one for one in nic.own.told if isinstance(one.data, ev.Write) and one.data.what == "frame"]
    return len([*carrying, *(one for one in by_hand if one.actor == "device")])


def end_loop(nic: Nic, way: str) -> str:
    """Wait for the loop, then say what this way of the ping cost."""
    ended: str = nic.own.loop.settle()
    found = {"wakes": len(wakes(nic)), "copies": copies(nic), "calls": len(calls(nic))}
    for name, value in found.items():
        nic.figure(f"loop.{way}.{name}", value)
        nic.own.bill[name] = nic.own.bill.get(name, 0) + value
    return ended


def own_wakes(nic: Nic) -> int | None:
    """What the embedded device's worker counts itself, None where the device is another or there is none yet."""
    device = getattr(nic, "device", None)
    return device.wakes() if isinstance(device, EmbeddedDevice) else None


def worker_wakes(nic: Nic) -> int:
    """How often vhost's worker has slept and come back: the kernel's count, or our own worker's."""
    own: int | None = own_wakes(nic)
    if own is None and hasattr(nic, "device") and nic.device.worker:
        own = nic.device.worker.switches()
    return own or 0


def vhost_bill(nic: Nic, name: str) -> None:
    """What passed since ``begin`` with vhost."""
    found = {f"{name}.calls": len(calls(nic)), f"{name}.wakes": worker_wakes(nic) - nic.own.wakes}
    for figure, value in found.items():
        nic.figure(figure, value)
    nic.own.bill |= found


def bill(nic: Nic) -> None:
    """Both bills side by side. vhost's copies happen inside the kernel: its source says how many."""
    paid = nic.own.bill
    by = "@by_proc" if own_wakes(nic) is None else "@by_worker"
    rows = [
        ["@calls", str(paid["calls"]), str(paid["vhost.calls"]), "@by_trace"],
        ["@copies", str(paid["copies"]), "2", "@by_source"],
        ["@wakes", str(paid["wakes"]), str(paid["vhost.wakes"]), by],
    ]
    nic.listing("bill", rows)
