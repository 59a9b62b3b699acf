"""Small changes to a solution, one at a time: what a check that tests anything has to notice."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.And: ast.Or, ast.Or: ast.And, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


class Mutant(NamedTuple):
    """``what`` names the change by its line's text and what it became; ``source`` is the whole module."""

    what: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every single change of an operator, a comparison, a number, a condition, or a call left out."""
    same = ast.unparse(ast.parse(source))
    for at, node in enumerate(ast.walk(ast.parse(source))):
        for n in range(_ways(node)):
            tree = ast.parse(source)
            twin = list(ast.walk(tree))[at]
            line = source.splitlines()[twin.lineno - 1].strip()  # type: ignore[attr-defined]
            _change(twin, n)
            text = ast.unparse(ast.fix_missing_locations(tree))
            if text != same:
                yield Mutant(f"{line} -> {ast.unparse(twin).splitlines()[0]}", text)


def _ways(node: ast.AST) -> int:
    """How many changes there are for this node."""
    match node:
        case ast.BinOp(op=op) | ast.AugAssign(op=op) | ast.BoolOp(op=op):
            return int(type(op) in SWAPPED)
        case ast.Compare(ops=ops):
            return int(type(ops[0]) in SWAPPED)
        case ast.Constant(value=bool()):
            return 0
        case ast.Constant(value=int()):
            return 2
        case ast.If() | ast.While():
            return 2
        case ast.UnaryOp(op=ast.Not()):
            return 1
        case ast.Expr(value=ast.Call()):
            return 1
        case ast.Return(value=value) if value is not None:
            return 1
    return 0


def _change(node: ast.AST, n: int) -> None:
    match node:
        case ast.BinOp() | ast.AugAssign() | ast.BoolOp():
            node.op = SWAPPED[type(node.op)]()  # type: ignore[assignment]
        case ast.Compare():
            node.ops[0] = SWAPPED[type(node.ops[0])]()  # type: ignore[assignment]
        case ast.Constant(value=int(value)):
            node.value = value + 1 if n == 0 else value - 1
        case ast.If() | ast.While():
            node.test = ast.Constant(n == 0)
        case ast.UnaryOp():
            node.op = ast.UAdd()
            node.operand = ast.Call(ast.Name("bool", ast.Load()), [node.operand], [])
        case ast.Expr():
            node.value = ast.Constant(None)
        case ast.Return():
            node.value = ast.Constant(None)
