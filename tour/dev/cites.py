"""Whether what lessons cite of Linux is there: every file and name, in the sources of that version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tour.dev import claims, structure
from tour.dev.finding import Finding, line_of
from tour.dev.sources import cited, missing
from tour.lesson import model
from tour.lesson.model import Lesson


def of_lesson(lesson: Lesson) -> Iterator[tuple[Path, str]]:
    """File and text of each source a lesson names."""
    folder = Path(lesson.folder)
    for _, own in structure.own_parts(lesson):
        yield from ((folder / "lesson.toml", ref.kernel) for ref in own.ref or [] if ref.kernel)
    yield from of_claims(folder / "claims.toml")


def of_claims(path: Path) -> Iterator[tuple[Path, str]]:
    """The sources of a file of claims."""
    for rows in claims.load(path).values():
        yield from ((path, claim.source) for claim in rows.values() if claim.source)


def shared() -> Iterator[tuple[Path, str]]:
    """The sources of the files all lessons share."""
    root = model.root()
    for name, table in (("misconceptions.toml", "misconception"), ("glossary.toml", "term")):
        for row in model.read_toml(root / name).get(table, {}).values():
            yield root / name, str(row.get("ref", ""))
    article = root.parent / "docs" / "article.toml"
    for row in model.read_toml(article)["statement"] if article.is_file() else []:
        yield article, str(row.get("source", ""))
    yield from of_claims(root / "claims.toml")


def faults(sources: Iterator[tuple[Path, str]], trees: dict[str, Path]) -> tuple[list[Finding], set[str]]:
    """What is cited and not there, and the versions of which there are no sources here."""
    found: dict[tuple[Path, str, str], Finding] = {}
    unknown: set[str] = set()
    for path, source in sources:
        for cite in cited(source):
            if cite.version not in trees:
                unknown.add(cite.version)
                continue
            for name in missing(cite, trees[cite.version]):
                values = {"name": name, "file": cite.path, "version": cite.version}
                key = (path, name, cite.path)
                found.setdefault(key, Finding(path, line_of(path, name.removesuffix("()")), "cite_missing", values))
    return list(found.values()), unknown
