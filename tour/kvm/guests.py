"""The guests there are: two that only kick, and one that is a whole driver of a transmit queue."""

from __future__ import annotations

from typing import NamedTuple

from tour.kvm.program import Jump, Label, Line, Program, assemble, low_high

CODE_AT = 0x7000
"""Where a guest's program lies; its stack grows down from there."""
NOTIFY_PORT = 0x510
"""What a legacy virtio PCI device has at VIRTIO_PCI_QUEUE_NOTIFY (16) of its port range [virtio v1.3 4.1.4.10]: here
the range begins at 0x500."""
DONE_PORT = 0x5F0
"""Nothing listens here: KVM_RUN returns, and the program is at its end."""
NOTIFIER_AT = 0x700
"""Where a program without a stack lies: below the rings, above the vectors."""
NO_PORT = -1
"""A program that never says it is done."""
IRQ_LINE = 5
VECTOR = 0x20 + IRQ_LINE
PIC_COMMAND, PIC_DATA = 0x20, 0x21
FLAG_AT, LAST_USED_AT, FENCE_AT, INTERRUPTS_AT = 0x6000, 0x6002, 0x6004, 0x6006
"""Words of the driver's own: the handler ran; last_used_idx; for the locked instruction; interrupts taken."""
TX = 1


class RingPlaces(NamedTuple):
    """GPAs below 64 KiB of a transmit queue with ``num`` slots, and of the packet that is sent, header included."""

    num: int
    desc: int
    avail: int
    used: int
    buffer: int
    length: int


def kicker(times: int) -> Program:
    """Writes the queue's number to the notify port so often, and is done."""
    return assemble("kicker", CODE_AT, DONE_PORT, (
        Line("b9" + low_high(times), f"mov cx,{times:#x}", "@count"),
        Line("ba" + low_high(NOTIFY_PORT), f"mov dx,{NOTIFY_PORT:#x}", "@port"),
        Line("b8" + low_high(TX), f"mov ax,{TX:#x}", "@queue"),
        Label("again"),
        Line("ef", "out dx,ax", "@kick"),
        Jump("e2", "loop", "again", "@again"),
        *_done(),
    ))  # fmt: skip


def notifier(times: int, value: int) -> Program:
    """Writes ``value`` to the notify port so often, then sleeps for good: interrupts stay off."""
    return assemble("notifier", NOTIFIER_AT, NO_PORT, (
        Line("fa", "cli", "@off"),
        Line("b9" + low_high(times), f"mov cx,{times:#x}", "@count"),
        Line("ba" + low_high(NOTIFY_PORT), f"mov dx,{NOTIFY_PORT:#x}", "@port"),
        Line("b8" + low_high(value), f"mov ax,{value:#x}", "@queue"),
        Label("again"),
        Line("ef", "out dx,ax", "@out"),
        Jump("e2", "loop", "again", "@again"),
        Line("f4", "hlt", "@halt"),
    ))  # fmt: skip


def driver(ring: RingPlaces, times: int) -> Program:
    """A driver of a transmit queue: sends the same packet so often, each time after the one before came back.

    Between publishing and reading used.flags stands a locked instruction, a full fence on x86: without it the store may
    still be in the store buffer when the flag is read [virtio v1.3 2.7.13.4.1]. It looks at used.idx with interrupts
    off and waits by ``sti; hlt``: ``sti`` takes effect after the next instruction, so no interrupt falls between.
    """
    body = (*_describe(ring), *_publish(ring), *_wait(ring), *_done())
    handler_at = CODE_AT + sum(_size(part) for part in (*_begin(times, 0), *body))
    parts = (*_begin(times, handler_at), Label("next"), *body, *_handler())
    return assemble("driver", CODE_AT, DONE_PORT, parts)


def _size(part: Line | Jump | Label) -> int:
    return 0 if isinstance(part, Label) else 2 if isinstance(part, Jump) else len(part.code) // 2


def _begin(times: int, handler: int) -> tuple[Line, ...]:
    """Segments, a stack, the interrupt controller: vectors from 0x20, only our line open; our handler's address."""
    return (
        Line("fa", "cli"), Line("31c0", "xor ax,ax"), Line("8ed8", "mov ds,ax"), Line("8ed0", "mov ss,ax"),
        Line("bc" + low_high(CODE_AT), f"mov sp,{CODE_AT:#x}"),
        *_out(PIC_COMMAND, 0x11, "@pic"), *_out(PIC_DATA, 0x20, "@vectors"), *_out(PIC_DATA, 1 << 2),
        *_out(PIC_DATA, 1), *_out(PIC_DATA, 0xFF & ~(1 << IRQ_LINE), "@mask"),
        _put(4 * VECTOR, handler, "@handler"), _put(4 * VECTOR + 2, 0),
        Line("b9" + low_high(times), f"mov cx,{times:#x}", "@count"),
    )  # fmt: skip


