"""The reference of the library, from signatures and docstrings of what ``docs/api.toml`` names."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from tour.docsgen.filling import fill, plain
from tour.errors import UsageError
from tour.i18n import Lang
from tour.lesson.model import Text, read_toml

MARK = "<!-- api -->"
ROLE = re.compile(r":\w+:`([^`]+)`")


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the reference: dotted ``names`` of classes and functions."""

    title: Text
    text: Text
    names: list[str]


def sections(path: Path) -> list[Section]:
    """The sections of ``api.toml``. Raises LessonError, UsageError."""
    try:
        return msgspec.convert(read_toml(path)["section"], list[Section])
    except (KeyError, msgspec.ValidationError) as error:
        raise UsageError(f"{path.name} is not a table of contents.", str(error)) from error


def fill_api(page: Path, source: Path, lang: Lang) -> None:
    """Put the reference into ``page``. Raises UsageError."""
    lines = []
    for section in sections(source):
        lines += [f"## {section.title.get(lang)}", "", section.text.get(lang), ""]
        for name in section.names:
            lines += told(name)
    fill(page, MARK, "\n".join(lines))


def find(name: str) -> Any:
    """The object of that dotted name. Raises UsageError."""
    module, _, own = name.rpartition(".")
    try:
        return getattr(import_module(module), own)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"The reference names {name}, which is not there.", str(error)) from error


def told(name: str) -> list[str]:
    """Heading, how one makes or calls it, and words; of a class its own public members too."""
    found = find(name)
    module, _, own = name.rpartition(".")
    shown = f"from {module} import {own}\n\n{made(own, found)}".rstrip()
    lines = [f"### {own} {{#{name}}}", "", f"```python\n{shown}\n```", "", words(inspect.getdoc(found) or ""), ""]
    if inspect.isclass(found) and issubclass(found, Enum):
        lines += [_facts(found), ""]
    for member in members(found):
        lines += _member(name, member, inspect.getattr_static(found, member))
    return lines


def members(found: Any) -> list[str]:
    """Names of the public methods and properties that the class itself defines, in their order."""
    if not inspect.isclass(found):
        return []
    kinds = (property, classmethod, staticmethod)
    public = [(name, value) for name, value in vars(found).items() if not name.startswith("_")]
    return [name for name, value in public if inspect.isfunction(value) or isinstance(value, kinds)]


def _member(owner: str, name: str, value: Any) -> list[str]:
    function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
    returned = _definition(function).returns
    shown = f"{name}: {ast.unparse(returned)}" if isinstance(value, property) and returned else called(name, function)
    return [f'#### `{shown}` {{#{owner}.{name} data-search-exclude=""}}', "", words(inspect.getdoc(value) or ""), ""]


def made(name: str, found: Any) -> str:
    """What one types to call a function or to make an object of a class, with the names its source has."""
    if not inspect.isclass(found):
        return called(name, found)
    bases = [base.__name__ for base in found.__bases__ if base.__module__.startswith("tour.")]
    note = f"  # extends {', '.join(bases)}" if bases else ""
    makers = [vars(kind)["__init__"] for kind in found.__mro__ if inspect.isfunction(vars(kind).get("__init__"))]
    if fields := _fields(found):
        return f"{name}({', '.join(fields)}){note}"
    return called(name, makers[0]).replace(" -> None", "") + note if makers and not issubclass(found, Enum) else ""


def _fields(found: type) -> list[str]:
    """Of a record whose fields are what it is made from; a class with an ``__init__`` of its own has none."""
    body = _definition(found).body
    if any(isinstance(each, ast.FunctionDef) and each.name == "__init__" for each in body):
        return []
    told = [ast.unparse(each) for each in body if isinstance(each, ast.AnnAssign)]
    return [each for each in told if "ClassVar" not in each]


def called(name: str, function: Any) -> str:
    """Parameters and result as the source has them, without ``self``."""
    node = _definition(function)
    own = node.args.args
    node.args.args = own[1:] if own and own[0].arg in ("self", "cls") else own
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{name}({re.sub('(?<![ =])=(?! )', ' = ', ast.unparse(node.args))}){result}"


def _definition(found: Any) -> Any:
    return ast.parse(textwrap.dedent(inspect.getsource(found))).body[0]


def _facts(found: Any) -> str:
    rows = [f"| `{each.name}` | `{each.value:#x}` | {each.since} | {plain(each.header)} |" for each in found]
    return "\n".join(["| | | Linux | |", "|---|---|---|---|", *rows])


def words(doc: str) -> str:
    """A docstring as Markdown: what stands between double backticks is code, and so is what is indented."""
    blocks = re.split(r"\n\s*\n", ROLE.sub(r"``\1``", doc))
    return "\n\n".join(_code(block) if block.startswith("    ") else _prose(block) for block in blocks)


def _code(block: str) -> str:
    return f"```python\n{inspect.cleandoc(block)}\n```"


def _prose(block: str) -> str:
    pieces = re.split(r"``(.+?)``", block.replace("\n", " "))
    return "".join(f"`{piece}`" if at % 2 else plain(piece) for at, piece in enumerate(pieces))
