"""Every format is what its readers take, and nothing that a student wrote is more than text in it."""

from __future__ import annotations

import csv
import importlib
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
from junit2htmlreport.parser import Junit
from markdown_it import MarkdownIt

from tests.classroom.ground import class_folder, graded
from tour.classroom import schema
from tour.classroom.journal import NAME
from tour.classroom.marks import OUTPUT_MAX, Report, redacted
from tour.errors import UsageError
from tour.i18n import Lang, t
from tour.lesson.exercise import find

EVIL = (
    "</pre>]]><script>x</script> |`*_[a](b) &amp; =1+1 @x \x00\x1b[31m\x07\u202e /home/eve/.ssh/id_rsa C:\\u\\v\\w.txt"
)
LANGS: tuple[Lang, ...] = ("en", "zh")
both = pytest.mark.parametrize("lang", LANGS)


def files(name: str, report: Report, lang: Lang = "en") -> dict[str, bytes]:
    make = importlib.import_module(f"tour.classroom.report.{name}").files
    return cast(dict[str, bytes], make(report, lang))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A class with everything in it."""
    place = tmp_path_factory.mktemp("class")
    sources = {
        "alice": "# alice", "bob": "# bob wrong entries wrong wrap", "carol": "# carol die always",
        "dan": "# dan skip wakeup", "=cmd|'x'!A1": f"# eve wrong kick says {EVIL} {'z' * 2000}\n\n## heading\n- item",
        "<b>&x": "# x\n" + EVIL, "名字": "# 名字", "empty": "", "../up".replace("/", "\u2215"): "# up",
    }  # fmt: skip
    (place / "roster.csv").write_text("id,name,email\nalice,+Alice,a@x.org\nzed,Zed,z@x.org\n")
    class_folder(place / "c", {name: source for name, source in sources.items() if source})
    (place / "c" / "empty").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAKE_JUDGE_LOG", str(place / "log"))
        return graded(place / "c", exercise="publish", roster=place / "roster.csv", out=place / "out", jobs=2)


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Report]:
    """The report on one submission, in a run of Classroom 50's."""
    for name, value in CLASSROOM50.items():
        monkeypatch.setenv(name, value)

    def make(source: str) -> Report:
        return graded(class_folder(tmp_path / "alice" / "publish", {".": source}), exercise="publish")

    return make


CLASSROOM50 = {
    "CLASSROOM": "cs", "ASSIGNMENT": "publish", "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://x.org/commit/1", "RELEASE_URL": "https://x.org/releases/1", "USERNAME": "alice",
}  # fmt: skip


def all_text(report: Report) -> dict[str, str]:
    every = {
        f"{lang} {name}": data.decode()
        for lang in LANGS
        for form in ("text", "json", "junit", "gradescope", "csv", "markdown")
        for name, data in files(form, report, lang).items()
    }
    assert len(every) > 20
    return every


def test_no_absolute_path_and_no_control_character_is_told(report: Report) -> None:
    for name, text in all_text(report).items():
        assert "/home/" not in text and "/.ssh" not in text and "C:\\u" not in text, name
        if "json" not in name:
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e]", text), name
        assert "z" * (OUTPUT_MAX + 1) not in text, name


def test_paths_are_taken_out_and_words_are_not() -> None:
    assert redacted("in /a/b/c.py, line 3: 1/2 and/or https://x.org/y/z a//b") == (
        "in …/c.py, line 3: 1/2 and/or https://x.org/y/z a//b"
    )


def test_of_a_hidden_check_nothing_is_told_but_whether_it_passed(report: Report) -> None:
    hidden = [check for mark in report.marks for check in mark.checks if check.hidden]
    assert {check.passed for check in hidden} == {True, False, None}
    assert all((check.cause, check.mistake, check.say, check.misconception) == (None, "", None, "") for check in hidden)


# -- ours -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", schema.KINDS)
def test_the_published_schemas_are_those_of_the_code(name: str) -> None:
    assert schema.path(name).read_text("utf-8") == schema.text(name), "python -m tour.classroom.schema"


