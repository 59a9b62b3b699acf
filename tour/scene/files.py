"""Descriptors a learner offers to vhost beside the right ones: made, told and closed like everything else.

The system calls are told with the names and arguments of their manual pages, as strace shows them.
"""

from __future__ import annotations

import os
import socket

from tour.errors import errno_name
from tour.scene.nic import Nic
from tour.trace.events import Syscall
from tour.trace.recorder import here


def pipe(nic: Nic) -> int:
    """A pipe; returns the end one writes to. Both ends are closed with ``nic``."""
    read, write = os.pipe2(os.O_CLOEXEC)
    for fd in (read, write):
        nic.stack.callback(os.close, fd)
    made = Syscall("pipe2", [f"[{read}, {write}]", "O_CLOEXEC"], 0)
    nic.recorder.emit(made, actor="control", frame=here(), above="os.pipe2")
    return write


def udp_socket(nic: Nic) -> int:
    """A UDP socket, closed with ``nic``."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    nic.stack.callback(made.close)
    args = ["AF_INET", "SOCK_DGRAM|SOCK_CLOEXEC", "IPPROTO_IP"]
    nic.recorder.emit(Syscall("socket", args, made.fileno()), actor="control", frame=here(), above="socket.socket")
    return made.fileno()


def closed(nic: Nic) -> int:
    """The number of a descriptor that was open and is not any more: that of an eventfd."""
    fd = os.eventfd(0, os.EFD_CLOEXEC)
    nic.recorder.emit(Syscall("eventfd2", ["0", "EFD_CLOEXEC"], fd), actor="control", frame=here(), above="os.eventfd(")
    os.close(fd)
    nic.recorder.emit(Syscall("close", [str(fd)], 0), actor="control", frame=here(), above="os.close")
    return fd


def socket_type(nic: Nic, fd: int) -> str:
    """Ask what kind of socket ``fd`` is, as any program may; returns ``done`` or the errno's name."""
    args = [str(fd), "SOL_SOCKET", "SO_TYPE"]
    try:
        # With family and protocol given, the type is all that Python asks for: getsockopt(SO_TYPE).
        asked = socket.socket(socket.AF_UNSPEC, -1, 0, fileno=fd)
    except OSError as error:
        code = errno_name(error)
        nic.recorder.emit(Syscall("getsockopt", args, -1, code), actor="control", frame=here(), above="socket.socket")
        return code
    kind = socket.SocketKind(asked.type)
    asked.detach()
    asked_for = Syscall("getsockopt", [*args, f"[{kind.name}]"], 0)
    nic.recorder.emit(asked_for, actor="control", frame=here(), above="socket.socket")
    return "done"