def _describe(ring: RingPlaces) -> tuple[Line | Jump | Label, ...]:
    """desc[0] and the next available entry, which names it."""
    return (
        _put(ring.desc, ring.buffer & 0xFFFF, "@desc"), _put(ring.desc + 2, ring.buffer >> 16),
        _put(ring.desc + 8, ring.length, "@len"), _put(ring.desc + 12, 0),
        Line("a1" + low_high(ring.avail + 2), f"mov ax,ds:{ring.avail + 2:#x}", "@avail_idx"),
        Line("89c3", "mov bx,ax"),
        Line("81e3" + low_high(ring.num - 1), f"and bx,{ring.num - 1:#x}"), Line("d1e3", "shl bx,1"),
        Line("c787" + low_high(ring.avail + 4) + "0000", f"mov WORD PTR [bx+{ring.avail + 4:#x}],0x0", "@entry"),
    )  # fmt: skip


def _publish(ring: RingPlaces) -> tuple[Line | Jump | Label, ...]:
    """avail.idx, the fence, the question whether a kick is wanted, the kick."""
    return (
        Line("ff06" + low_high(ring.avail + 2), f"inc WORD PTR ds:{ring.avail + 2:#x}", "@publish"),
        Line("f08306" + low_high(FENCE_AT) + "00", f"lock add WORD PTR ds:{FENCE_AT:#x},0x0", "@fence"),
        Line("f706" + low_high(ring.used) + "0100", f"test WORD PTR ds:{ring.used:#x},0x1", "@wanted"),
        Jump("75", "jne", "wait"),
        Line("ba" + low_high(NOTIFY_PORT), f"mov dx,{NOTIFY_PORT:#x}", "@port"),
        Line("b8" + low_high(TX), f"mov ax,{TX:#x}", "@queue"), Line("ef", "out dx,ax", "@kick"),
    )  # fmt: skip


def _wait(ring: RingPlaces) -> tuple[Line | Jump | Label, ...]:
    """Until used.idx has moved; then the entry is taken back, and the next packet is due."""
    return (
        Label("wait"), Line("fa", "cli"),
        Line("a1" + low_high(ring.used + 2), f"mov ax,ds:{ring.used + 2:#x}", "@used_idx"),
        Line("3b06" + low_high(LAST_USED_AT), f"cmp ax,WORD PTR ds:{LAST_USED_AT:#x}"),
        Jump("75", "jne", "reap"), Line("fb", "sti", "@sleep"), Line("f4", "hlt"), Jump("eb", "jmp", "wait"),
        Label("reap"), Line("ff06" + low_high(LAST_USED_AT), f"inc WORD PTR ds:{LAST_USED_AT:#x}", "@reap"),
        Line("49", "dec cx"), Jump("75", "jne", "next"),
    )  # fmt: skip


def _handler() -> tuple[Line, ...]:
    """The interrupt: noted, and acknowledged at the interrupt controller."""
    return (
        Line("50", "push ax"), Line("c606" + low_high(FLAG_AT) + "01", f"mov BYTE PTR ds:{FLAG_AT:#x},0x1", "@noted"),
        Line("ff06" + low_high(INTERRUPTS_AT), f"inc WORD PTR ds:{INTERRUPTS_AT:#x}"),
        *_out(PIC_COMMAND, 0x20, "@eoi"), Line("58", "pop ax"), Line("cf", "iret"),
    )  # fmt: skip


def _done() -> tuple[Line, ...]:
    """Tell that it is over; nobody goes on from there."""
    return (
        Line("ba" + low_high(DONE_PORT), f"mov dx,{DONE_PORT:#x}", "@done"), Line("ee", "out dx,al"), Line("fa", "cli"),
        Line("f4", "hlt"),
    )  # fmt: skip


def _put(gpa: int, value: int, word: str = "") -> Line:
    """A word of memory set."""
    return Line("c706" + low_high(gpa) + low_high(value), f"mov WORD PTR ds:{gpa:#x},{value:#x}", word)


def _out(port: int, value: int, word: str = "") -> tuple[Line, Line]:
    """A byte to a low port."""
    return Line(f"b0{value:02x}", f"mov al,{value:#x}", word), Line(f"e6{port:02x}", f"out {port:#x},al")
