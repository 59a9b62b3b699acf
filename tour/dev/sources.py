"""Where a fact is written, in words that can be checked: clauses, kernel functions, QEMU's files, our own code.

Several sources are separated by ``; ``. Each has one of these forms::

    here                                                     what the step itself shows, or its check's predicate
    virtio v1.3 2.7.13.3, 2.7.6.1                            clauses of the specification that there are
    vhost_signal(), vhost_log_write(), drivers/vhost/vhost.c@6.1    names in a file of Linux
    include/uapi/linux/vhost.h@6.1                           a whole file of Linux
    QEMU 7.2 hw/virtio/vhost.c vhost_virtqueue_start()       names in a file of QEMU
    RFC 826    man 2 eventfd    lesson 12                    a standard, a manual page, a lesson of this course
    tour/scene/nic.py                                        a file of this project
    Stefan Hajnoczi, QEMU Internals: vhost architecture      the article
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import msgspec

from tour.dev.clauses import V1_3
from tour.lesson.model import root

_SPEC = re.compile(r"virtio v1\.3 \d+(?:\.\d+)*(?:, \d+(?:\.\d+)*)*")
_KERNEL = re.compile(r"(?:(?P<names>[^@;]+), )?(?P<path>[\w./-]+/[\w.-]+)@(?P<version>\d+\.\d+)(?: \([\w, ]+\))?")
_QEMU = re.compile(r"QEMU \d+\.\d+ [\w./-]+(?: .+)?")
_OTHER = (
    re.compile(r"here(?:: .+)?"),
    re.compile(r"RFC \d+(?: .+)?"),
    re.compile(r"man \d\w* [\w.-]+"),
    re.compile(r"lesson \d+(?::\w+)?"),
    re.compile(r"Stefan Hajnoczi, QEMU Internals: .+"),
)
_OWN = re.compile(r"(?:tour|tests|lessons|docs)/[\w./-]+")
_NAME = re.compile(r"[A-Za-z_]\w*")
_SAID = re.compile(r"^(?:read by|called by|set by|struct|enum|union|config) ")


class Cited(msgspec.Struct, frozen=True):
    """Names that are said to stand in a file of one version of Linux; ``functions`` are written with ``()``."""

    path: str
    version: str
    names: tuple[str, ...]
    functions: tuple[str, ...]


def parts(source: str) -> list[str]:
    """The single sources."""
    return [part.strip() for part in source.split(";")]


def faulty(source: str) -> list[str]:
    """Which of the sources have none of the forms."""
    return [part for part in parts(source) if not _well_formed(part)]


def _well_formed(part: str) -> bool:
    if _OWN.fullmatch(part):
        return (root().parent / part).exists() or not (root().parent / "pyproject.toml").exists()
    named = _KERNEL.fullmatch(part)
    if named:
        return all(_NAME.fullmatch(name.removesuffix("()")) for name in _names(named["names"]))
    if _SPEC.fullmatch(part):
        return set(part.removeprefix("virtio v1.3 ").split(", ")) <= V1_3
    return bool(_QEMU.fullmatch(part) or any(form.fullmatch(part) for form in _OTHER))


def _names(text: str | None) -> list[str]:
    return [_SAID.sub("", name.strip()) for name in (text or "").split(",") if name.strip()]


def cited(source: str) -> list[Cited]:
    """The files of Linux a source names."""
    found = []
    for part in parts(source):
        match = _KERNEL.fullmatch(part)
        if match and not _OWN.fullmatch(part):
            names = _names(match["names"])
            functions = tuple(name.removesuffix("()") for name in names if name.endswith("()"))
            plain = tuple(name for name in names if not name.endswith("()"))
            found.append(Cited(match["path"], match["version"], plain, functions))
    return found


def trees(given: str = "") -> dict[str, Path]:
    """Version to folder of the unpacked sources of Linux: ``given``, else TOUR_LINUX_SOURCE, several separated as
    in PATH; the version is read from the folder's Makefile, else from its name."""
    found = {}
    for text in (given or os.environ.get("TOUR_LINUX_SOURCE", "")).split(os.pathsep):
        folder = Path(text)
        version = _version(folder) if text else ""
        if version:
            found[version] = folder
    return found


def _version(folder: Path) -> str:
    try:
        text = (folder / "Makefile").read_text("utf-8", "replace")
    except OSError:
        text = ""
    numbers = re.findall(r"^(?:VERSION|PATCHLEVEL) = (\d+)$", text, re.M)[:2]
    named = re.search(r"(\d+\.\d+)", folder.name)
    return ".".join(numbers) or (named[1] if named and folder.is_dir() else "")


def missing(cite: Cited, tree: Path) -> list[str]:
    """What of a citation is not in that tree: the file itself, or names in it."""
    text = _text(tree / cite.path)
    if text is None:
        return [cite.path]
    absent = [name for name in cite.names if not re.search(rf"\b{name}\b", text)]
    return absent + [f"{name}()" for name in cite.functions if not defines(text, name)]


@cache
def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None


def defines(text: str, name: str) -> bool:
    """Whether C source holds the function or macro ``name``: more than a call or a prototype of it."""
    macro = rf"^#\s*define\s+{name}\("
    function = rf"^(?!\s|#|/|\*|\}})(?:[\w *]*[ *])?{name}\s*\([^;{{]*\)[^;{{]*\{{"
    wrapped = rf"^\w+_DEFINE\d?\({name}\b"
    return any(re.search(pattern, text, re.M) for pattern in (macro, function, wrapped))
