"""``tour dev`` and ``tour glossary`` as commands: output, languages, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT
from tour.cli import dev
from tour.cli.glossary import print_terms
from tour.dev import check
from tour.dev.check import Report, Skipped
from tour.dev.finding import Finding
from tour.errors import CapabilityMissing, UsageError
from tour.lesson import model

FOUND = Finding(Path("/x/lesson.toml"), 7, "step_twice", {"step": "kick"})


def report(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    made = Report(["8"], list(findings), [Skipped("tun", "There is no tap.", "be root")])
    monkeypatch.setattr(check, "check", lambda *_: made)


def test_a_finding_reads_like_a_linter_s(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    report(monkeypatch, FOUND)
    assert dev.check_lessons([], "en", "", False) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "/x/lesson.toml:7: Step 'kick' is there twice. [step_twice]"
    assert out[1].startswith("    ") and out[2].startswith("    To mend it: ")
    assert any(line.startswith("SKIPPED tun: There is no tap.") for line in out)


def test_it_speaks_chinese(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    report(monkeypatch, FOUND)
    dev.check_lessons([], "zh", "", False)
    assert "步骤“kick”出现了两次。" in capsys.readouterr().out


def test_programs_get_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    report(monkeypatch, FOUND)
    assert dev.check_lessons([], "en", "", True) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == "vhost-tour/check/1" and told["lessons"] == ["8"]
    assert {key: told["findings"][0][key] for key in ("file", "line", "rule")} == {
        "file": "/x/lesson.toml", "line": 7, "rule": "step_twice"}  # fmt: skip
    assert told["skipped"] == [{"name": "tun", "why": "There is no tap.", "fix": "be root"}]


def test_nothing_found_is_0(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    report(monkeypatch)
    assert dev.check_lessons([], "en", "", False) == 0
    assert "Nothing found" in capsys.readouterr().out


def test_a_lesson_that_is_not_there() -> None:
    with pytest.raises(model.LessonError, match="There is no lesson '99'"):
        dev.check_lessons(["99"], "en", "", False)


def nothing_live(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = CapabilityMissing("embedded", "The compiled part is missing.", "", "install a compiler")
    monkeypatch.setattr(check.client, "can_run_live", lambda: missing)
    monkeypatch.delenv("TOUR_LINUX_SOURCE", raising=False)


def test_what_cannot_be_looked_at_is_skipped_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_live(monkeypatch)
    made = check.check(["8"], "", set(), lambda name: None)
    assert {each.name for each in made.skipped} == {"embedded", "linux-source"}
    assert all(each.why and each.fix for each in made.skipped)


@pytest.mark.parametrize("name", ["embedded", "linux-source"])
def test_what_is_required_may_not_be_skipped(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    nothing_live(monkeypatch)
    with pytest.raises(CapabilityMissing) as caught:
        check.check(["8"], "", {name}, lambda name: None)
    assert caught.value.name == name


def test_claims_are_listed_and_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, wanted, name = check.claims_file("8")
    mine = tmp_path / "claims.toml"
    monkeypatch.setattr(check, "claims_file", lambda lesson: (mine, wanted, name))
    assert dev.list_claims("8", "en", False) == 1
    listed = capsys.readouterr().out
    assert '["publish explain"]' in listed
    assert dev.list_claims("8", "en", True) == 1
    assert "tour dev claims 8 --write" in mine.read_text("utf-8")
    mine.write_text(mine.read_text("utf-8").replace('source = ""', 'source = "here"'), "utf-8")
    capsys.readouterr()
    assert dev.list_claims("8", "en", False) == 0 and capsys.readouterr().out == ""
    assert path == Path(model.load("8").folder) / "claims.toml"


def test_the_shared_claims_have_a_file_of_their_own() -> None:
    path, wanted, name = check.claims_file("shared")
    assert (path, name) == (model.root() / "claims.toml", "shared") and wanted


@pytest.mark.parametrize("wanted", ["kick", "通知设备 (kick)", "KICK"])
def test_a_word_is_found_in_either_language(wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_terms(wanted, "en", False) == 0
    assert capsys.readouterr().out.startswith("kick  通知设备 (kick)\n  The driver's doorbell")


def test_words_for_programs_and_words_there_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    print_terms("属主", "zh", True)
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == "vhost-tour/glossary/1" and list(told["term"]) == ["owner"]
    print_terms("", "zh", False)
    assert len(capsys.readouterr().out.splitlines()) > 150
    with pytest.raises(UsageError, match="no 'flux capacitor'"):
        print_terms("flux capacitor", "en", False)


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["dev", "check", "99"], 2, ""),
        (["dev", "hash", "8"], 0, ""),
        (["dev", "claims", "8", "--lang", "zh"], 0, ""),
        (["glossary", "kick", "--json"], 0, '"vhost-tour/glossary/1"'),
    ],
)
def test_the_commands_are_there(argv: list[str], code: int, words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "tour.cli", *argv], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("Traceback")) == (code, 0), done.stderr
    assert words in done.stdout
