"""A virtual machine with one processor in real mode, an interrupt controller in the kernel, doorbells of both kinds.

Its memory is a :class:`GuestMemory`'s regions below 1 MiB, which vhost works in too. Each call is told as an ioctl
on KVM's files. (Documentation/virt/kvm/api.rst)
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import signal
import struct
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tour.abi import kvm
from tour.abi.kvm import KvmExit, KvmFlag, KvmIoctl
from tour.errors import CapabilityMissing, TimedOut
from tour.kvm.program import Program
from tour.kvm.statistics import Statistics
from tour.memory.guest import GuestMemory
from tour.trace import events as ev
from tour.trace.recorder import Recorder

PATH = "/dev/kvm"
LIMIT = 1 << 20
"""Real mode addresses the first MiB."""
TSS_AT = 0xFFFBD000
"""Three pages that Intel's processors want for real mode, where no memory is [api.rst, KVM_SET_TSS_ADDR]."""
FLAGS = 0x2
"""rflags at the start: the bit that is always 1; interrupts off."""
STOP_SIGNAL = signal.SIGUSR1

_REFUSALS = {
    errno.ENOENT: ("The module kvm_intel or kvm_amd is not loaded, or this machine cannot.", "sudo modprobe kvm_amd"),
    errno.EACCES: ("Your user may not open it.", 'sudo usermod -aG kvm "$USER", then log in again'),
}


