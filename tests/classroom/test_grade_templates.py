"""The templates for instructors work as they are printed: installed from a folder of wheels, in empty environments."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import jsonschema
import pytest

from tests.classroom.test_grade_reports import CLASSROOM50, GRADESCOPE, RESULT
from tests.install import wheels
from tests.support import ROOT, require
from tour.docsgen import listings
from tour.errors import CapabilityMissing
from tour.i18n import Lang
from tour.lesson.exercise import Variant, find, variants

TEMPLATES = ROOT / "docs" / "instructors"
HOSTILE = ("tour.py", "json.py", "venv.py", "ensurepip.py", "msgspec.py")

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("lang", get_args(Lang))
def test_the_page_shows_the_templates(lang: Lang) -> None:
    shown = listings.MARK.findall((ROOT / "docs" / lang / "instructors.md").read_text("utf-8"))
    files = [path for path in TEMPLATES.rglob("*") if path.is_file()]
    assert len(files) == 4 and sorted(shown) == sorted(str(path.relative_to(ROOT)) for path in files)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that every user may look into, as an autograder's is."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def folder(place: Path) -> Path:
    """The folder of wheels, made as the page says."""
    tree, made = wheels.copy_tree(place / "tree"), place / "wheels"

    def make() -> None:
        done = wheels.pip("wheel", "-q", "-w", str(made), str(tree))
        if done.returncode:
            raise CapabilityMissing("index", "No wheels can be had here.", done.stderr.strip()[-300:])

    require("index", make)
    return made


def run(*argv: str | Path, cwd: Path, code: int = 0, **env: str) -> str:
    """A program far from this tree."""
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "TOUR_REQUIRE")}
    done = subprocess.run(argv, cwd=cwd, env={**clean, **env}, capture_output=True, text=True, timeout=250)
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("the autograder's user is root")


def system_python() -> None:
    """Raises CapabilityMissing unless the system's own Python, which every user may run, fits the wheels."""
    code = f"import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    done = subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True, check=False)
    if done.returncode:
        raise CapabilityMissing("python", "/usr/bin/python3 is not this Python, or has no venv.")


def test_gradescope(place: Path, folder: Path) -> None:
    as_root()
    require("python", system_python)
    home = place / "autograder"
    shutil.copytree(TEMPLATES / "gradescope", home / "source")
    (home / "source" / "wheels").symlink_to(folder)
    (home / "submission").mkdir()
    env = {"AUTOGRADER": str(home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    run("bash", home / "source" / "setup.sh", cwd=home, **env)
    exercise = find("publish")
    told = {}
    for name, source in {"right": exercise.solution(), **{one.name: one.source for one in wrong()[:2]}}.items():
        (home / "submission" / exercise.file).write_text(source)
        run(home / "source" / "run_autograder", cwd=home, **env)
        told[name] = json.loads((home / "results" / "results.json").read_text())
        jsonschema.validate(told[name], GRADESCOPE)
    assert told.pop("right")["score"] == exercise.points
    assert all(one["score"] < exercise.points for one in told.values())
    (home / "submission" / exercise.file).unlink()
    run(home / "source" / "run_autograder", cwd=home, **env)
    assert json.loads((home / "results" / "results.json").read_text())["score"] == 0


def wrong() -> list[Variant]:
    return variants(find("publish"), "wrong")


def test_classroom50(place: Path, folder: Path) -> None:
    as_root()
    bundle, checkout = place / "bundle", place / "checkout"
    shutil.copytree(TEMPLATES / "classroom50", bundle)
    (bundle / "wheels").symlink_to(folder)
    checkout.mkdir()
    exercise = find("publish")
    (checkout / exercise.file).write_text(exercise.solution())
    for name in HOSTILE:
        (checkout / name).write_text("raise SystemExit(77)\n")
    run(sys.executable, bundle / "autograder.py", cwd=checkout, TMPDIR=str(place), **CLASSROOM50)
    told = json.loads((checkout / "result.json").read_text())
    jsonschema.validate(told, RESULT)
    assert (told["score"], told["max-score"]) == (exercise.points, exercise.points)


def test_any_ci(place: Path, folder: Path) -> None:
    require("namespaces")
    work, exercise = place / "ci", find("publish")
    for name, source in (("alice", exercise.solution()), ("bob", "")):
        (work / "submissions" / name).mkdir(parents=True)
        (work / "submissions" / name / exercise.file).write_text(source)
    (work / "wheels").symlink_to(folder)
    run("sh", TEMPLATES / "ci" / "grade.sh", cwd=work, code=1)
    assert {path.name for path in (work / "marks").iterdir()} >= {"junit.xml", "grades.json", "grades.csv"}
