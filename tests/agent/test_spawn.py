from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.support import ROOT, alive, children, kill, members, namespace_of, require, wait_until
from tour.abi.namespaces import namespace_fix
from tour.agent import spawn as spawning
from tour.agent.spawn import refusal, spawn
from tour.errors import AgentLost, CapabilityMissing, TimedOut

HERE = Path(__file__).parent
VICTIMS = ("front end", "helper", "init", "agent")
ROUNDS = 10
KINDS = ("pid", "net", "mnt", "user")


@dataclass
class Family:
    """A front end of the tests with its helper, init and agent, as seen from here."""

    front: subprocess.Popen[str]
    helper: int
    init: int
    layers: list[str]
    refused: str
    words: str

    def read(self) -> list[str]:
        assert self.front.stdout
        return self.front.stdout.readline().rstrip("\n").split("\t")

    def agent(self) -> int:
        return int(wait_until(lambda: children(self.init), "the agent")[0])

    def everybody(self) -> list[int]:
        return [self.helper, *members(namespace_of(self.init, "pid"))]

    def pid_of(self, who: str) -> int:
        return {"front end": self.front.pid, "helper": self.helper, "init": self.init}.get(who) or self.agent()


def nobody_python() -> str:
    """An interpreter that an ordinary user can run."""
    for python in (sys.executable, "/usr/bin/python3"):
        test = [sys.executable, str(HERE / "as_nobody.py"), python, "-c", "import tomllib"]
        if subprocess.run(test, env=with_path(), capture_output=True, check=False).returncode == 0:
            return python
    pytest.skip("no Python of this machine can be run by uid 65534")


def with_path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@contextmanager
def family(degrade: str = "no", prefix: tuple[str, ...] = (), thread: str = "main") -> Iterator[Family]:
    python = nobody_python() if prefix else sys.executable
    argv = [*prefix, python, str(HERE / "frontend.py"), degrade, thread]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=with_path()) as front:
        try:
            found = Family(front, 0, 0, [], "", "")
            word, *rest = found.read()
            if word != "pids":
                found.words = "\t".join([word, *rest])
            else:
                found.helper, found.init, found.layers = int(rest[0]), int(rest[1]), rest[2].split(",")
                found.refused = rest[3]
                found.words = found.read()[1]
            yield found
        finally:
            front.kill()


AS_NOBODY = (sys.executable, str(HERE / "as_nobody.py"))
AS_WEAK_ROOT = (*AS_NOBODY, "--weak-root")
AS_FORBIDDEN = (*AS_NOBODY, "--forbid")


def end_of(victim: str, prefix: tuple[str, ...]) -> None:
    """Kill one of the family; all others but a living front end must go, and their namespaces with them."""
    with family(prefix=prefix) as group:
        assert group.words.startswith("tap uid 0"), group.words
        assert {"net", "mount", "pid"} <= set(group.layers)
        everybody = group.everybody()
        assert len(everybody) == 4, "helper, init, agent, the agent's daemon"
        spaces = {kind: namespace_of(group.init, kind) for kind in KINDS}
        ours = {kind: namespace_of(os.getpid(), kind) for kind in KINDS}
        kill(group.pid_of(victim))
        if victim != "front end":
            reason = group.read()
            assert reason[0] == "end"
            assert "9 (SIGKILL)" in reason[1]
            assert {"agent": "program"}.get(victim, victim) in reason[1]
            assert group.front.wait(10) == 0
        wait_until(lambda: not any(alive(pid) for pid in everybody), "the end of all")
        for kind, name in spaces.items():
            if name != ours[kind]:
                wait_until(partial(nobody_in, name, kind), f"the end of the {kind} namespace")


def nobody_in(namespace: str, kind: str) -> bool:
    return not members(namespace, kind)


@pytest.mark.requires("tun")
@pytest.mark.parametrize("victim", VICTIMS)
def test_no_death_leaves_anything(victim: str) -> None:
    for _ in range(ROUNDS):
        end_of(victim, ())