def valid(name: str, data: Any) -> None:
    published = json.loads(schema.path(name).read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.validate(data, published, jsonschema.Draft202012Validator)


def test_json_and_journal_are_as_their_schemas_say(report: Report, tmp_path: Path) -> None:
    told = json.loads(files("json", report)["grades.json"])
    valid("grades", told)
    assert told["schema"] == "vhost-tour/grades/1" and told["seed"] == 7
    with pytest.raises(jsonschema.ValidationError):
        valid("grades", told | {"marks": [{}]})
    graded(class_folder(tmp_path / "c", {"a": "# a", "b": "# b wrong entries"}), out=tmp_path / "out")
    for line in (tmp_path / "out" / NAME).read_text().splitlines():
        valid("journal", json.loads(line))


@both
def test_text_is_a_table_and_one_submission_a_list(report: Report, lang: Lang, one: Callable[[str], Report]) -> None:
    told = files("text", report, lang)["grades.txt"].decode()
    assert t(lang, "grade.state.failed") in told and t(lang, "grade.no_mark") in told
    assert t(lang, "grade.misconceptions") in told and "9/9" in told
    marked = [mark for mark in report.marks if not mark.failed]
    counted = [sum(mark.checks[at].passed is True for mark in marked) for at in range(len(report.exercises[0].checks))]
    last = next(line for line in told.splitlines() if line.startswith(t(lang, "grade.passed_by")))
    assert last.split()[-len(counted) :] == [f"{count}/{len(marked)}" for count in counted]
    alone = files("text", one("# a wrong entries skip wakeup"), lang)["grades.txt"].decode()
    exercise = find("publish")
    assert all(check.title.get(lang) in alone for check in exercise.check)
    assert exercise.check[0].why.get(lang) in alone and "12" in alone
    assert t(lang, "grade.kind.skipped", field="tun") in alone


def test_a_time_out_is_called_so(one: Callable[[str], Report]) -> None:
    report = one("# a time out entries")
    assert report.marks[0].status == "timed-out" and report.marks[0].score == find("publish").points - 2
    for form, name in (("text", "grades.txt"), ("markdown", "grades.md"), ("junit", "junit.xml")):
        assert "timed out" in files(form, report)[name].decode()


# -- CSV --------------------------------------------------------------------------------------------------


def test_csv_is_a_table_without_formulas(report: Report) -> None:
    rows = list(csv.reader(io.StringIO(files("csv", report)["grades.csv"].decode("utf-8-sig"), newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    by = {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}
    assert (by["alice"]["score"], by["alice"]["name"], by["alice"]["email"]) == ("12", "'+Alice", "a@x.org")
    assert (by["carol"]["score"], by["carol"]["status"]) == ("", "judge failed")
    assert (by["dan"]["max_score"], by["dan"]["skipped"], by["dan"]["publish:wakeup"]) == ("9", "3", "")
    assert by["zed"]["status"] == "missing"
    cells = [cell for row in rows for cell in row]
    assert "'=cmd|'x'!A1" in by
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    counted = list(csv.DictReader(io.StringIO(files("csv", report)["misconceptions.csv"].decode("utf-8-sig"))))
    assert [(row["kind"], row["count"]) for row in counted] == [("misconception", "2"), ("mistake", "2")]


# -- JUnit: the elements and attributes of Jenkins' junit-10.xsd, and a reader of it -----------------------

ALLOWED = {
    "testsuites": {"name", "time", "tests", "failures", "disabled", "errors", "skipped"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "disabled", "timestamp", "hostname", "id"},
    "properties": set(), "property": {"name", "value"}, "testcase": {"name", "classname", "time"},
    "failure": {"type", "message"}, "error": {"type", "message"}, "skipped": {"type", "message"},
}  # fmt: skip


@both
def test_junit_is_read_by_its_readers(report: Report, lang: Lang) -> None:
    data = files("junit", report, lang)["junit.xml"]
    for node in ET.fromstring(data).iter():
        assert set(node.attrib) <= ALLOWED[node.tag]
    read = Junit(xmlstring=data.decode().partition("?>")[2])
    exercise = find("publish")
    suites = {suite.name: suite for suite in read.suites}
    assert set(suites) == {f"publish: {mark.student.id}" for mark in report.marks}
    outcomes = {
        name: [case.outcome() for case in suite.all()] for name, suite in suites.items()
    }  # fmt: skip
    assert outcomes["publish: alice"] == ["passed"] * len(exercise.check)
    assert outcomes["publish: carol"] == ["failed"] * len(exercise.check)
    assert outcomes["publish: dan"].count("skipped") == 1
    assert outcomes["publish: bob"].count("failed") == 2
    assert ET.fromstring(data).attrib["tests"] == str(len(report.marks) * len(exercise.check))


def test_junit_tells_seed_layers_and_why(report: Report) -> None:
    root = ET.fromstring(files("junit", report)["junit.xml"])
    suite = next(one for one in root if one.attrib["name"] == "publish: bob")
    told = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    assert (told["seed"], told["layers"], told["score"]) == ("7", "user net seccomp", "9")
    messages = [one.attrib["message"] for one in suite.iter("failure")]
    assert "avail.idx: expected 5, found 4 (line 12)" in messages[0] and messages[1] == "hidden check"


# -- Gradescope: gradescope-autograders.readthedocs.io/en/latest/specs, sections Output format to Output String
#    Formatting, written as a schema ------------------------------------------------------------------------

VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "simple_format", "html", "md", "ansi"]}
GRADESCOPE = {
    "type": "object",
    "additionalProperties": False,
    "anyOf": [{"required": ["score"]}, {"required": ["tests"]}],
    "properties": {
        "score": {"type": "number"}, "execution_time": {"type": "number"}, "output": {"type": "string"},
        "output_format": FORMAT, "test_output_format": FORMAT, "test_name_format": FORMAT,
        "visibility": VISIBILITY, "stdout_visibility": VISIBILITY, "extra_data": {"type": "object"},
        "tests": {"type": "array", "items": {
            "type": "object", "additionalProperties": False,
            "properties": {
                "score": {"type": "number"}, "max_score": {"type": "number"}, "name": {"type": "string"},
                "status": {"enum": ["passed", "failed"]}, "name_format": FORMAT, "number": {"type": "string"},
                "output": {"type": "string"}, "output_format": FORMAT, "visibility": VISIBILITY,
                "tags": {"type": "array", "items": {"type": "string"}}, "extra_data": {"type": "object"},
            },
        }},
        "leaderboard": {"type": "array"},
    },
}  # fmt: skip


@both
def test_gradescope_is_as_its_specification_says(report: Report, lang: Lang) -> None:
    made = files("gradescope", report, lang)
    assert len(made) == len(report.marks) - 1, "none where the judge failed"
    for name, data in made.items():
        assert re.fullmatch(r"gradescope/[A-Za-z0-9_.-]+\.json", name)
        told = json.loads(data)
        jsonschema.validate(told, GRADESCOPE)
        assert told["score"] == sum(test["score"] for test in told["tests"])
        assert [test["visibility"] for test in told["tests"]].count("after_due_date") == 1
        assert {test["output_format"] for test in told["tests"]} == {told["output_format"]} == {"text"}
    dan = json.loads(made["gradescope/dan.json"])
    assert (dan["score"], sum(test["max_score"] for test in dan["tests"])) == (9, 9)


def test_gradescope_has_one_results_json_for_one_student(one: Callable[[str], Report]) -> None:
    assert list(files("gradescope", one("# a"))) == ["results.json"]


# -- Classroom 50: schemas/result-v1.schema.json of github.com/foundation50/classroom50, and what its runner checks
#    besides (score <= max-score) ---------------------------------------------------------------------------

WORDS = {"type": "string", "minLength": 1}
POINTS = {"type": "integer", "minimum": 0}
RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "classroom", "assignment", "assignment_type", "owner", "submission", "commit", "release",
                 "review", "datetime", "score", "max-score", "tests"],
    "properties": {
        "schema": {"const": "classroom50/result/v1"}, "classroom": WORDS, "assignment": WORDS,
        "assignment_type": {"enum": ["individual", "group"]}, "owner": WORDS,
        "submission": {"type": "string", "pattern": "^submit/"}, "commit": WORDS, "release": WORDS, "review": WORDS,
        "datetime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        "score": POINTS, "max-score": POINTS,
        "tests": {"type": "array", "items": {
            "type": "object", "required": ["test-name", "passed", "score", "max-score"],
            "properties": {"test-name": WORDS, "passed": {"type": "boolean"}, "score": POINTS, "max-score": POINTS},
        }},
    },
}  # fmt: skip


