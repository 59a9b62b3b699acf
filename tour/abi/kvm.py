"""KVM's interface on x86-64: the ioctls, flags and structs that a guest of one real-mode processor needs.

Numbers as in linux/kvm.h and asm/kvm.h; the compiler compares them with the headers at hand (tests/abi/test_kvm.py).
"""

from __future__ import annotations

from tour.abi.layouts import Layout
from tour.abi.names import Fact, ioc

_NONE, _WRITE, _READ = 0, 1, 2
KVM_MAGIC = 0xAE
API_VERSION = 12
_KVM = "linux/kvm.h"


def _kvm(
    number: int, direction: int = _NONE, struct: str = "", size: int = 0, since: str = "2.6.22"
) -> tuple[int, str, str, str, str]:
    return ioc(direction, KVM_MAGIC, number, size), _KVM, since, "", struct


class KvmIoctl(Fact):
    """The ioctls of /dev/kvm, of a machine and of a virtual processor: the member's name is the kernel's."""

    KVM_GET_API_VERSION = _kvm(0x00)
    KVM_CREATE_VM = _kvm(0x01)
    KVM_CHECK_EXTENSION = _kvm(0x03)
    KVM_GET_VCPU_MMAP_SIZE = _kvm(0x04)
    KVM_CREATE_VCPU = _kvm(0x41)
    KVM_SET_USER_MEMORY_REGION = _kvm(0x46, _WRITE, "struct kvm_userspace_memory_region", 32, "2.6.25")
    KVM_SET_TSS_ADDR = _kvm(0x47, since="2.6.25")
    KVM_CREATE_IRQCHIP = _kvm(0x60)
    KVM_IRQ_LINE = _kvm(0x61, _WRITE, "struct kvm_irq_level", 8, "2.6.21")
    KVM_GET_IRQCHIP = _kvm(0x62, _WRITE | _READ, "struct kvm_irqchip", 520, "2.6.21")
    KVM_IRQFD = _kvm(0x76, _WRITE, "struct kvm_irqfd", 32, "2.6.32")
    KVM_IOEVENTFD = _kvm(0x79, _WRITE, "struct kvm_ioeventfd", 64, "2.6.32")
    KVM_RUN = _kvm(0x80)
    KVM_GET_REGS = _kvm(0x81, _READ, "struct kvm_regs", 144)
    KVM_SET_REGS = _kvm(0x82, _WRITE, "struct kvm_regs", 144)
    KVM_GET_SREGS = _kvm(0x83, _READ, "struct kvm_sregs", 312)
    KVM_SET_SREGS = _kvm(0x84, _WRITE, "struct kvm_sregs", 312)
    KVM_GET_MP_STATE = _kvm(0x98, _READ, "struct kvm_mp_state", 4, "2.6.26")
    KVM_SET_MP_STATE = _kvm(0x99, _WRITE, "struct kvm_mp_state", 4, "2.6.26")
    KVM_GET_STATS_FD = _kvm(0xCE, since="5.14")


class KvmExit(Fact):
    """Why KVM_RUN returned: ``exit_reason`` of struct kvm_run."""

    KVM_EXIT_IO = 2, _KVM, "2.6.20"
    KVM_EXIT_HLT = 5, _KVM, "2.6.20"
    KVM_EXIT_MMIO = 6, _KVM, "2.6.20"
    KVM_EXIT_SHUTDOWN = 8, _KVM, "2.6.20"
    KVM_EXIT_FAIL_ENTRY = 9, _KVM, "2.6.20"
    KVM_EXIT_INTR = 10, _KVM, "2.6.20"
    KVM_EXIT_INTERNAL_ERROR = 17, _KVM, "2.6.31"


class KvmFlag(Fact):
    """Flags of struct kvm_ioeventfd and struct kvm_irqfd, and the capabilities asked for before use."""

    KVM_IOEVENTFD_FLAG_DATAMATCH = 1, _KVM, "2.6.32"
    KVM_IOEVENTFD_FLAG_PIO = 2, _KVM, "2.6.32"
    KVM_IOEVENTFD_FLAG_DEASSIGN = 4, _KVM, "2.6.32"
    KVM_MP_STATE_HALTED = 3, _KVM, "2.6.26"
    KVM_CAP_IRQFD = 32, _KVM, "2.6.32"
    KVM_CAP_IOEVENTFD = 36, _KVM, "2.6.32"
    KVM_CAP_IMMEDIATE_EXIT = 136, _KVM, "4.13"
    KVM_CAP_BINARY_STATS_FD = 203, _KVM, "5.14"


MEMORY_REGION = Layout(
    "struct kvm_userspace_memory_region", _KVM, "=IIQQQ",
    ("slot", "flags", "guest_phys_addr", "memory_size", "userspace_addr"),
)  # fmt: skip
IRQFD = Layout("struct kvm_irqfd", _KVM, "=IIII16x", ("fd", "gsi", "flags", "resamplefd"))
IOEVENTFD = Layout("struct kvm_ioeventfd", _KVM, "=QQIiI36x", ("datamatch", "addr", "len", "fd", "flags"))
IRQ_LEVEL = Layout("struct kvm_irq_level", _KVM, "=II", ("irq", "level"))
IRQCHIP_SIZE = 520
PIC = Layout("struct kvm_irqchip.chip.pic", _KVM, "=8xBBB509x", ("last_irr", "irr", "imr"))
"""The first controller's state: lines that asked, lines that are masked, a bit each."""
REGS = Layout(
    "struct kvm_regs", _KVM, "=" + 18 * "Q",
    ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
     "rip", "rflags"),
)  # fmt: skip
RUN = Layout("struct kvm_run", _KVM, "=BB6xI", ("request_interrupt_window", "immediate_exit", "exit_reason"))
"""Its first fields; the rest is a union of what each reason carries, from byte 32 on."""
RUN_IO = Layout("struct kvm_run.io", _KVM, "=BBHIQ", ("direction", "size", "port", "count", "data_offset"))
RUN_IO_AT = 32
IO_OUT = 1
"""``direction`` of an ``out``."""
MP_STATE_RUNNABLE = 0
"""struct kvm_mp_state, a 32-bit word: the processor may run; it is 3 (halted) after a ``hlt``."""
SREGS_SIZE = 312
SREGS_CS = 0
"""Offset of the code segment in struct kvm_sregs; each segment takes 24 bytes, base (8) first, then limit (4) and
selector (2); es, fs, gs, ss follow ds."""
SEGMENT_SIZE = 24
SEGMENTS = 6
STATS_HEADER = Layout(
    "struct kvm_stats_header", _KVM, "=IIIIII",
    ("flags", "name_size", "num_desc", "id_offset", "desc_offset", "data_offset"),
)  # fmt: skip
STATS_DESC = Layout("struct kvm_stats_desc", _KVM, "=IhHII", ("flags", "exponent", "size", "offset", "bucket_size"))
"""The name follows, in ``name_size`` bytes."""
LAYOUTS = (MEMORY_REGION, IRQFD, IOEVENTFD, IRQ_LEVEL, STATS_HEADER)
TABLES: tuple[type[Fact], ...] = (KvmIoctl, KvmExit, KvmFlag)