@pytest.mark.requires("tun")
def test_end_of_file_alone_tells_of_the_front_ends_death() -> None:
    with family(thread="other") as group:
        everybody = group.everybody()
        kill(group.front.pid)
        wait_until(lambda: not any(map(alive, everybody)), "the end of all")


@pytest.mark.requires("tun")
@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
@pytest.mark.parametrize("victim", VICTIMS)
def test_no_death_leaves_anything_as_an_ordinary_user(victim: str) -> None:
    for _ in range(ROUNDS):
        end_of(victim, AS_NOBODY)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
def test_an_ordinary_user_gets_a_user_namespace() -> None:
    require("tun")
    with family(prefix=AS_NOBODY) as group:
        assert group.layers[:4] == ["user", "net", "mount", "pid"]
        assert "noipv6" in group.layers


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become a weaker one")
def test_root_without_its_capability_gets_a_user_namespace_too() -> None:
    require("tun")
    with family(prefix=AS_WEAK_ROOT) as group:
        assert group.layers[:4] == ["user", "net", "mount", "pid"]
        assert group.refused == ""
        assert group.words.startswith("tap uid 0")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to lock an ordinary user down")
def test_forbidden_namespaces_are_explained() -> None:
    with family(prefix=AS_FORBIDDEN) as group:
        word, name, why, fix = group.words.split("\t")
    assert (word, name) == ("missing", "namespaces")
    assert "ENOSPC" in why
    assert fix == "sudo sysctl -w user.max_user_namespaces=15000"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to lock an ordinary user down")
@pytest.mark.parametrize("victim", VICTIMS)
def test_without_namespaces_the_processes_still_end(victim: str) -> None:
    with family(degrade="yes", prefix=AS_FORBIDDEN) as group:
        assert group.layers == [""]
        assert "unshare:ENOSPC" in group.refused
        assert group.words.startswith("no network")
        agent = group.agent()
        daemons = [pid for pid in children(group.init) if pid != agent]
        kill(group.pid_of(victim))
        wait_until(lambda: not any(map(alive, (group.helper, group.init, agent))), "the end of all")
        # only a pid namespace, or an init that lives to sweep, ends what has left the agent's tree
        if victim != "init":
            wait_until(lambda: not any(map(alive, daemons)), "the end of the daemon")
        for pid in filter(alive, daemons):
            kill(pid)


def test_the_stream_is_descriptors_0_and_1() -> None:
    require("namespaces")
    with spawn(["cat"]) as process:
        data = bytes(range(256)) * 40
        process.stream.sendall(data)
        process.stream.shutdown(1)
        got = b""
        while part := process.stream.recv(65536):
            got += part
        assert got == data
        assert process.wait(10) == 0
        assert process.reason() == "The program exited with code 0."


def test_exit_code_and_last_words() -> None:
    require("namespaces")
    with spawn(["sh", "-c", "echo out of order >&2; exit 7"]) as process:
        assert process.wait(10) == 7
        assert process.reason() == "The program exited with code 7."
        assert process.stderr_tail() == "out of order\n"
        assert "out of order" in str(process.lost())


def test_a_flood_of_words_neither_blocks_nor_piles_up() -> None:
    require("namespaces")
    with spawn(["sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' x >&2; echo last >&2"]) as process:
        assert process.wait(20) == 0
        tail = process.stderr_tail()
    assert tail.endswith("last\n")
    assert len(tail) <= spawning.TAIL


def test_the_program_is_number_2_and_sees_only_its_own() -> None:
    require("namespaces")
    with spawn(["sh", "-c", "echo $$; ls -d /proc/[0-9]*; cat /proc/sys/net/ipv6/conf/all/disable_ipv6"]) as process:
        assert process.wait(10) == 0
        words = process.stream.recv(4096).decode().split()
    assert words[0] == "2"
    assert set(words[1:-1]) <= {"/proc/1", "/proc/2", "/proc/3"}
    assert words[-1] == "1" or "noipv6" not in process.layers


