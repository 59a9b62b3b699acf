"""What a student's code may try, each as the body of ``attack()``, and how the attempt has to end.

``told`` is what the call then comes to: a word of the exception or of the end; 'done' where it may well succeed since
nobody is hurt.
"""

from __future__ import annotations

from typing import NamedTuple


class Attack(NamedTuple):
    """Its name, its code, and what one of these words must be in."""

    name: str
    code: str
    told: tuple[str, ...]


def syscall(name: str, number: int, *args: str) -> str:
    """A system call by its number (x86-64), past everything that Python might do first."""
    words = ", ".join((str(number), *args))
    return f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall({words})
if result == -1:
    raise OSError(ctypes.get_errno(), "{name}")
return result
"""


REFUSED = ("PermissionError", "OSError", "BlockingIOError")
ATTACKS = [
    Attack("infinite_loop", "while True: pass", ("timed out",)),
    Attack("sleep", "import time; time.sleep(3600)", ("timed out",)),
    Attack("burn_with_signals_ignored", """
import signal
for number in (signal.SIGXCPU, signal.SIGTERM, signal.SIGALRM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
while True: pass
""", ("timed out", "cpu")),
    Attack("fork_bomb", "import os\nwhile True: os.fork()", REFUSED),
    Attack("vfork", syscall("vfork", 58), REFUSED),
    Attack("clone_a_process", syscall("clone", 56, "17", "0", "0", "0", "0"), REFUSED),
    Attack("clone3", syscall("clone3", 435, "0", "0"), REFUSED),
    Attack("subprocess", "import subprocess; subprocess.run(['/bin/sh', '-c', 'id'])", (*REFUSED, "FileNotFound")),
    Attack("execve", "import os, sys; os.execv(sys.executable, ['python'])", REFUSED),
    Attack("threads", """
import threading, time
while True: threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
""", ("RuntimeError", "MemoryError")),
    Attack("a_thread_that_never_ends", """
import threading
def burn():
    while True: pass
threading.Thread(target=burn).start()
""", ("done",)),
    Attack("memory_list", "kept = []\nwhile True: kept.append(bytearray(1 << 24))", ("MemoryError",)),
    Attack("memory_map", "import mmap\nkept = []\nwhile True: kept.append(mmap.mmap(-1, 1 << 26))", REFUSED),
    Attack("memfd", "import os; os.memfd_create('x')", REFUSED),
    Attack("recursion", "def deeper(): return deeper()\ndeeper()", ("RecursionError", "signal SIGSEGV")),
    Attack("huge_output", "import sys\nfor _ in range(2000): sys.stdout.write('x' * 100000)", ("done",)),
    Attack("exit", "import os; os._exit(0)", ("exit 0",)),
    Attack("sys_exit", "import sys; sys.exit(0)", ("SystemExit",)),
    Attack("crash", "import ctypes; ctypes.string_at(0)", ("signal SIGSEGV",)),
    Attack("kill_all", "import os; os.kill(-1, 9)", ("done", "cpu", "ProcessLookup", *REFUSED)),
    Attack("kill_parent", "import os; os.kill(os.getppid(), 9)", ("done", "cpu", "ProcessLookup", *REFUSED)),
    Attack("stop_itself", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", ("timed out",)),
    Attack("core", "import os; os.abort()", ("signal SIGABRT",)),
    Attack("two_gigabytes", "open(place + '/big', 'wb').truncate(2 << 30)", REFUSED),
    Attack("write_much", "f = open(place + '/big', 'wb')\nwhile True: f.write(bytes(1 << 20))", ("OSError", "SIGXFSZ")),
    Attack("many_files", "for n in range(100000): open(f'{place}/{n}', 'w').close()", ("done", "OSError", "timed out")),
    Attack("many_descriptors", "import os\nwhile True: os.dup(0)", REFUSED),
    Attack("raise_limits", "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))",
           ("ValueError", *REFUSED)),
    Attack("socket", "import socket; socket.socket()", REFUSED),
    Attack("unix_socket", "import socket; socket.socket(socket.AF_UNIX).connect('\\0x')", REFUSED),
    Attack("ptrace", syscall("ptrace", 101, "16", "1", "0", "0"), REFUSED),
    Attack("unshare", syscall("unshare", 272, "0x10000000"), REFUSED),
    Attack("mount", syscall("mount", 165, "b'x'", "b'/'", "b'tmpfs'", "0", "0"), REFUSED),
    Attack("io_uring", syscall("io_uring_setup", 425, "8", "0"), REFUSED),
    Attack("bpf", syscall("bpf", 321, "0", "0", "0"), REFUSED),
    Attack("keyctl", syscall("keyctl", 250, "0", "-3", "1"), REFUSED),
    Attack("open_by_handle", syscall("open_by_handle_at", 304, "-100", "0", "0"), REFUSED),
    Attack("x32", syscall("x32 getpid", 0x40000000 + 39), (*REFUSED, "signal SIGSYS")),
    Attack("become_root", "import os; os.setuid(0)", REFUSED),
    Attack("monkey_patch", """
import builtins, msgspec, tour.judge.harness as harness
harness.plain = lambda value: 1
harness.Channel.send = lambda self, message: None
builtins.len = lambda value: 1
msgspec.msgpack.Encoder = None
""", ("timed out", "done")),
    Attack("garbage", "import os\nos.write(3, b'\\xff' * 1000)\nos.read(3, 100)", ("broken conversation",)),
    Attack("forged_verdict", "import os\nos.write(3, b'\\x81\\xa4done\\xc3')", ("done",)),
    Attack("closed_channel", "import os; os.close(3)", ("left", "exit", "OSError")),
    Attack("endless_name", "raise ValueError('x' * (1 << 20))", ("ValueError",)),
    Attack("lone_surrogate", "raise ValueError('\\ud800')", ("ValueError", "exit 1", "Unicode")),
]  # fmt: skip
"""Done inside a jail; ``place`` is the folder that may be written, if there is one."""

SECRETS = [
    "/etc/passwd", "/etc/hostname", "/proc/1/environ", "/proc/self/status", "/sys/kernel", "/root", "/home", "/var",
    "/dev/kvm", "/dev/net/tun", "/boot", "/usr/bin/id",
]  # fmt: skip
"""What must not be there in a full jail."""
