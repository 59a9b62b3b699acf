"""Lesson 17, QEMU for real: what really happens at each step. A function returns the condition it ended on."""

from tour.scene import qemu_guest
from tour.scene.nic import Nic
from tour.scene.qemu import Qemu, check
from tour.scene.qemu_ways import (
    BY_NAME,
    OTHER_IP,
    OTHER_MAC,
    PINGS,
    address,
    as_nobody,
    compare,
    counters,
    lend,
    load_driver,
    on_tap,
    opened,
    pinged,
    readable,
    take_back,
    tell_calls,
    tell_files,
    tell_kinds,
    tell_worker,
    vhost_calls,
)
from tour.scene.strace import Strace
from tour.trace import events as ev

NEW_MAC = "02:00:00:00:00:77"


def prepare(nic: Nic) -> None:
    """A kernel and an initramfs for the guests to come."""
    check(nic)
    nic.own.files = qemu_guest.prepare()


def start(nic: Nic) -> None:
    """QEMU begins; it is let go on until its processor runs."""
    nic.own.qemu = qemu = Qemu(nic, nic.own.files, f"{BY_NAME},vhost=on")
    nic.recorder.emit(ev.Watching("strace", "", qemu.pid, "QEMU"), actor="tour")
    calls = qemu.begin()
    address(nic)
    tell_calls(nic, calls)
    nic.own.start = names = vhost_calls(calls)
    nic.figure("start.calls", len(names))
    nic.figure("start.owner", names.count("VHOST_SET_OWNER"))
    nic.figure("start.rings", names.count("VHOST_SET_VRING_ADDR"))
    nic.figure("start.backend", names.count("VHOST_NET_SET_BACKEND"))
    tell_worker(nic, qemu, "start")
    tell_files(nic, qemu)


def driver(nic: Nic) -> None:
    """Its guest boots and loads the driver, which ends with DRIVER_OK."""
    nic.own.qemu.come_up()
    calls = load_driver(nic.own.qemu)
    tell_calls(nic, calls)
    nic.own.driver = names = vhost_calls(calls)
    nic.figure("driver.calls", len(names))
    nic.figure("driver.rings", names.count("VHOST_SET_VRING_ADDR"))
    nic.figure("driver.last", int(names[-1:] == ["VHOST_NET_SET_BACKEND"]))
    compare(nic, nic.own.start, names)


def mac(nic: Nic) -> None:
    """The guest gives its card another address."""
    ask(nic, f"ip link set eth0 address {NEW_MAC}", f"macaddr={NEW_MAC}")


def mac_promisc(nic: Nic) -> None:
    """The guest wants every frame; nothing of that is in what the monitor says of the network."""
    ask(nic, "ip link set eth0 promisc on", "macaddr=")


def ask(nic: Nic, command: str, wanted: str) -> None:
    """A command in the guest; vhost's calls meanwhile, and what QEMU's own monitor knows afterwards."""
    with Strace(nic.own.qemu.pid, "ioctl") as traced:
        nic.own.qemu.command(command)
        names = vhost_calls(traced.let_go())
    nic.figure("mac.vhost", len(names))
    nic.figure("mac.told", int(wanted in nic.own.qemu.network()))


def ping(nic: Nic) -> None:
    """A hundred pings, answered by the host."""
    worker = nic.own.qemu.worker()
    before = worker.switches() if worker else None
    calls = pinged(nic.own.qemu)
    after = worker.switches() if worker else None
    nic.figure("ping.tap", on_tap(calls))
    tell_kinds(nic, "ping", calls)
    nic.figure("ping.calls", len(calls))
    if before is not None and after is not None:
        nic.figure("ping.slept", after - before)


def oneway(nic: Nic) -> None:
    """A hundred frames that nobody answers."""
    nic.own.qemu.command(f"arp -s {OTHER_IP} {OTHER_MAC}")
    received, sent = counters()
    nic.own.qemu.command(f"ping -q -c {PINGS} -i 0.01 -W 1 {OTHER_IP} >/dev/null; true")
    now = counters()
    nic.figure("tap.rx", now[0] - received)
    nic.figure("tap.tx", now[1] - sent)


def handed(nic: Nic) -> None:
    """As libvirt does: both files opened by us, QEMU started as nobody."""
    qemu = hand(nic, "tap,id=n,fd={tap},vhost=on,vhostfd={vhost}")
    calls = qemu.begin()
    qemu.come_up()
    later = load_driver(qemu)
    tell_calls(nic, [*calls, *later])
    names = [*vhost_calls(calls), *vhost_calls(later)]
    nic.figure("handed.user", str(qemu.user()))
    nic.figure("handed.opened", opened(calls))
    nic.figure("handed.calls", len(names))
    nic.figure("handed.owner", names.count("VHOST_SET_OWNER"))
    nic.figure("handed.same", int(names == [*nic.own.start, *nic.own.driver]))
    tell_worker(nic, qemu, "handed")
    nic.figure("handed.tap", on_tap(pinged(qemu)))


def handed_unlent(nic: Nic) -> None:
    """The same without vhostfd: QEMU would have to open /dev/vhost-net itself."""
    qemu = hand(nic, "tap,id=n,fd={tap},vhost=on")
    said, calls = qemu.end()
    tell_calls(nic, calls)
    nic.figure("handed.ended", int(said is not None))
    nic.figure("handed.calls", len(vhost_calls(calls)))
    nic.figure("handed.said", int(any("vhost" in line and "Permission denied" in line for line in said or [])))
    nic.listing("said", [[line] for line in said or []])


def hand(nic: Nic, netdev: str) -> Qemu:
    """A QEMU of nobody's with a tap of ours, held at its beginning."""
    end(nic)
    tap, vhost = lend(nic)
    files, fds = readable(nic, nic.own.files)
    option = netdev.format(tap=tap, vhost=vhost)
    nic.figure("handed.option", option)
    nic.own.qemu = qemu = Qemu(nic, files, option, (tap, vhost, *fds), as_nobody(nic))
    nic.recorder.emit(ev.Watching("strace", "", qemu.pid, "QEMU"), actor="tour")
    return qemu


def end(nic: Nic) -> None:
    """End the QEMU there is. Its worker goes once nobody holds the vhost file, so what we lent is closed too."""
    worker = nic.own.qemu.worker()
    nic.own.qemu.close()
    take_back(nic)
    if worker is not None:
        nic.recorder.emit(worker.gone(), actor="device", source="observer")


def off(nic: Nic) -> None:
    """A third QEMU, without vhost; a hundred pings."""
    end(nic)
    nic.own.qemu = qemu = Qemu(nic, nic.own.files, f"{BY_NAME},vhost=off")
    nic.recorder.emit(ev.Watching("strace", "", qemu.pid, "QEMU"), actor="tour")
    calls = qemu.begin()
    address(nic)
    qemu.come_up()
    later = load_driver(qemu)
    tell_calls(nic, [*calls, *later])
    nic.figure("off.vhost", len(vhost_calls([*calls, *later])))
    tell_worker(nic, qemu, "off")
    calls = pinged(qemu)
    nic.figure("off.tap", on_tap(calls))
    tell_kinds(nic, "off", calls)
    nic.figure("off.calls", len(calls))
