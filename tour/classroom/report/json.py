"""Our own JSON: the whole report, schema ``docs/grades.schema.json``."""

from __future__ import annotations

import msgspec

from tour.classroom.marks import Report
from tour.classroom.report import Files
from tour.i18n import Lang


def files(report: Report, lang: Lang) -> Files:
    """``grades.json``, in both languages whatever ``lang`` is."""
    return {"grades.json": msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"}
