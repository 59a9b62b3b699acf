"""``python -m tour.judge.contract --tx FILE --rx FILE``: a learner's own device before the contract suite.

The two loops of exercises 11 and 12 take the turns of an embedded device, with real taps in a network namespace of our
own; the code is in a jail. The answers are those that the kernel's vhost-net gives to the same driver.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tour.device.contract import RX, TX
from tour.device.embedded import EmbeddedDevice
from tour.device.embedded.files import Port
from tour.device.embedded.gear import PythonGear
from tour.device.embedded.vring import Vring
from tour.errors import RingError, TourError
from tour.judge.jail import open_jail
from tour.judge.limits import Limits
from tour.judge.ops import CallHandle, Handle, MemoryHandle, RingHandle
from tour.judge.source import Unreadable, read_source
from tour.judge.talk import Gone, Jailed, Raised, Runner, Talk
from tour.lesson import exercise as exercises
from tour.testing import contract, namespace
from tour.testing.case import Case, compare
from tour.virtqueue.device import DeviceQueue
from tour.virtqueue.net_header import SIZE

SECONDS = 5.0
HANDLERS = {RX: "handle_rx", TX: "handle_tx"}
BEYOND = {
    "event idx": "not negotiated", "event follows": "not negotiated",
    "used event": "not negotiated", "indirect": "not negotiated", "notify on empty": "not negotiated",
    "without mergeable": "exercise 12 is about mergeable buffers", "dirty log": "exercise 13 keeps it",
    "log flag": "exercise 13 keeps it", "log eventfd": "exercise 13 keeps it", "bit 27": "the port has the header",
    "vnet header": "the port has the header", "own header": "the port has the header",
    "both ways through a raw packet socket": "the port has the header",
    "4 GiB": "no more than 64 KiB go through the judge at once",
    "giant": "no more than 64 KiB go through the judge at once",
    "readable chain on receive": "the kernel passes over such a chain, the exercise stops before it",
    "writable chain on transmit": "the kernel passes over such a chain, the exercise stops before it",
    "empty chain": "the kernel passes over such a chain, the exercise takes it for an empty buffer",
    "receive buffer in the hole": "exercise 12 looks for no such address",
    "receive buffer that runs over": "exercise 12 looks for no such address",
    "takes used idx from memory": "the exercises have one index for both rings",
    "base is where the device goes on": "the exercises have one index for both rings",
}  # fmt: skip
"""What the exercises leave out, and why: cases with one of these in their name are not asked."""


class PortOf(Handle):
    """The backend socket of a ring of the device, as the exercises have it."""

    kind = "port"
    methods = {"send": ("bytes",), "peek": (), "receive": ()}

    def __init__(self, name: str, port: Port) -> None:
        super().__init__(name)
        self.port = port

    def perform(self, method: str, args: list[Any]) -> Any:
        """See ``Handle``."""
        if method == "send":
            packet: bytes = args[0]
            self.port.send(packet[:SIZE], packet[SIZE:], SIZE)
            return len(packet)
        packet = self.port.peek() or b""
        if method == "peek":
            return len(packet)
        self.port.take()
        return packet or None


class LearnersGear(PythonGear):
    """Turns both rings with the learner's two functions."""

    def __init__(self, device: EmbeddedDevice, runners: dict[int, Runner]) -> None:
        super().__init__(device.recorder, "kernel", None)
        self._runners = runners

    def _turn(self, index: int) -> bool:
        ring = self.rings[index]
        with ring.lock:
            if ring.worker and ring.port:
                ring.worker.rest_port(ring.port)
            try:
                work = ring.turn()
                if work is not None:
                    self._take(ring, *work)
            except RingError as error:
                self._violated(ring, error)
            except (Raised, Gone) as error:
                self._failed(ring, error)
        return False

    def _take(self, ring: Vring, queue: DeviceQueue, port: Port) -> None:
        """One call of the learner's loop, and what it came to: where it stopped, whether a driver is in the way."""
        handles: Sequence[Handle] = (
            RingHandle("ring", queue.ring), MemoryHandle("memory", queue.walker.table),  # type: ignore[arg-type]
            PortOf("port", port), CallHandle("call", lambda: ring.call.ring() if ring.call else None),
        )  # fmt: skip
        name = HANDLERS[ring.index]
        returned = self._runners[ring.index].call(Talk(), name, [*handles, queue.last_avail_idx], SECONDS)
        if type(returned) is not int or not 0 <= returned < 1 << 16:
            raise Raised("ValueError", f"{name} returned {returned!r}", 0)
        queue.last_avail_idx, queue.used_shadow = returned, queue.ring.load_used_idx()
        queue.kicks_wanted = not queue.ring.load_used_flags() & 1
        if queue.waiting() and not queue.kicks_wanted and (ring.index == TX or port.has_frame()):
            ring.signal_error()
        if ring.index == RX and not port.has_frame():
            ring.rearm()


class LearnersDevice(EmbeddedDevice):
    """An embedded device whose worker runs ``runners``' handle_rx and handle_tx."""

    def __init__(self, runners: dict[int, Runner]) -> None:
        super().__init__()
        self._turner = LearnersGear(self, runners)
        self.rings = self._turner.rings


def chosen(only: str = "") -> tuple[Case, ...]:
    """The cases that the exercises cover."""
    within = (case for case in contract.cases if case.part == "behaviour" and only in case.name)
    return tuple(case for case in within if not any(word in case.name for word in BEYOND))


def main() -> int:
    """Ask every case; 0, 1 when an answer differs, or the exit code of what this machine lacks."""
    words = argparse.ArgumentParser(prog="python -m tour.judge.contract", description="The suite on your device.")
    words.add_argument("--tx", type=Path, required=True)
    words.add_argument("--rx", type=Path, required=True)
    words.add_argument("--expect", type=Path, required=True, metavar="FILE", help="recorded answers of the kernel's")
    words.add_argument("--only", default="", metavar="TEXT")
    asked = words.parse_args()
    namespace.enter()
    try:
        return _ask({TX: asked.tx, RX: asked.rx}, json.loads(asked.expect.read_text())["answers"], asked.only)
    except TourError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except (Unreadable, Raised, Gone) as error:
        print(f"The code cannot be run: {error}.", file=sys.stderr)
        return 1


def _ask(files: dict[int, Path], expected: dict[str, Any], only: str) -> int:
    cases = chosen(only)
    with ExitStack() as stack:
        runners = {index: _runner(path, stack) for index, path in files.items()}
        got = contract.answers(lambda: LearnersDevice(runners), cases)
    wrong = list(compare({case.name: expected.get(case.name) for case in cases}, got))
    for name, wanted, found in wrong:
        print(f"FAIL {name}: {json.dumps(found)}   expected {json.dumps(wanted)}")
    print(f"{len(cases)} cases, {len(wrong)} failed")
    return 1 if wrong else 0


def _runner(path: Path, stack: ExitStack) -> Runner:
    """A jail with the file's code loaded. Raises Unreadable, Raised, Gone, CapabilityMissing."""
    source = read_source(path.parent, path.name)
    jail = stack.enter_context(open_jail("full", Limits(), (exercises.root(),)))
    runner = Jailed(jail.stream, jail.ended)
    runner.load(path.name, source, SECONDS)
    return runner


if __name__ == "__main__":
    sys.exit(main())
