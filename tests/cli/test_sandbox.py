"""``tour sandbox`` in lines: orders given on the command line or typed, kept, replayed; wrong ones refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import tour

pytestmark = pytest.mark.requires("embedded")


def test_orders_from_the_command_line_are_kept_and_replayed(tmp_path: Path) -> None:
    file = tmp_path / "sand.trace.jsonl"
    orders = "write ping 20; describe; entry; publish; doorbell kick drop; kick; doorbell kick normal; kick always"
    told, said = tour("sandbox", "--device", "embedded", "--do", orders, "-o", file)
    assert "is lost on its way" in told and "used.idx from 0 to 1" in told and str(file) in said
    again, _ = tour("replay", file, "--plain", "--lang", "zh")
    assert "第 8 步，共 8 步：kick always" in again and "重启" not in again
    picture = tmp_path / "step.svg"
    tour("replay", file, "--svg", picture, "--at", "4 publish", "--size", "80x24")
    assert "avail" in picture.read_text("utf-8")
    told, _ = tour("export", "sandbox", "--as", "strace", "--from", file)
    assert "# 8 kick always" in told
    tour("export", "sandbox", "--as", "svg", "--from", file, "-o", tmp_path / "steps")
    assert sorted(path.name for path in (tmp_path / "steps").iterdir())[-1] == "08-kick-always.svg"
    for words in (
        ("sandbox", "--as", "c", "--from", file),
        ("sandbox", "--as", "svg"),
        ("8", "--as", "c", "--from", file),
    ):
        _, said = tour("export", *words, code=2)
        assert "To mend it" in said


def test_typed_orders_help_and_what_is_no_order() -> None:
    typed = "help\nhelp publish\nhelp faults\nhelp idx-modulo\nfrob\npublish 7\ndescribe\nwrite\n\nq\nwrite\n"
    told, _ = tour("sandbox", "--plain", "--device", "embedded", "--size", "2", "--base", "65535", typed=typed)
    assert (
        "It is written: publish [tx|rx]" in told
        and "kick-equality: driver" in told
        and told.count("idx-modulo: driver") == 2
    )
    assert "There is no verb 'frob'." in told and "'7' does not fit there." in told
    assert "there is no packet yet" in told and told.count("wrote 42 bytes") == 1


def test_from_a_lesson_s_step() -> None:
    told, _ = tour("sandbox", "--from", "8:kick", "--device", "embedded", "--do", "kick; reap", "--lang", "zh")
    assert "used.idx" in told and "回收" in told


def test_from_a_lesson_that_sets_up_by_itself() -> None:
    told, _ = tour("sandbox", "--from", "14:after", "--device", "embedded", "--do", "burst 1; reap")
    assert "used.idx from 1 to 2" in told


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--size", "3"), 2), (("--base", "65536"), 2), (("--with", "magic"), 2), (("--device", "replay"), 2),
        (("--from", "4:holes"), 2), (("--from", "2"), 2), (("--do", "frob"), 2), ((), 2),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for(words: tuple[str, ...], code: int) -> None:
    _, said = tour("sandbox", *words, code=code)
    assert said.strip()


def test_a_lesson_by_hand_in_lines() -> None:
    typed = "kick\nframe\n3\nq\n"
    told, _ = tour("start", "8", "--plain", "--level", "type", "--device", "embedded", typed=typed)
    assert "Step 1 of 7: ?" in told and "belongs to step 5" in told and "Right: frame" in told
    told, _ = tour("start", "8", "--plain", "--level", "drive", "--device", "embedded", typed="1\n1\n1\nq\n")
    assert "1 call" in told and "It is: frame" in told
    tour("start", "8", "--plain", "--level", "fly", code=2)
