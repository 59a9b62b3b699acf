"""What a learner does becomes progress: once it may be seen, forks apart, in the background."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.agent.playing import Played, local, replayed
from tests.support import wait_until
from tour.agent.diary import Diary
from tour.lesson import progress
from tour.lesson.progress import Keeper

KERNEL = "replay 6.1.0"


def followed(played: Played, folder: Path) -> Diary:
    diary = Diary(Keeper(folder))
    diary.follow(played.player)
    played.open()
    return diary


def test_a_step_is_written_with_its_prediction(tmp_path: Path) -> None:
    played = replayed()
    diary = followed(played, tmp_path)
    played.to_prediction("frame")
    played.answer("desc")
    played.answer("none")
    diary.close()
    found = Keeper(tmp_path).read().lesson("8")
    assert found.steps == ["frame"] and found.position == "describe" and not found.completed
    answered = found.predictions["frame"]
    assert (answered.chosen, answered.right, answered.tries) == ("none", "none", 2)
    (where,) = found.ran
    assert where.startswith(KERNEL) and found.ran[where] == found.at == answered.at


def test_all_steps_are_a_lesson_completed(tmp_path: Path) -> None:
    played = replayed()
    diary = followed(played, tmp_path)
    played.to_end()
    diary.close()
    found = Keeper(tmp_path).read().lesson("8")
    assert found.completed and found.position == "" and tuple(found.steps) == played.player.lesson.step_ids
    assert found.predictions == {}, "nobody asked"


def test_a_lesson_may_be_completed_in_pieces(tmp_path: Path) -> None:
    for index in (3, 0):
        played = replayed()
        diary = Diary(Keeper(tmp_path))
        diary.follow(played.player)
        played.open(step=index)
        while not played.player.ended and not (index == 0 and played.player.index == 3):
            played.act()
            played.player.next_step()
        diary.close()
        assert bool(Keeper(tmp_path).read().lesson("8").completed) == (index == 0)


@pytest.mark.requires("embedded")
def test_forks_are_no_progress(tmp_path: Path) -> None:
    with local() as played:
        diary = followed(played, tmp_path)
        played.act()
        played.player.fork("size2")
        played.settle()
        played.to_end()
        diary.close()
    found = Keeper(tmp_path).read().lesson("8")
    assert found.steps == ["frame"] and list(found.ran)[0].startswith("embedded ")


def test_a_slow_disk_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go, begun = threading.Event(), threading.Event()
    replace = progress._replace

    def slow(path: Path, data: bytes, *, tidy: bool) -> None:
        begun.set()
        assert go.wait(20)
        replace(path, data, tidy=tidy)

    monkeypatch.setattr(progress, "_replace", slow)
    played = replayed()
    diary = followed(played, tmp_path)
    played.act()
    played.player.next_step()
    played.act()
    wait_until(begun.is_set, "the first write")
    assert diary.keeper.read().lesson("8").steps == ["frame", "describe"], "known at once"
    assert not (tmp_path / "progress.json").exists()
    go.set()
    diary.close()
    assert Keeper(tmp_path).read().lesson("8").steps == ["frame", "describe"]
