"""A learner's folder: nothing is overwritten, what is kept survives, what is broken is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tour.classroom.skeleton import skeleton
from tour.classroom.workspace import Workspace, WorkspaceError, start
from tour.lesson.exercise import find

PUBLISH = find("publish")


def test_a_start_is_a_plain_folder(tmp_path: Path) -> None:
    work = start(PUBLISH, tmp_path / "w", "zh")
    assert work.file.read_text("utf-8") == skeleton(PUBLISH, "zh")
    assert PUBLISH.text("zh", "goal") in (tmp_path / "w/README.md").read_text("utf-8")
    assert sorted(path.name for path in (tmp_path / "w").iterdir()) == [".tour", "README.md", "publish.py"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "publish.py").write_text("mine")
    with pytest.raises(WorkspaceError, match="there already"):
        start(PUBLISH, tmp_path, "en")
    assert (tmp_path / "publish.py").read_text() == "mine" and not (tmp_path / ".tour").exists()


def test_what_was_tried_is_kept(tmp_path: Path) -> None:
    work = start(PUBLISH, tmp_path, "en")
    work.note(attempts=3, hints=2)
    again = Workspace(tmp_path)
    assert again.state == work.state and (again.state.attempts, again.state.hints) == (3, 2)


def test_a_newer_state_is_read(tmp_path: Path) -> None:
    start(PUBLISH, tmp_path, "en")
    place = tmp_path / ".tour/state.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"schema": "vhost-tour/workspace/9", "new": [1]}))
    assert Workspace(tmp_path).exercise.name == "publish"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"exercise": 3}', "\x00" * 100, '{"exercise":"publish","lang":"fr","seed":1}']
)
def test_a_broken_state_is_said(text: str, tmp_path: Path) -> None:
    start(PUBLISH, tmp_path, "en")
    (tmp_path / ".tour/state.json").write_text(text)
    with pytest.raises(WorkspaceError, match="cannot be read") as error:
        Workspace(tmp_path)
    assert error.value.fix


def test_any_other_folder_is_none(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="no exercise's folder"):
        Workspace(tmp_path)


def test_beginning_anew_keeps_what_was_there(tmp_path: Path) -> None:
    work = start(PUBLISH, tmp_path, "en")
    for n, text in enumerate(("first", "second"), 1):
        work.file.write_text(text)
        work.note(attempts=5, hints=3, solved=True)
        assert work.reset() == tmp_path / f"publish.py.~{n}~"
        assert (tmp_path / f"publish.py.~{n}~").read_text() == text
        assert work.file.read_text() == skeleton(PUBLISH, "en")
        assert (work.state.attempts, work.state.hints, work.state.solved) == (0, 0, False)


def test_a_file_that_is_gone_is_no_reason_to_fail(tmp_path: Path) -> None:
    work = start(PUBLISH, tmp_path, "en")
    work.file.unlink()
    assert work.source() == "" and work.reset() is None and work.file.exists()