def open_kvm(path: str = PATH) -> int:
    """An open file of KVM. Raises CapabilityMissing("kvm") with why not and what to do."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        why, fix = _REFUSALS.get(error.errno or 0, (f"The kernel says: {error.strerror}.", ""))
        raise CapabilityMissing("kvm", f"{path} cannot be opened.", why, fix) from error
    if fcntl.ioctl(fd, KvmIoctl.KVM_GET_API_VERSION) != kvm.API_VERSION:
        os.close(fd)
        raise CapabilityMissing("kvm", f"{path} speaks another version of KVM's interface.")
    return fd


class Machine:
    """The machine and its processor; a context manager. Raises CapabilityMissing("kvm"), OSError.

    ``returns`` counts how often KVM_RUN came back by itself: not those that :meth:`stop` made it.
    """

    def __init__(self, memory: GuestMemory, recorder: Recorder | None = None) -> None:
        self.recorder = recorder or Recorder()
        self.memory = memory
        self.returns = 0
        self.program: Program | None = None
        self._told_until: int | None = None
        self.answer: Callable[[ev.Exit], None] = _nothing
        """What is done, in the processor's thread, each time KVM_RUN came back; then it runs on."""
        self._stack = ExitStack()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._asked = False
        self._error: OSError | None = None
        with self._stack as stack:
            self._kvm = self._file(open_kvm(), "open")
            self._machine = self._file(self._call(self._kvm, KvmIoctl.KVM_CREATE_VM), "KVM_CREATE_VM")
            self._call(self._machine, KvmIoctl.KVM_SET_TSS_ADDR, TSS_AT)
            self._call(self._machine, KvmIoctl.KVM_CREATE_IRQCHIP)
            self._map_memory()
            self._cpu = self._file(self._call(self._machine, KvmIoctl.KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU")
            self._run = mmap.mmap(self._cpu, fcntl.ioctl(self._kvm, KvmIoctl.KVM_GET_VCPU_MMAP_SIZE))
            stack.callback(self._run.close)
            self.statistics = Statistics.of(self._cpu)
            stack.callback(self.statistics.close)
            self._stack = stack.pop_all()

    # --- building ---

    def _file(self, fd: int, what: str) -> int:
        self._stack.callback(os.close, fd)
        return fd

    def _call(self, fd: int, request: KvmIoctl, arg: int | bytes = 0) -> int:
        """One ioctl, told. Raises OSError."""
        said = _said(request, arg) if isinstance(arg, bytes) else ""
        try:
            result = fcntl.ioctl(fd, request, bytearray(arg) if isinstance(arg, bytes) else _signed(arg))
        except OSError as error:
            self._tell(request, fd, said, -1, errno.errorcode.get(error.errno or 0, str(error.errno)))
            raise
        self._tell(request, fd, said, result)
        return result

    def _tell(self, request: KvmIoctl, fd: int, said: str, result: int, code: str | None = None) -> None:
        args = [str(fd), request.name, *([said] if said else [])]
        self.recorder.emit(ev.Syscall("ioctl", args, result, code), actor="control")

    def _map_memory(self) -> None:
        for slot, region in enumerate(one for one in self.memory.regions if one.gpa + one.size <= LIMIT):
            row = kvm.MEMORY_REGION.pack(slot, 0, region.gpa, region.size, region.hva)
            self._call(self._machine, KvmIoctl.KVM_SET_USER_MEMORY_REGION, row)

    @property
    def fd(self) -> int:
        """The machine's own file, as KVM_CREATE_VM gave it."""
        return self._machine

    def call(self, request: KvmIoctl, arg: int | bytes = 0) -> int:
        """One ioctl on it, told. Raises OSError."""
        return self._call(self._machine, request, arg)

    def ioeventfd(self, fd: int, port: int, value: int | None, size: int = 2, *, on: bool = True) -> None:
        """From now on (``on`` False: no longer) an ``out`` of ``size`` bytes to ``port`` adds 1 to the eventfd in the
        kernel, and KVM_RUN does not return for it. ``value`` is what must be written, None for anything."""
        flags = KvmFlag.KVM_IOEVENTFD_FLAG_PIO | (0 if value is None else KvmFlag.KVM_IOEVENTFD_FLAG_DATAMATCH)
        flags |= 0 if on else KvmFlag.KVM_IOEVENTFD_FLAG_DEASSIGN
        self._call(self._machine, KvmIoctl.KVM_IOEVENTFD, kvm.IOEVENTFD.pack(value or 0, port, size, fd, flags))

    def irqfd(self, fd: int, line: int) -> None:
        """From now on each write to the eventfd raises that line of the interrupt controller."""
        self._call(self._machine, KvmIoctl.KVM_IRQFD, kvm.IRQFD.pack(fd, line, 0, 0))

    def load(self, program: Program) -> None:
        """Put a program into guest memory, and the processor at its beginning with all registers 0."""
        self.program = program
        self.memory.write(program.at, program.code)
        self.recorder.emit(program.told(self.memory.read(program.at, len(program.code))), actor="control")
        self._set_registers(rip=program.at, rflags=FLAGS)

    def _set_registers(self, **values: int) -> None:
        sregs = bytearray(kvm.SREGS_SIZE)
        fcntl.ioctl(self._cpu, KvmIoctl.KVM_GET_SREGS, sregs)
        for segment in range(kvm.SEGMENTS):
            at = kvm.SREGS_CS + segment * kvm.SEGMENT_SIZE
            struct.pack_into("=Q", sregs, at, 0)
            struct.pack_into("=H", sregs, at + 12, 0)
        fcntl.ioctl(self._cpu, KvmIoctl.KVM_SET_SREGS, sregs)
        regs = kvm.REGS.pack(*(values.get(name, 0) for name in kvm.REGS.fields))
        fcntl.ioctl(self._cpu, KvmIoctl.KVM_SET_REGS, bytearray(regs))
        fcntl.ioctl(self._cpu, KvmIoctl.KVM_SET_MP_STATE, struct.pack("=I", kvm.MP_STATE_RUNNABLE))

    # --- running ---

    def start(self, told: int | None = None) -> None:
        """Let the processor run, in a thread of its own, until the program writes to its ``done`` port or
        :meth:`stop`. Of the returns the first ``told`` are told one by one (None: each); all are counted. To be called
        by the main thread: a signal's handler is needed."""
        self._told_until = None if told is None else self.returns + told
        signal.signal(STOP_SIGNAL, _wake)
        self._run[1] = 0
        self._asked, self._error = False, None
        self._ended.clear()
        self._thread = threading.Thread(target=self._turn, name="vcpu", daemon=True)
        self._thread.start()

    def _turn(self) -> None:
        try:
            while self._once():
                pass
        except OSError as error:
            self._error = error
        finally:
            self._ended.set()

    def _once(self) -> bool:
        """One KVM_RUN; whether another is to follow."""
        try:
            fcntl.ioctl(self._cpu, KvmIoctl.KVM_RUN, 0)
        except InterruptedError:
            return not self._asked
        self.returns += 1
        told = self._reason()
        if self._told_until is None or self.returns <= self._told_until:
            self.recorder.emit(told, actor="control")
        self.answer(told)
        if told.reason != "IO":
            return False
        return self.program is None or told.port != self.program.done

    def _reason(self) -> ev.Exit:
        number = kvm.RUN.unpack(self._run[: kvm.RUN.size])["exit_reason"]
        if number != KvmExit.KVM_EXIT_IO:
            known = {int(fact): fact.name.removeprefix("KVM_EXIT_") for fact in KvmExit}
            return ev.Exit(known.get(number, str(number)))
        io = kvm.RUN_IO.unpack(self._run[kvm.RUN_IO_AT : kvm.RUN_IO_AT + kvm.RUN_IO.size])
        at, size = io["data_offset"], io["size"]
        return ev.Exit("IO", io["port"], size, int.from_bytes(self._run[at : at + size], "little"))

    def wait(self, seconds: float) -> None:
        """Until the program is done. Raises TimedOut, OSError."""
        if not self._ended.wait(seconds):
            raise TimedOut(f"The guest was still running after {seconds:g} seconds.")
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
        self.tell()

    def stop(self) -> None:
        """Make KVM_RUN return, wherever the guest is, and stay so: even if it waits for an interrupt."""
        if self._thread is None:
            return
        self._asked = True
        self._run[1] = 1
        while not self._ended.wait(0.01):
            signal.pthread_kill(self._thread.ident or 0, STOP_SIGNAL)
        self._thread.join()
        self._thread = None

    def tell(self, *, back: bool = False) -> None:
        """The processor as KVM tells it; only while it does not run. ``back``: the word on top of its stack too, where
        the subroutine that it is in will return to."""
        raw = bytearray(kvm.REGS.size)
        fcntl.ioctl(self._cpu, KvmIoctl.KVM_GET_REGS, raw)
        regs = kvm.REGS.unpack(bytes(raw))
        shown = {name[1:]: regs[name] & 0xFFFF for name in ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp")}
        if back:
            shown["back"] = int.from_bytes(self.memory.read(shown["sp"], 2), "little")
        found = self.statistics.read()
        cpu = ev.Cpu(regs["rip"], shown, self.returns, found.get("exits"), found.get("irq_injections"), self._halted())
        self.recorder.emit(cpu, actor="driver", source="observer")

    def _halted(self) -> bool:
        """Whether it waits in ``hlt`` for an interrupt."""
        state = bytearray(4)
        fcntl.ioctl(self._cpu, KvmIoctl.KVM_GET_MP_STATE, state)
        return int.from_bytes(state, "little") == KvmFlag.KVM_MP_STATE_HALTED

    def close(self) -> None:
        """Stop it and let go of everything."""
        self.stop()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _said(request: KvmIoctl, raw: bytes) -> str:
    """The fields of a struct in its own order, those that say nothing (0) left out; its bytes if we do not know it."""
    layout = next((one for one in kvm.LAYOUTS if one.ctype == request.struct), None)
    if layout is None:
        return raw.hex()
    told = {name: value for name, value in layout.unpack(raw).items() if value or name in ALWAYS}
    return (
        "{"
        + ", ".join(f"{name} {value:#x}" if value > 999 else f"{name} {value}" for name, value in told.items())
        + "}"
    )


ALWAYS = ("slot", "level", "guest_phys_addr")
"""Fields whose 0 says something."""


def _signed(value: int) -> int:
    """An argument as fcntl takes it: the same 32 bits as a C int."""
    return value - (1 << 32) if value >= 1 << 31 else value


def _nothing(told: ev.Exit) -> None:
    """An access to a port where no device of ours is."""


def _wake(number: int, frame: object) -> None:
    """Only so that KVM_RUN returns."""
