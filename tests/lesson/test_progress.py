"""Progress is never lost: not to a crash, not to a second program, not to an older one, not to a damaged file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import in_own_network, wait_until
from tour.abi import libc
from tour.i18n import Lang
from tour.lesson import progress
from tour.lesson.progress import Answered, Keeper, LessonProgress, Progress, locked, state_dir

LATER = "2026-02-02T00:00:00Z"
EARLIER = "2026-01-01T00:00:00Z"


def step(name: str, at: str = EARLIER, **more: object) -> LessonProgress:
    return LessonProgress(steps=[name], position=f"after {name}", at=at, **more)  # type: ignore[arg-type]


def kept(folder: Path, *news: LessonProgress) -> Keeper:
    keeper = Keeper(folder)
    for one in news:
        keeper.remember("8", one)
    keeper.write()
    return keeper


def raw(folder: Path) -> dict[str, object]:
    found = json.loads((folder / "progress.json").read_bytes())
    assert isinstance(found, dict)
    return found


def test_what_was_done_is_there_the_next_time(tmp_path: Path) -> None:
    one = step("frame", predictions={"frame": Answered("desc", "none", 3, EARLIER)}, ran={"kernel 6.1.0": EARLIER})
    assert kept(tmp_path / "new" / "folder", one).problem == ""
    again = Keeper(tmp_path / "new" / "folder").read()
    assert again == Progress({"8": one})
    assert raw(tmp_path / "new" / "folder")["format_version"] == 1
    assert oct((tmp_path / "new" / "folder" / "progress.json").stat().st_mode)[-3:] == "600"


def test_nothing_there_is_nothing_done(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "none")
    assert keeper.read() == Progress() and keeper.problem == "" and not (tmp_path / "none").exists()


def test_a_union_loses_nothing_and_the_later_one_holds() -> None:
    old = step("a", EARLIER, predictions={"a": Answered("x", "y", 2, EARLIER)}, ran={"embedded 6.1": EARLIER})
    new = step("b", LATER, predictions={"a": Answered("y", "y", 1, LATER)}, ran={"kernel 6.1": LATER})
    for both in (old.merged(new), new.merged(old)):
        assert set(both.steps) == {"a", "b"} and both.position == "after b" and both.at == LATER
        assert both.predictions["a"].tries == 1 and set(both.ran) == {"embedded 6.1", "kernel 6.1"}


def test_completed_stays() -> None:
    done = LessonProgress(["a"], "", EARLIER, EARLIER)
    again = LessonProgress(["a"], "b", LATER, LATER)
    assert done.merged(again).completed == again.merged(done).completed == EARLIER
    assert done.merged(step("a", LATER)).completed == EARLIER


# -- two at once ------------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from tour.lesson.progress import Keeper, LessonProgress
name, folder = sys.argv[1:]
keeper = Keeper(Path(folder))
print("ready", flush=True)
sys.stdin.readline()
for number in range(25):
    keeper.remember(name if number % 2 else "shared", LessonProgress([f"{name}{number}"], "", f"{number:02}"))
    keeper.write()
assert keeper.problem == "", keeper.problem
"""


