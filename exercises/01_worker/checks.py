"""What must hold of find_workers()."""

from typing import NamedTuple

from tour.judge.bench import Bench


class Task(NamedTuple):
    """One thread of the machine."""

    name: str
    tgid: int
    pid: int
    ppid: int


class Machine:
    """A machine's tasks: kthreadd and its children, and processes; ``numbers`` are those still free."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.numbers = bench.random.sample(range(10000, 30000), 400)
        self.tasks = [Task("systemd", 1, 1, 0), Task("kthreadd", 2, 2, 0)]
        for name in ("rcu_sched", "kworker/0:1-events", "ksoftirqd/0"):
            self.kernel(name)
        self.process("bash")

    def kernel(self, name: str) -> int:
        """A kernel thread."""
        return self._new(Task(name, pid := self.numbers.pop(), pid, 2))

    def process(self, name: str, pid: int = 0, parent: int = 1) -> int:
        """A process with one thread."""
        return self._new(Task(name, pid := pid or self.numbers.pop(), pid, parent))

    def thread(self, process: int, name: str) -> int:
        """One more thread of it."""
        return self._new(Task(name, process, self.numbers.pop(), 1))

    def _new(self, task: Task) -> int:
        self.tasks.append(task)
        return task.pid

    def qemu(self, pid: int = 0) -> int:
        """A QEMU with threads as it has them."""
        pid = self.process("qemu-system-x86", pid)
        self.thread(pid, "CPU 0/KVM")
        self.thread(pid, "call_rcu")
        self.process("bridge-helper", parent=pid)
        return pid

    def worker(self, owner: int, old: bool, caller: int = 0) -> int:
        """A worker of it, in the shape of a kernel up to 6.3 (``old``) or from 6.4 on."""
        name = f"vhost-{caller or owner}"
        return self.kernel(name) if old else self.thread(owner, name)

    def tell(self) -> list[str]:
        """All status files, in no order."""
        self.bench.random.shuffle(self.tasks)
        return [_status(task) for task in self.tasks]


Owners = dict[int, list[int]]


def kthread(bench: Bench) -> None:
    """Two QEMUs on an old kernel."""
    _shape(bench, old=True)


def thread(bench: Bench) -> None:
    """Two QEMUs on a new one."""
    _shape(bench, old=False)


def others(bench: Bench) -> None:
    """The same names elsewhere, and nearly the same."""
    for old in (True, False):
        machine = Machine(bench)
        short = machine.qemu(bench.random.randrange(300, 900))
        owner = machine.qemu()
        longer = machine.qemu(short * 10 + bench.random.randrange(10))
        right = {one: [machine.worker(one, old)] for one in (longer, short, owner)}
        machine.process(f"vhost-{owner}")
        machine.thread(machine.process("stress"), f"vhost-{owner}")
        machine.kernel(f"kvm-pit/{owner}")
        machine.thread(owner, f"vhost-{owner}:io")
        machine.thread(owner, "vhost: PPid: 2")
        machine.thread(owner, "vhost-evt")
        _ask(bench, machine, right)


def caller(bench: Bench) -> None:
    """Another thread called SET_OWNER; the main thread of another process has its worker too."""
    for old in (True, False):
        machine = Machine(bench)
        owner, other = machine.qemu(), machine.qemu()
        asked = machine.thread(owner, "control")
        _ask(bench, machine, {owner: [machine.worker(owner, old, asked)], other: [machine.worker(other, old)]})


def several(bench: Bench) -> None:
    """Four queue pairs, one, none."""
    for old in (True, False) * 3:
        machine = Machine(bench)
        many, one, none = machine.qemu(), machine.qemu(), machine.qemu()
        right = {many: [machine.worker(many, old) for _ in range(4)], one: [machine.worker(one, old)], none: []}
        _ask(bench, machine, right)


def mixed(bench: Bench) -> None:
    """Both shapes side by side, as Debian's 6.12 may have them."""
    for _ in range(4):
        machine = Machine(bench)
        right: dict[int, list[int]] = {}
        for _ in range(bench.random.randrange(2, 5)):
            owner = machine.qemu()
            callers = [owner, machine.thread(owner, "worker")]
            shapes = [bench.pick([True, False]) for _ in range(bench.random.randrange(4))]
            right[owner] = [machine.worker(owner, old, bench.pick(callers)) for old in shapes]
            machine.process(f"vhost-{owner}")
        _ask(bench, machine, right)


def _shape(bench: Bench, old: bool) -> None:
    """Machines of both shapes are asked, those of one judged: what is found on the other tells mistakes apart."""
    answers = []
    for shape in (True, False) * 2:
        machine = Machine(bench)
        owners = [machine.qemu(), machine.qemu()]
        right = {owner: [machine.worker(owner, shape)] for owner in owners}
        answers.append((shape, right, _asked(bench, machine, right)))
    for shape, right, told in answers:
        if shape == old:
            _judge(bench, right, told)


def _ask(bench: Bench, machine: Machine, right: Owners) -> None:
    """All owners are asked for before one is judged."""
    _judge(bench, right, _asked(bench, machine, right))


def _asked(bench: Bench, machine: Machine, right: Owners) -> list[object]:
    told = machine.tell()
    return [bench.call("find_workers", told, owner) for owner in right]


def _judge(bench: Bench, right: Owners, answers: list[object]) -> None:
    for (owner, workers), answer in zip(right.items(), answers, strict=True):
        bench.equal(f"the workers of {owner}", sorted(workers), answer)


def _status(task: Task) -> str:
    """The first lines of /proc/TGID/task/PID/status."""
    return (
        f"Name:\t{task.name}\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t{task.tgid}\nNgid:\t0\n"
        f"Pid:\t{task.pid}\nPPid:\t{task.ppid}\n"
    )
