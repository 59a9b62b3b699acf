"""A student's code in its jail: what it sees, what it may try, what is left of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.judge.attacking import LIMITS, leftovers, run
from tests.judge.hostile import ATTACKS, SECRETS, Attack
from tests.support import ROOT, wait_until
from tour.agent.spawn import environment
from tour.errors import CapabilityMissing
from tour.judge.jail import Jail, open_jail
from tour.lesson.exercise import root

pytestmark = pytest.mark.requires("namespaces")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
HERE = Path(__file__).parent


@pytest.fixture
def solutions(tmp_path: Path) -> Path:
    """A folder that only we may open, as the exercises' must be in a container."""
    folder = tmp_path / "solutions"
    folder.mkdir(mode=0o700)
    (folder / "solution.py").write_text("secret = 1\n")
    return folder


@pytest.fixture
def jail(solutions: Path) -> Iterator[Jail]:
    with open_jail("full", LIMITS, (solutions,)) as opened:
        yield opened


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_costs_nobody_else_anything(attack: Attack, jail: Jail) -> None:
    before, mounts = set(os.listdir("/tmp")), Path("/proc/self/mounts").read_text()
    told = run(jail, attack.code, "/scratch")
    assert any(word in told for word in attack.told), told
    jail.kill()
    assert leftovers() == set()
    assert Path("/proc/self/mounts").read_text() == mounts
    assert len(jail.output()) <= LIMITS.output
    assert set(os.listdir("/tmp")) == before


@pytest.fixture(scope="module")
def contained() -> dict[str, dict[str, str]]:
    """The same attacks without namespaces, by root who lacks CAP_SYS_ADMIN."""
    argv = [sys.executable, "-m", "tests.judge.in_container"]
    done = subprocess.run(argv, capture_output=True, env=environment(None), cwd=ROOT, timeout=110, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@as_root
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_nor_without_namespaces(attack: Attack, contained: dict[str, dict[str, str]]) -> None:
    came = contained[attack.name]
    assert any(word in came["told"] for word in attack.told), came
    assert came["left"] == "" and int(came["output"]) <= LIMITS.output


@as_root
def test_a_container_is_another_user_who_cannot_read_solutions(contained: dict[str, dict[str, str]]) -> None:
    assert "PermissionError" in contained["read_solution"]["told"]
    uid, gid, groups = contained["who"]["told"].removeprefix("ValueError: ").split(" ", 2)
    assert uid == gid != "0" and groups == "[]"
    assert "chmod 700" in contained["open_solutions"]["told"]
    assert contained["full"]["told"] == "namespaces", "never anything weaker than was asked for"


@pytest.mark.parametrize("path", SECRETS)
def test_nothing_of_the_system_is_there(path: str, solutions: Path) -> None:
    with open_jail("full", LIMITS, (solutions,)) as jail:
        told = run(jail, f"import os\nassert not os.path.lexists({path!r}) or os.listdir({path!r}) == []", "")
        inner = any(str(shown).startswith(f"{path}/") for shown in (sys.prefix, sys.base_prefix, str(ROOT)))
        assert told == "done" or (inner and told.startswith("AssertionError")), told


def test_the_python_and_the_package_are_there_and_read_only() -> None:
    inner = Path(sys.prefix).relative_to(ROOT).parts[:1] if Path(sys.prefix).is_relative_to(ROOT) else ()
    code = f"""
import os, tour, msgspec, json, random, hashlib, dataclasses, enum, struct, collections, itertools, typing
from tour.virtqueue.ring import Desc, Ring
assert sorted(os.listdir({str(ROOT)!r})) == {sorted(["tour", *inner])!r}, os.listdir({str(ROOT)!r})
packages = os.path.dirname(os.path.dirname(msgspec.__file__))
assert not os.path.lexists(packages + '/pytest') and not os.path.lexists(packages + '/textual'), os.listdir(packages)
assert os.getuid() == 65534 and os.getpid() != 1
for path in (tour.__file__, json.__file__, '/new', {str(ROOT)!r} + '/new'):
    try:
        open(path, 'a')
    except OSError:
        continue
    raise AssertionError(path)
"""
    with open_jail("full", LIMITS, (root(),)) as jail:
        assert run(jail, code, "") == "done"


@as_root
def test_an_ordinary_user_has_a_full_jail_but_no_other() -> None:
    code = (
        "from tour.judge.jail import open_jail\nfrom tour.judge.limits import Limits\n"
        "from tour.errors import CapabilityMissing\n"
        "with open_jail('full', Limits()) as jail: print(*jail.layers)\n"
        "try: open_jail('container', Limits())\nexcept CapabilityMissing as error: print(error.name)\n"
    )
    argv = [sys.executable, str(ROOT / "tests/agent/as_nobody.py"), sys.executable, "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, env=environment(None), cwd="/", timeout=60)
    assert done.stdout.splitlines()[1:] == ["isolation"], done.stderr
    assert "seccomp" in done.stdout and "user" in done.stdout


def test_the_judges_death_ends_the_jail() -> None:
    code = (
        "import time\nfrom tour.judge.jail import open_jail\nfrom tour.judge.limits import Limits\n"
        "jail = open_jail('full', Limits())\nprint('open', flush=True)\ntime.sleep(600)\n"
    )
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment(None)) as judge:
        assert judge.stdout and judge.stdout.readline() == b"open\n" and leftovers()
        judge.kill()
    wait_until(lambda: not leftovers(), "the jail's end")


def test_where_namespaces_are_refused_full_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tour.judge.jail.spawn", refuse)
    with pytest.raises(CapabilityMissing, match="namespaces"):
        open_jail("full", LIMITS)


def refuse(*args: object, **words: object) -> None:
    raise CapabilityMissing("namespaces", "This system did not allow namespaces of our own.")
