"""What is left on a real terminal when the screen is gone."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.bench.terminal import Terminal, plain
from tour.i18n import t
from tour.tui.leaving import crash_words

PLAY = """
import sys
from tests.tui.scripted import ScriptedPlayer
from tour.tui.app import run_tui
from tour.tui.options import options
class Breaking(ScriptedPlayer):
    def enter(self):
        raise RuntimeError("a secret detail")
sys.exit(run_tui(Breaking(), options(glyphs="unicode")))
"""


def play(key: bytes, env: dict[str, str] | None = None) -> tuple[bytes, int]:
    """Everything the program wrote until ``key`` ended it, and its exit code."""
    terminal = Terminal([sys.executable, "-c", PLAY], 80, 24, env)
    try:
        terminal.until(lambda seen: "First packet out" in plain(seen))
        terminal.quiet(0.2)
        code = terminal.leave(key)
        return terminal.seen, code
    finally:
        terminal.close()


@pytest.mark.parametrize(("key", "wanted"), [(b"q", 0), (b"\x11", 0), (b"\x03", 130)])
def test_leaving_says_how_to_come_back(key: bytes, wanted: int) -> None:
    seen, code = play(key)
    assert code == wanted
    after = plain(seen.split(b"\x1b[?1049l")[-1])
    assert after.strip() == t("en", "tui.resume", lesson="8:publish")


def test_a_defect_of_ours_is_one_sentence_and_no_traceback() -> None:
    seen, code = play(b"\r")
    after = plain(seen.split(b"\x1b[?1049l")[-1])
    assert code == 4 and "RuntimeError" in after and "--plain" in after
    assert "Traceback" not in after and "a secret detail" not in after


def test_details_are_kept_only_when_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("VHOST_TOUR_DEBUG", raising=False)
    assert "vhost-tour-crash" not in crash_words(ValueError("x"), "en")
    monkeypatch.setenv("VHOST_TOUR_DEBUG", "1")
    path = re.search(r"\S+vhost-tour-crash-\S+\.txt", crash_words(ValueError("the detail"), "zh"))
    assert path is not None
    with open(path[0], encoding="utf-8") as file:
        assert "the detail" in file.read()


def test_no_color_means_no_colour_at_all() -> None:
    seen, _ = play(b"q", {"NO_COLOR": "1"})
    painted = seen.split(b"\x1b[?1049l")[0]
    codes = {code for match in re.findall(rb"\x1b\[([0-9;]*)m", painted) for code in match.split(b";")}
    assert not codes & {b"38", b"48", *(str(n).encode() for n in (*range(30, 38), *range(40, 48), *range(90, 108)))}
    assert b"First packet out" in painted
