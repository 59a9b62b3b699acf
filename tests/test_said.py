"""Every sentence that the program says of an error or of a boot has its Chinese, with the same fields."""

from __future__ import annotations

import ast
import re
import string
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tour import errors
from tour.cli.output import explain
from tour.errors import CapabilityMissing, GuestMemoryError, MemoryFault, MessageFault, RingError, RingFault, TourError
from tour.i18n import LONGEST, Template, local, said, strings
from tour.lab.boot import WORDS
from tour.lab.script import INIT
from tour.tui.cards import error_card

TOUR = Path(errors.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")

MAKERS = {("lab/kernel.py", "missing"), ("abi/build.py", "_no_compiler"), ("agent/server.py", "_error")}
MAKERS |= {("errors.py", "__init__"), ("lab/boot.py", "progress"), ("lab/boot.py", "append")}
MAKERS |= {("agent/session.py", "DecodeError"), ("lab/fetch.py", "missing"), ("lab/fetch.py", "_progress")}
MAKERS |= {("device/vhost_user/exchange.py", "Error"), ("device/sampler.py", "Error")}
MAKERS |= {("guest/machine.py", "_await"), ("scene/qemu.py", "_until")}
"""Calls besides the errors' own that are given such sentences."""
TELLERS = {("abi/namespaces.py", "namespace_fix"), ("abi/build.py", "_first_error"), ("lab/boot.py", "_last_words")}
TELLERS |= {("agent/spawn.py", name) for name in ("_ended", "_quote", "reason")} | {
    ("lab/machine.py", "_end"),
    ("device/qmp.py", "_rights"),
    ("trace/export/walk.py", "_not_ours"),
    ("agent/client_ssh.py", "_how"),
}
"""Functions that return them."""
TABLES = {"_REFUSALS", "_FIXES", "_STEPS"}
"""Tables of (why, fix)."""
COMMAND = re.compile(
    r"(sudo (apt-get|modprobe|chmod|sysctl|tour watch)|export"
    r"|tour (start|run|lab fetch|vhost-user|watch|replay|bench|guest|sandbox|exercise|grade)"
    r"|ip tuntap add|pip install|git pull) [^;()]*"
    r"|tour (start|list|glossary|doctor)|--size \w+"
)
"""What is typed as it stands is the same in every language."""
AS_IT_IS = {
    "{}: {}": "the name of a Python error, or a path, and what a parser says",
    "{} && {} -P -m tour.abi.build": "a command",
    "KVM": "a name",
    "dark": "a theme",
    "mono": "a theme",
}


def literals(node: ast.expr) -> Iterator[str]:
    """All sentences an expression may be, with ``{}`` for each field; words chosen inside a field as well."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
            inner = [part.value for part in parts if isinstance(part, ast.FormattedValue)]
            yield from of_all([value for value in inner if isinstance(value, ast.IfExp)])
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            yield from of_all([one, other])
        case ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.Dict(values=parts):
            yield from of_all(parts)
        case ast.Call(func=ast.Attribute(attr="strip", value=inner)):
            yield from literals(inner)
        case ast.Call(func=ast.Attribute(attr="get") | ast.Name(id="next"), args=[_, default]):
            yield from literals(default)


def of_all(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        yield from literals(node)


@cache
def trees() -> dict[str, ast.Module]:
    return {str(path.relative_to(TOUR)): ast.parse(path.read_text("utf-8")) for path in sorted(TOUR.rglob("*.py"))}


@cache
def error_names() -> set[str]:
    """TourError and all below it, by name, wherever they are defined."""
    nodes = [node for tree in trees().values() for node in ast.walk(tree)]
    bases = {node.name: set(map(ast.unparse, node.bases)) for node in nodes if isinstance(node, ast.ClassDef)}
    found = {"TourError"}
    while grown := {name for name, of in bases.items() if of & found and name not in found}:
        found |= grown
    return found - {"RingError", "GuestMemoryError"}  # these are given numbers and a fault


def assignments(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """What each of the names in a module is ever given."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name in target.elts if isinstance(target, ast.Tuple) else [target]:
                    found.setdefault(ast.unparse(name), []).append(node.value)
    return found


def values(file: str, node: ast.AST) -> list[ast.expr]:
    """What ``node`` says: the arguments of a call, what a function returns."""
    if isinstance(node, ast.FunctionDef) and (file, node.name) in TELLERS:
        return [part.value for part in ast.walk(node) if isinstance(part, ast.Return) and part.value]
    if not isinstance(node, ast.Call):
        return []
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called not in error_names() and (file, called) not in MAKERS:
        return []
    return [*node.args, *(keyword.value for keyword in node.keywords)][called == "CapabilityMissing" :]


def told_in(file: str, tree: ast.Module) -> set[str]:
    """What, why and fix of every error made in a module, and its progress."""
    names = assignments(tree)
    exprs = [value for node in ast.walk(tree) for value in values(file, node)]
    exprs += [value for table in TABLES for value in names.get(table, [])]
    for _ in range(2):
        exprs += [given for value in exprs for name in inside(value) for given in names.get(name, [])]
    return set(of_all(exprs)) - {""}


def inside(value: ast.expr) -> list[str]:
    """The names a value is made of: itself, or the fields of an f-string."""
    parts = value.values if isinstance(value, ast.JoinedStr) else [value]
    fields = [part.value if isinstance(part, ast.FormattedValue) else part for part in parts]
    return [part.id for part in fields if isinstance(part, ast.Name) and part.id.islower()]


@cache
def all_told() -> dict[str, str]:
    """Every sentence, and the file that says it."""
    told = {text: file for file, tree in trees().items() for text in told_in(file, tree)}
    told |= {fault.value: "errors.py" for kind in (MemoryFault, MessageFault, RingFault) for fault in kind}
    told |= {words: "lab/boot.py" for words in (*WORDS.values(), "QEMU is starting")}
    told |= {re.sub(r"\$\w+", "{}", text): "lab/script.py" for text in re.findall(r"fail [\"']([^$].*?)[\"']", INIT)}
    return told | {"To mend it: {}": "errors.py"}


def bare(template: str) -> str:
    return re.sub(r"\{\w+(:\w)?\}", "{}", template)


def pieces(text: str) -> Iterator[str]:
    """A text as ``local`` takes it apart: whole lines that are known, else sentences."""
    known = {bare(english) for english in said()}
    for line in text.split("\n"):
        rest = line.removeprefix("{} ") if line not in known and re.match(r"\{\} [A-Z]", line) else line
        yield from [rest] if rest in known else re.split(r"(?<=\.) (?=[A-Z{])", rest)


def needs_none(piece: str) -> bool:
    return not re.search("[A-Za-z]{2}", piece) or piece in AS_IT_IS or COMMAND.fullmatch(piece) is not None


@pytest.mark.parametrize("text", sorted(all_told()))
def test_a_sentence_has_its_chinese(text: str) -> None:
    known = {bare(english) for english in said()}
    missing = [piece for piece in pieces(text) if piece not in known and not needs_none(piece)]
    assert missing == [], f"{all_told()[text]}: add to tour/strings/errors.zh.toml"


def test_the_walk_finds_what_is_said_directly_through_a_name_a_table_and_a_helper() -> None:
    told = all_told()
    assert len(told) > 130
    assert told["A lesson is open already."] == "agent/server.py"
    assert told["No kernel with vhost_net was found in {}."] == "lab/kernel.py"
    assert told["{} does not exist."] == "net/tap.py"
    assert told["try another kernel (--kernel), or our own device (--device embedded)"] == "lab/boot.py"
    assert told["The {} exited with code {}."] == "agent/spawn.py"


def test_nothing_is_translated_that_nobody_says() -> None:
    told = {piece for text in all_told() for piece in pieces(text)}
    assert [english for english in said() if bare(english) not in told] == []


@pytest.mark.parametrize("english", sorted(said()))
def test_both_have_the_same_fields(english: str) -> None:
    one, other = Template.of(english), Template.of(said()[english])
    fields = set(zip(one.names, one.kinds, strict=True))
    assert fields == set(zip(other.names, other.kinds, strict=True)) and len(fields) == len(one.names)
    assert CHINESE.search(said()[english])
    assert {name for _, name, _, _ in string.Formatter().parse(english) if name is not None} == set(one.names)


@pytest.mark.parametrize("english", sorted(english for english in said() if "{" in english))
def test_a_sentence_is_known_again_by_its_own_template(english: str) -> None:
    one = Template.of(english)
    given = {name: "7" if kind == "d" else f"x.y/{name}" for name, kind in zip(one.names, one.kinds, strict=True)}
    assert local("zh", one.fill(given)) == Template.of(said()[english]).fill(given)


@pytest.mark.parametrize("fault", RingFault)
def test_a_fault_is_called_what_the_screen_calls_it(fault: RingFault) -> None:
    assert said()[fault.value] == strings("zh")[f"view.fault.{fault.name.lower()}"]


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        (
            str(CapabilityMissing("kernel", "/dev/vhost-net cannot be opened.", "The kernel says: Busy.", "tour")),
            "无法打开 /dev/vhost-net。\n内核报告：Busy。\n解决办法：tour",
        ),
        ("The agent exited with code 3. Its last words:\nboom. bang",
         "agent 已退出，退出码 3。它最后的输出：\nboom. bang"),
        ("Attempts: 4. Kernel panic. Not syncing.", "尝试次数：4。Kernel panic. Not syncing."),
        ("lab:  1.2 s  the kernel is starting", "实验虚拟机： 1.2 秒  内核正在启动"),
        ("lab: that boot did not come up (no overlay); trying again",
         "实验虚拟机：这次没有启动成功（无法挂载 overlay），正在重试"),
        ("Queue 0: head is outside the descriptor table (at 2, value 0x9). virtio v1.3 2.7.8",
         "队列 0：链头超出描述符表（位置 2，值 0x9）。virtio v1.3 2.7.8"),
        (str(GuestMemoryError(MemoryFault.UNMAPPED, 0x1000, 16)), "客户机地址范围 0x1000+0x10 被拒绝：未映射。"),
        ("The agent exited with code three.", "The agent exited with code three."),
        ("[    0.1] tun: Universal TUN/TAP device driver", "[    0.1] tun: Universal TUN/TAP device driver"),
        ("", ""),
    ],
)  # fmt: skip
def test_our_words_are_chinese_and_others_stay(text: str, chinese: str) -> None:
    assert local("zh", text) == chinese
    assert local("en", text) == text


@pytest.mark.parametrize(
    "seed", ["No lesson is open. ", "a (schema 1; this one reads up to 2). ", ". ", " says ", "\n", "{x}"]
)
def test_a_hostile_text_takes_no_time(seed: str) -> None:
    line = (seed * LONGEST)[:LONGEST]
    began = time.process_time()
    local("zh", "\n".join([line] * 300))
    assert time.process_time() - began < 2


def test_what_is_ours_is_found_before_long_last_words() -> None:
    last = "\n".join(["x" * LONGEST + "x"] * 8)
    assert local("zh", f"It is still running.\n{last}") == f"它仍在运行。\n{last}"


def test_the_command_line_and_the_card_speak_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    error: TourError = RingError(RingFault.FULL, 1, 2, 3)
    error.why, error.fix = "The kernel's tun module is not loaded.", "end that process, then try again"
    explain(error, "zh")
    heard = capsys.readouterr().err
    card = "\n".join(error_card("zh", error).lines)
    for words in ("没有空闲描述符", "内核的 tun 模块没有加载。", "结束那个进程，然后再试"):
        assert words in heard and words in card
    assert "no free descriptor left" in "\n".join(error_card("en", error).lines)