@both
@pytest.mark.parametrize("source", ["# a", "# b wrong entries wrong wrap", "# c skip wakeup", f"# {EVIL}"])
def test_classroom50_is_as_its_schema_says(one: Callable[[str], Report], source: str, lang: Lang) -> None:
    told = json.loads(files("classroom50", one(source), lang)["result.json"])
    jsonschema.validate(told, RESULT)
    assert all(type(test[key]) is int for test in told["tests"] for key in ("score", "max-score"))
    assert told["score"] == sum(test["score"] for test in told["tests"]) <= told["max-score"]
    assert told["review"] == CLASSROOM50["COMMIT_URL"], "where no review link is given"


def test_classroom50_is_one_submission_of_its_own_runs(
    report: Report, one: Callable[[str], Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="takes one submission"):
        files("classroom50", report)
    single = one("# a")
    monkeypatch.delenv("COMMIT_URL")
    with pytest.raises(UsageError, match="COMMIT_URL"):
        files("classroom50", single)


# -- Markdown ---------------------------------------------------------------------------------------------


@both
def test_markdown_has_our_tables_and_nothing_of_theirs(
    report: Report, lang: Lang, one: Callable[[str], Report]
) -> None:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(files("markdown", report, lang)["grades.md"].decode())
    assert [token.type for token in tokens].count("table_open") == 3
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h1", "h2"]
    rows = [token for token in tokens if token.type == "tr_open"]
    assert len(rows) == 1 + len(report.marks) + 1 + 2 * 2
    alone = parser.parse(files("markdown", one(f"# x wrong kick says {EVIL}\n\n## x\n"), lang)["grades.md"].decode())
    for token in [*tokens, *alone]:
        kinds = {child.type for child in token.children or []}
        assert token.type not in ("html_block", "fence") and kinds <= {
            "text",
            "text_special",
            "strong_open",
            "strong_close",
        }
    blocks = [token.content for token in alone if token.type == "code_block"]
    assert len(blocks) == 1 and "<script>" in blocks[0] and "## x" in blocks[0]
