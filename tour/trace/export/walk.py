"""From a recording's events to the acts of a program that does the same (``acts``).

What driver and control did becomes an act; what the device did becomes something to wait for and to compare.
Times, the worker's state and the number of calls are not compared: they differ from run to run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tour.trace import events as ev
from tour.trace.export import acts
from tour.trace.export.acts import Act, ExportError, Hva, Program, telling
from tour.trace.fold import fold
from tour.trace.state import QUEUE_NAMES, Ring, State

NAMES = {"/dev/vhost-net": "vhost", "/dev/net/tun": "tap"}
TUN_NAME = re.compile(r"TUN[A-Z]+")
IFREQ = re.compile(r'\{"([\w.-]{1,15})", ([A-Z_|]+)\}')
PIPE = re.compile(r"\[(\d{1,9}), (\d{1,9})\]")
TAP = (
    ev.Syscall("open", ['"/dev/net/tun"', "O_RDWR|O_NONBLOCK|O_CLOEXEC"], 0),
    ev.Syscall("ioctl", ["0", "TUNSETIFF", '{"tap0", IFF_TAP|IFF_NO_PI|IFF_VNET_HDR}'], 0),
    ev.Syscall("ioctl", ["0", "TUNSETVNETHDRSZ", "[12]"], 0),
    ev.Syscall("ioctl", ["0", "TUNSETOFFLOAD", "0x0"], 0),
)
PEER = ev.Peer("tap0", "02:00:00:00:00:02", "10.0.2.2", "02:00:00:00:00:01", "10.0.2.1", True)


def _not_ours(events: Sequence[ev.Event]) -> str:
    """Why a program that plays control and driver cannot do all of it again; empty where it can."""
    for event in events:
        if isinstance(event.data, ev.Program):
            return "A processor in KVM ran the driver's code in it; a program would have to do that itself."
        if isinstance(event.data, ev.Watching):
            return "A QEMU made these calls, for a guest of its own; a program would have to be both."
        if isinstance(event.data, ev.Serving):
            return "Two devices served the rings in turn; a program drives one."
        if isinstance(event.data, ev.Syscall) and event.actor == "device":
            return "A loop in user space was the device in it; a program opens vhost-net."
        if isinstance(event.data, ev.Note) and event.data.key == "view.say.link_made":
            return "More links than a tap were its network; a program makes only the tap."
    return ""


def program(events: Iterable[ev.Event]) -> Program:
    """The program that does what ``events`` tell. Raises ExportError for a recording that fits no program."""
    with telling():
        return _Walker(list(events)).walk()


class _Walker:
    def __init__(self, events: Sequence[ev.Event]) -> None:
        self.events = events
        self.bells = {
            data.fd: f"{QUEUE_NAMES[data.queue]}_{data.doorbell}"
            for data in (event.data for event in events)
            if isinstance(data, ev.Doorbell)
        }
        self.state = State()
        self.acts: list[Act] = []
        self.names: dict[int, str] = {}
        self.used = [0, 0]
        self.flags = [0, 0]
        self.written: list[tuple[int, bytes]] = []

    def walk(self) -> Program:
        hello = self.events[0].data if self.events else None
        if not isinstance(hello, ev.Hello):
            raise ExportError("This is no recording: it does not begin with a hello.")
        if why := _not_ours(self.events):
            fix = "choose another form: --as strace, mermaid, pcapng or svg"
            raise ExportError("This recording cannot be made a program.", why, fix)
        for event in self.events:
            self._take(event)
        self._results()
        regions = sum(isinstance(act, acts.Map) for act in self.acts)
        fds = tuple(dict.fromkeys(fd for act in self.acts for fd in acts.made_by(act)))
        return Program(
            hello.lesson, hello.kernel, hello.device, hello.net, hello.started, hello.forked_from or "",
            tuple(self.acts), fds, regions,
        )  # fmt: skip

    def _take(self, event: ev.Event) -> None:
        handler = _HANDLERS.get(type(event.data))
        ours = event.actor in ("control", "driver") and event.source != "observer"
        if handler is not None and (ours or isinstance(event.data, ev.Step | ev.Peer | ev.Holders | ev.Opened)):
            self._results()
            self.acts += handler(self, event.data)
        elif isinstance(event.data, ev.Write) and event.actor == "device":
            self._wrote(event.data.gpa, bytes.fromhex(event.data.after))
        self.state = fold(self.state, event)
        if isinstance(event.data, ev.Store) and ours and event.data.field == "used.idx":
            self.used[event.data.queue] = event.data.new[0]

    # --- what the device did --------------------------------------------------------------------------------

    def _wrote(self, gpa: int, data: bytes) -> None:
        if self.written and self.written[-1][0] + len(self.written[-1][1]) == gpa:
            self.written[-1] = (self.written[-1][0], self.written[-1][1] + data)
        else:
            self.written.append((gpa, data))

    def _results(self) -> None:
        """What the device did since the last act of ours: to be waited for, then compared."""
        for ring in (self.state.tx, self.state.rx):
            if ring.num and ring.used_idx != self.used[ring.index]:
                self._completed(ring)
        self.acts += [acts.Bytes(gpa, data) for gpa, data in self.written]
        self.written.clear()

    def _completed(self, ring: Ring) -> None:
        start, self.used[ring.index] = self.used[ring.index], ring.used_idx
        self.acts.append(self._await(ring, "used.idx", ring.used_idx))
        for step in range(min((ring.used_idx - start) & 0xFFFF, ring.num)):
            slot = (start + step) % ring.num
            entry = ring.used_ring[slot]
            if entry is not None:
                self.acts.append(acts.Used(ring.name, slot, ring.place_used + 4 + 8 * slot, *entry))

    def _await(self, ring: Ring, field: str, value: int) -> acts.Await:
        gpa = ring.place_used + (2 if field == "used.idx" else 0)
        return acts.Await(ring.name, field, gpa, value, self._bell(ring.index, "call"))

    def _bell(self, queue: int, which: str) -> str | int:
        ring = self.state.rings[queue]
        fd = {"kick": ring.kick.fd, "call": ring.call.fd}[which]
        return self._name(-1 if fd is None else fd)

    # --- what we did ------------------------------------------------------------------------------------------

    def _name(self, fd: int) -> str | int:
        return self.names.get(fd, fd)

    def _made(self, fd: int, name: str) -> str:
        """Call descriptor ``fd`` of the recording ``name`` from now on."""
        self.names[fd] = name
        return name

    def step(self, data: ev.Step) -> list[Act]:
        if data.mark == "begin":
            return [acts.Begin(data.step)]
        found: list[Act] = []
        for ring in self.state.rings:
            if ring.num and ring.used_flags != self.flags[ring.index]:
                self.flags[ring.index] = ring.used_flags
                found.append(self._await(ring, "used.flags", ring.used_flags))
        if data.ended == "still":
            rings = [ring for ring in self.state.rings if ring.num]
            found.append(acts.Still({ring.name: (ring.place_used + 2, ring.used_idx) for ring in rings}))
        return [*found, acts.End(data.step, data.ended)]

    def opened(self, data: ev.Opened) -> list[Act]:
        told = f"the recording's device was the {data.device} one: no system call opened it, none of its calls is one"
        return [acts.Say(told), acts.Open("/dev/vhost-net", "O_RDWR|O_CLOEXEC", self._made(-1, "vhost"))]

    def syscall(self, data: ev.Syscall) -> list[Act]:
        args = data.args[1:] if data.name == "openat" else data.args
        if data.errno is None and data.result < 0:
            raise ValueError(f"{data.name} gave {data.result}")
        if data.name in ("open", "openat"):
            path = args[0].strip('"')
            named = NAMES.get(path, f"fd{data.result}")
            fd = self._made(data.result, named) if data.errno is None else named
            return [acts.Open(path, args[1], fd, data.errno or "")]
        if data.name == "eventfd2":
            return [acts.Eventfd(args[1], self._made(data.result, self.bells.get(data.result, f"fd{data.result}")))]
        if data.name == "ioctl" and TUN_NAME.fullmatch(args[1]):
            return [self._tun(data)]
        if data.name == "socketpair":
            return self._tap_instead()
        if data.name == "pipe2" and data.errno is None and (ends := PIPE.fullmatch(data.args[0])):
            read, write = (self._made(int(end), f"fd{end}") for end in ends.groups())
            return [acts.Pipe((read, write), data.args[1])]
        return self._plain(data)

    def _tun(self, data: ev.Syscall) -> Act:
        fd, name, shown = self._name(int(data.args[0])), data.args[1], data.args[2]
        if ifreq := IFREQ.fullmatch(shown):
            return acts.Tun(name, fd, link=ifreq[1], flags=ifreq[2], errno=data.errno or "")
        return acts.Tun(name, fd, int(shown.strip("[]"), 0), errno=data.errno or "")

    def _tap_instead(self) -> list[Act]:
        """The kernel's device takes no socketpair: the program makes the tap that the recording could not have."""
        found: list[Act] = [acts.Say("the recording used a socketpair in a tap's stead; this is a tap")]
        ours = self.names
        self.names = {}
        for call in TAP:
            found += self.syscall(call)
        self.names = ours
        return [*found, *self.peer(PEER)]

    def _plain(self, data: ev.Syscall) -> list[Act]:
        told = f"{data.name}({', '.join(data.args)}) = {data.errno or data.result}"
        fd = int(data.args[0]) if data.args and data.args[0].lstrip("-").isdigit() else None
        if data.name == "read" and data.errno == "EAGAIN" and fd is not None:
            return [acts.Plain("read", (self._name(fd),), "EAGAIN")]
        if data.name == "close" and fd is not None:
            return [acts.Plain("close", (self._name(fd),), data.errno or "")]
        if data.name == "getsockopt" and fd is not None:
            shown = data.args[3].strip("[]") if len(data.args) > 3 else ""
            return [acts.Plain("getsockopt", (self._name(fd),), data.errno or "", shown=shown)]
        if data.name == "socket" and data.errno is None and all(re.fullmatch(r"[A-Z_|]+", arg) for arg in data.args):
            return [acts.Plain("socket", tuple(data.args), fd=self._made(data.result, f"fd{data.result}"))]
        return [acts.Say(f"not made again here: {told}")]

    def peer(self, data: ev.Peer) -> list[Act]:
        if not data.real and self.state.hello is not None and self.state.hello.net == "socketpair":
            return []
        if "tap" not in self.names.values() and data is not PEER:
            return [acts.Say(f"not made again here: the peer {data.ip} behind {data.name}")]
        return [acts.Link(data.name, data.mac, data.ip, data.guest_mac, data.guest_ip)]

    def region(self, data: ev.Region) -> list[Act]:
        return [acts.Map(data.index, data.gpa, data.size)]

    def ioctl(self, data: ev.Ioctl) -> list[Act]:
        if not re.fullmatch(r"VHOST_[A-Z_]+", data.name):
            raise ExportError(f"'{data.name}' is no call of vhost's.")
        if missing := self._missing(data):
            return [acts.Say(f"not made again here: {data.name}, as {missing}")]
        args = {key: self._operand(key, value) for key, value in data.arg.items()}
        fd = self._name(data.fd)
        return [acts.Vhost(data.name, data.request, fd, args, data.arg_hex, data.errno or "", dict(data.out))]

    def _missing(self, data: ev.Ioctl) -> str:
        """Why a call cannot be made again, empty where it can."""
        fd = data.arg.get("fd")
        if data.name == "VHOST_SET_LOG_BASE":
            return "the log's memory is not in the recording"
        if (
            isinstance(fd, int)
            and fd >= 0
            and data.errno is None
            and fd not in self.names
            and not self._stands_for_tap()
        ):
            return f"it is not known what made descriptor {fd}"
        return ""

    def _stands_for_tap(self) -> bool:
        return self.state.hello is not None and self.state.hello.net == "socketpair"

    def _operand(self, key: str, value: Any) -> Any:
        if key == "regions":
            return [{"gpa": r["gpa"], "size": r["size"], "hva": self._hva(r["hva"])} for r in value]
        if key in ("desc", "avail", "used"):
            return self._hva(value)
        if key == "fd" and value >= 0:
            return self.names.get(value, "tap" if self._stands_for_tap() else value)
        return int(value)

    def _hva(self, hva: int) -> Hva:
        for region in self.state.regions:
            if region.hva <= hva < region.hva + region.size:
                return Hva(region.gpa + hva - region.hva, hva)
        return Hva(None, hva)

    def store(self, data: ev.Store) -> list[Act]:
        if data.field.startswith("desc["):
            return [acts.Desc(data.gpa, f"{QUEUE_NAMES[data.queue]} {data.field}", *data.new)]
        field = f"{QUEUE_NAMES[data.queue]} {data.field}"
        if len(data.after) != 4:
            return [acts.Put(data.gpa, bytes.fromhex(data.after), field)]
        return [acts.Word(data.gpa, field, data.new[0], release=data.field == "avail.idx")]

    def write(self, data: ev.Write) -> list[Act]:
        return [acts.Put(data.gpa, bytes.fromhex(data.after), data.what)]

    def kick(self, data: ev.Kick) -> list[Act]:
        return [acts.Kick(QUEUE_NAMES[data.queue], self._name(data.fd))]

    def drain(self, data: ev.Drain) -> list[Act]:
        return [acts.Drain(QUEUE_NAMES[data.queue], self._name(data.fd), data.value)]

    def action(self, data: ev.Action) -> list[Act]:
        if data.verb != "reap":
            return []
        detail = data.detail
        return [acts.Reap(QUEUE_NAMES[data.queue], int(detail["head"]), int(detail.get("len", 0)))]

    def holders(self, data: ev.Holders) -> list[Act]:
        if data.found:
            return [acts.Say(f"not looked for again here: {data.path} was open in {len(data.found)} processes")]
        return [acts.NotOpen(data.path)]


_HANDLERS: dict[type, Callable[[_Walker, Any], list[Act]]] = {
    ev.Step: _Walker.step, ev.Opened: _Walker.opened, ev.Syscall: _Walker.syscall, ev.Peer: _Walker.peer,
    ev.Region: _Walker.region, ev.Ioctl: _Walker.ioctl, ev.Store: _Walker.store, ev.Write: _Walker.write,
    ev.Kick: _Walker.kick, ev.Drain: _Walker.drain, ev.Action: _Walker.action, ev.Holders: _Walker.holders,
}  # fmt: skip
