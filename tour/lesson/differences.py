"""What differs from the kernel of the reference recordings: ``lessons/differences.toml``, and comparing with it.

Two runs are equal when their transcripts are, but for what is listed there; what is listed must be seen.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec

from tour.i18n import Lang
from tour.lesson.model import LessonError, Text, read_toml, root
from tour.trace import events as ev
from tour.trace import transcript as tr

FILE = "differences.toml"
BASE = "6.1"
"""The kernel of the reference recordings and of the contract suite's answers."""
EMBEDDED = "embedded"


class Difference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry; the fields are explained at the top of the file."""

    id: str
    on: str
    source: str
    text: Text
    step: list[str]
    mask: list[str] = []
    answers: dict[str, Any] = {}
    told: Text | None = None

    def words(self, lang: Lang) -> str:
        """What the text of each step of ``step`` must contain."""
        return self.told.get(lang) if self.told else self.on

    def applies(self, device: str) -> bool:
        """Whether this holds on ``device``: a kernel's release such as 6.12.107+deb13-amd64, or EMBEDDED."""
        if EMBEDDED in (device, self.on):
            return device == self.on
        return version(device) >= version(self.on)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format_version: int
    difference: list[Difference]


@cache
def listed() -> tuple[Difference, ...]:
    """Every entry, in the order of the file. Raises LessonError."""
    path = root() / FILE
    try:
        return tuple(msgspec.convert(read_toml(path), _File).difference)
    except msgspec.ValidationError as error:
        raise LessonError("differences.toml cannot be understood.", f"{path}: {error}") from error


def version(release: str) -> tuple[int, int]:
    """(6, 12) of 6.12 or 6.12.107+deb13-amd64. Raises ValueError for anything else."""
    found = re.match(r"(\d+)\.(\d+)", release)
    if found is None:
        raise ValueError(f"not a kernel's release: {release!r}")
    return int(found[1]), int(found[2])


def on(device: str) -> list[Difference]:
    """The entries that apply to a device (see ``Difference.applies``)."""
    return [each for each in listed() if each.applies(device)]


def device_of(hello: ev.Hello) -> str:
    """What ``on`` wants to know of a run, by its Hello."""
    return EMBEDDED if hello.device == EMBEDDED else hello.kernel


def unlike(lesson: str, reference: tr.Transcript, run: tr.Transcript, device: str) -> list[str]:
    """Where ``run`` of ``lesson`` on ``device`` is not what ``reference`` and the list say, one line each."""
    expected, found, entries = reference, run, on(device)
    missing = []
    for each in entries:
        here = any(step.partition(":")[0] == lesson for step in each.step)
        if each.mask and here and all(tr.part(reference, mask) == tr.part(run, mask) for mask in each.mask):
            missing.append(f"{each.id}: listed in differences.toml, and did not occur on {device}")
        for mask in each.mask:
            expected, found = tr.masked(expected, mask), tr.masked(found, mask)
    return missing + tr.differences(expected, found)


def answers(reference: dict[str, Any], device: str) -> dict[str, Any]:
    """What the contract suite's cases answer on ``device``, from those of the reference kernel."""
    expected = dict(reference)
    for each in sorted(on(device), key=lambda entry: entry.on != EMBEDDED and version(entry.on)):
        expected |= each.answers
    return expected
