"""A system call filter for code that may compute, and little else: seccomp(2) by prctl, without a library.

What is denied fails with EPERM (clone3 with ENOSYS, so that libc falls back to clone, which is seen into). Numbers:
arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h; tests hold them against the headers.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from tour.abi.libc import PR_SET_NO_NEW_PRIVS, prctl

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
RET_KILL, RET_ERRNO, RET_ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
LD_ABS, JEQ, JGE, JSET, RET = 0x20, 0x15, 0x35, 0x45, 0x06
AT_NR, AT_ARCH, AT_ARG0 = 0, 4, 16
"""struct seccomp_data (linux/seccomp.h), little-endian: the low half of the first argument lies first."""
X32 = 0x40000000
CLONE_THREAD = 0x00010000

ARCHES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""uname's word: AUDIT_ARCH_* (linux/audit.h), column in DENIED."""

DENIED: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "kcmp": (312, 272), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429),
    "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "fanotify_init": (300, 262), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "acct": (163, 89), "swapon": (167, 224),
    "swapoff": (168, 225), "reboot": (169, 142), "sethostname": (170, 161), "setdomainname": (171, 162),
    "quotactl": (179, 60), "personality": (135, 92),
}  # fmt: skip
CLONE, CLONE3 = (56, 220), (435, 435)


class _Program(ctypes.Structure):
    """struct sock_fprog (linux/filter.h)."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def program(machine: str) -> bytes:
    """The filter as struct sock_filter[] for uname's ``machine``. Raises OSError(ENOSYS) for one we do not know."""
    if machine not in ARCHES:
        raise OSError(errno.ENOSYS, f"no system call filter for {machine}")
    arch, column = ARCHES[machine]
    numbers = [pair[column] for pair in DENIED.values() if pair[column] is not None]
    body: list[tuple[int, str, str, int]] = [
        (LD_ABS, "", "", AT_ARCH), (JEQ, "", "kill", arch), (LD_ABS, "", "", AT_NR), (JGE, "deny", "", X32),
        *((JEQ, "deny", "", number) for number in numbers if number is not None),
        (JEQ, "nosys", "", CLONE3[column]), (JEQ, "", "allow", CLONE[column]), (LD_ABS, "", "", AT_ARG0),
        (JSET, "allow", "deny", CLONE_THREAD),
    ]  # fmt: skip
    ends = {"allow": RET_ALLOW, "deny": RET_ERRNO | errno.EPERM, "nosys": RET_ERRNO | errno.ENOSYS, "kill": RET_KILL}
    places = {name: len(body) + at for at, name in enumerate(ends)}

    def offset(at: int, label: str) -> int:
        return places[label] - at - 1 if label else 0

    code = [struct.pack("<HBBI", op, offset(at, yes), offset(at, no), k) for at, (op, yes, no, k) in enumerate(body)]
    return b"".join([*code, *(struct.pack("<HBBI", RET, 0, 0, value) for value in ends.values())])


def install() -> None:
    """Put it on this process, for good, with no_new_privs. Call it with one thread running. Raises OSError."""
    code = program(os.uname().machine)
    kept = ctypes.create_string_buffer(code, len(code))
    wanted = _Program(len(code) // 8, ctypes.addressof(kept))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    call = ctypes.CDLL(None, use_errno=True).prctl
    if call(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(wanted), ctypes.c_ulong(0)):
        raise OSError(ctypes.get_errno(), "seccomp")
