"""JUnit XML, as CI systems read it: a suite per submission, a case per check."""

from __future__ import annotations

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from tour.classroom.marks import Mark, Report
from tour.classroom.report import Files, plain, points, title, why
from tour.i18n import Lang
from tour.lesson.verdict import CheckVerdict


def files(report: Report, lang: Lang) -> Files:
    """``junit.xml``."""
    xml = JUnitXml("tour grade")
    for mark in report.marks:
        xml.add_testsuite(_suite(report, mark, lang))
    xml.update_statistics()  # type: ignore[no-untyped-call]
    return {"junit.xml": text(xml)}


def text(xml: JUnitXml) -> bytes:
    """The document, with its declaration."""
    data: bytes = xml.tostring()  # type: ignore[no-untyped-call]
    return data if data.startswith(b"<?xml") else b"<?xml version='1.0' encoding='utf-8'?>\n" + data


def _suite(report: Report, mark: Mark, lang: Lang) -> TestSuite:
    suite = TestSuite(f"{mark.exercise}: {_xml(mark.student.id)}")
    told = {
        "seed": str(report.seed), "isolation": report.isolation, "layers": " ".join(mark.layers),
        "status": mark.status, "score": points(mark.score), "max_score": points(mark.max_score),
        "skipped_points": points(mark.skipped), "submission": mark.submission,
    }  # fmt: skip
    for name, value in told.items():
        suite.add_property(name, value)
    for check in mark.checks:
        suite.add_testcase(_case(report, mark, check, lang))
    if mark.output:
        suite.add_property("output", _xml(mark.output))
    return suite


def _case(report: Report, mark: Mark, check: CheckVerdict, lang: Lang) -> TestCase:
    taught = report.taught(mark.exercise)
    case = TestCase(
        title(taught, check, lang), f"{mark.exercise}.{_xml(mark.student.id)}.{check.id}", round(check.seconds, 3)
    )
    words = _xml(why(taught, check, lang))
    if mark.failed:
        case.result = [Error(_xml(mark.failed), "judge")]
    elif check.passed is None:
        case.result = [Skipped(words)]
    elif not check.passed:
        case.result = [Failure(words, check.cause.kind if check.cause else "hidden")]
    return case


def _xml(value: str) -> str:
    """A text of characters that XML 1.0 has."""
    return "".join(char if char < "\ufffe" or char > "\uffff" else "?" for char in plain(value))