@pytest.mark.parametrize("isolate", ["pid", "none"])
def test_without_a_network_of_its_own(isolate: str) -> None:
    require("namespaces")
    argv = ["sh", "-c", "readlink /proc/self/ns/net; id -u; echo $VHOST_TOUR_LAYERS; cat"]
    with spawn(argv, isolate=isolate) as process:  # type: ignore[arg-type]
        lines = process.stream.makefile().readline
        assert lines().strip() == namespace_of(os.getpid(), "net")
        assert int(lines()) == os.geteuid()
        assert ("pid" in lines()) == (isolate == "pid")


@pytest.mark.parametrize("isolate", ["full", "pid", "none"])
def test_kill_is_thorough_and_may_be_repeated(isolate: str) -> None:
    require("namespaces")
    with spawn(["sh", "-c", "setsid sleep 1000 & echo up; wait"], isolate=isolate) as process:  # type: ignore[arg-type]
        assert process.stream.recv(10) == b"up\n"
        below = [pid for child in children(process.init_pid) for pid in (child, *children(child))]
        assert len(below) == 2
        process.kill()
        process.kill()
        assert not any(map(alive, below))


def test_descriptors_belong_to_the_program_alone() -> None:
    require("namespaces")
    read, write = os.pipe()
    code = f"import os, signal; os.write({write}, b'hello'); os.closerange(0, {write + 1}); signal.pause()"
    with spawn([sys.executable, "-c", code], pass_fds=[write]) as process:
        os.close(write)
        assert os.read(read, 100) == b"hello"
        for fd in (read, process.stream.fileno()):
            assert select.select([fd], [], [], 10)[0], "end of file although helper, init and program live"
            assert os.read(fd, 100) == b""
        assert process.running()
    os.close(read)


def test_from_a_thread_that_ends_the_program_lives_on() -> None:
    require("namespaces")
    made: list[spawning.AgentProcess] = []
    thread = threading.Thread(target=lambda: made.append(spawn(["cat"])))
    thread.start()
    thread.join()
    with made[0] as process:
        process.stream.sendall(b"still here")
        assert process.stream.recv(100) == b"still here"
        assert process.running()


def test_wait_has_a_bound() -> None:
    require("namespaces")
    with spawn(["cat"]) as process, pytest.raises(TimedOut):
        process.wait(0.05)


def test_a_program_that_is_not_there() -> None:
    require("namespaces")
    with pytest.raises(AgentLost, match="could not be executed"):
        spawn(["/no/such/program"])


def test_descriptors_are_all_closed() -> None:
    require("namespaces")
    before = sorted(os.listdir("/proc/self/fd"))
    for _ in range(3):
        spawn(["true"]).close()
        with pytest.raises(AgentLost):
            spawn(["/no/such/program"])
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_terminal_signals_do_not_reach_the_program() -> None:
    require("namespaces")
    with spawn(["cat"]) as process:
        assert os.getsid(process.pid) != os.getsid(0)


def test_a_helper_that_stops_answering_is_killed() -> None:
    require("namespaces")
    with spawn(["cat"]) as process:
        os.kill(process.pid, signal.SIGSTOP)
        process.kill()
        assert not alive(process.init_pid)


def test_refusals_name_the_command(tmp_path: Path) -> None:
    switch = tmp_path / "switch"
    switch.write_text("1\n")
    assert namespace_fix([(str(switch), "1", "do this")]) == "do this"
    assert "do this" not in namespace_fix([(str(switch), "0", "do this"), (str(tmp_path / "no"), "1", "do this")])
    error = refusal("uid_map", "EPERM")
    assert isinstance(error, CapabilityMissing)
    assert error.name == "namespaces"
    assert error.exit_code == 3
    assert "uid_map says EPERM" in str(error)


def test_importing_it_is_light() -> None:
    heavy = "{'msgspec', 'pyroute2', 'cffi', 'asyncio', 'textual'}"
    code = f"import sys, tour.agent.spawn; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], env=with_path(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