def test_programs_at_once_lose_nothing_of_each_others(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", WRITER]
    pipe = subprocess.PIPE
    writers = [subprocess.Popen([*argv, name, str(tmp_path)], stdin=pipe, stdout=pipe) for name in ("x", "y", "z")]
    for one in writers:
        assert one.stdout is not None and one.stdout.readline() == b"ready\n"
    for one in writers:
        assert one.stdin is not None
        one.stdin.write(b"go\n")
        one.stdin.close()
    assert [one.wait(60) for one in writers] == [0, 0, 0]
    found = Keeper(tmp_path).read()
    steps = {step for lesson in found.lessons.values() for step in lesson.steps}
    assert steps == {f"{name}{number}" for name in "xyz" for number in range(25)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["progress.json", "progress.lock"]


def test_a_stopped_program_that_holds_the_lock_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    with locked(tmp_path / "progress.lock") as alone:
        assert alone
        assert kept(tmp_path, step("frame")).problem == ""
    assert Keeper(tmp_path).read().lesson("8").steps == ["frame"]


# -- a crash ----------------------------------------------------------------------------------------------

CRASH = """
import os, signal, sys
from pathlib import Path
from tour.lesson import progress
real = os.replace
def stop(*names):
    os.kill(os.getpid(), signal.SIGKILL)
os.replace = stop
keeper = progress.Keeper(Path(sys.argv[1]))
keeper.remember("8", progress.LessonProgress(["lost"], "", "2026-03-03T00:00:00Z"))
keeper.write()
"""


def test_killed_between_writing_and_renaming_the_old_file_stands(tmp_path: Path) -> None:
    kept(tmp_path, step("frame"))
    before = (tmp_path / "progress.json").read_bytes()
    ended = subprocess.run([sys.executable, "-c", CRASH, str(tmp_path)], check=False, timeout=30)
    assert ended.returncode == -signal.SIGKILL
    assert (tmp_path / "progress.json").read_bytes() == before
    assert [path for path in tmp_path.iterdir() if path.suffix == ".tmp"], "it was killed in the middle"
    assert kept(tmp_path, step("entry")).read().lesson("8").steps == ["frame", "entry"]
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"], "what it left behind is gone"


def test_all_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    real_sync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (told.append("sync"), real_sync(fd))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (told.append("replace"), real_replace(a, b))[1])
    kept(tmp_path, step("frame"))
    assert told == ["sync", "replace", "sync"]


@in_own_network
def test_a_full_disk_spoils_nothing_and_is_said() -> None:
    libc.mount("tiny", "/mnt", "tmpfs", 0, "size=16k")
    folder = Path("/mnt")
    assert kept(folder, step("frame")).problem == ""
    before = (folder / "progress.json").read_bytes()
    (folder / "fill").write_bytes(b"x" * (os.statvfs("/mnt").f_bavail * os.statvfs("/mnt").f_bsize))
    keeper = kept(folder, *(step(f"step{n}") for n in range(400)))
    assert keeper.problem == "unwritable" and "No space left" in keeper.problem_words("en")
    assert (folder / "progress.json").read_bytes() == before
    assert "step399" in keeper.read().lesson("8").steps, "this session still knows"


# -- newer, damaged, forbidden ----------------------------------------------------------------------------


def test_what_we_do_not_know_stays(tmp_path: Path) -> None:
    strange = {
        "format_version": 1, "mood": "good",
        "lessons": {
            "8": {"steps": ["frame"], "notes": [1], "predictions": {"frame": {"chosen": "a", "right": "b", "tries": 1,
                  "sure": True}}},
            "77": {"steps": ["x"], "colour": "red"},
        },
    }  # fmt: skip
    (tmp_path / "progress.json").write_text(json.dumps(strange))
    keeper = kept(tmp_path, step("entry"))
    found = raw(tmp_path)
    lessons = found["lessons"]
    assert isinstance(lessons, dict)
    assert keeper.problem == "" and found["mood"] == "good"
    assert lessons["8"]["notes"] == [1] and lessons["8"]["predictions"]["frame"]["sure"] is True
    assert lessons["8"]["steps"] == ["frame", "entry"] and lessons["77"]["colour"] == "red"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_newer_version_is_read_and_never_written(tmp_path: Path, lang: Lang) -> None:
    path = tmp_path / "progress.json"
    path.write_text('{"format_version": 2, "lessons": {"8": {"steps": ["frame"], "karma": 7}}}')
    before = path.read_bytes()
    keeper = kept(tmp_path, step("entry"))
    assert keeper.problem == "newer" and str(path) in keeper.problem_words(lang)
    assert "git pull && sh install.sh" in keeper.problem_words(lang)
    assert path.read_bytes() == before and len([p for p in tmp_path.iterdir() if "damaged" in p.name]) == 0
    assert keeper.read().lesson("8").steps == ["frame", "entry"]


def test_a_newer_version_with_other_shapes_is_left_alone_too(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    path.write_text('{"format_version": 9, "lessons": [["8", "frame"]]}')
    keeper = kept(tmp_path, step("entry"))
    assert keeper.problem == "newer" and path.read_text().startswith('{"format_version": 9')
    assert keeper.read().lesson("8").steps == ["entry"]


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"lessons": {}}', b'{"format_version": "1"}',
        b'{"format_version": 1, "lessons": {"8": {"steps": 5}}}', b'{"format_version": 1, "lessons": {"8": null}}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_damaged_file_is_put_aside_and_said(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "progress.json"
    path.write_bytes(text)
    keeper = kept(tmp_path, step("entry"))
    (aside,) = (one for one in tmp_path.iterdir() if "damaged" in one.name)
    assert aside.read_bytes() == text
    assert keeper.problem == "damaged" and aside.name in keeper.problem_words("en")
    assert Keeper(tmp_path).read().lesson("8").steps == ["entry"]


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_is_said(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("in the way")
    keeper = kept(tmp_path / place, step("frame"))
    assert keeper.problem in ("unwritable", "unreadable") and keeper.problem_words("zh")
    assert keeper.read().lesson("8").steps == ["frame"]


def test_a_file_that_may_not_be_read_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "progress.json").mkdir()
    keeper = kept(tmp_path, step("frame"))
    assert keeper.problem == "unreadable" and (tmp_path / "progress.json").is_dir()


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "progress.json").symlink_to(tmp_path / "real" / "mine.json")
    kept(tmp_path, step("frame"))
    assert (tmp_path / "progress.json").is_symlink() and (tmp_path / "real" / "mine.json").is_file()


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VHOST_TOUR_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert state_dir() == tmp_path / "vhost-tour"
    monkeypatch.setenv("VHOST_TOUR_STATE", str(tmp_path / "lab"))
    assert state_dir() == tmp_path / "lab"
    assert state_dir("~/else") == Path("~/else").expanduser()


def test_reading_waits_for_nobody(tmp_path: Path) -> None:
    """A reader in the middle of a thousand writes sees whole files only."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, "x", str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert writer.stdin is not None and writer.stdout is not None
    writer.stdout.readline()
    writer.stdin.write(b"go\n")
    writer.stdin.close()
    reader = Keeper(tmp_path)
    counts = [0]
    wait_until(lambda: counts.append(len(reader.read().lesson("x").steps)) or writer.poll() is not None, "its end", 60)
    assert reader.problem == "" and counts == sorted(counts) and reader.read().lesson("x").steps
