"""Which lines of a piece have to run, and statements that record which did.

The syntax tree is instrumented rather than traced: the same code serves every version of Python,
programs that trace or debug themselves are not disturbed, and libraries run at full speed.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .source import examples, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .data import Piece

_Block = list[ast.stmt]


def statements(piece: Piece) -> tuple[set[int], set[int]]:
    """Return the lines of a piece's file that have to run, and those that the author excluded.

    Of each statement the first line counts; a decorated function begins with its first
    decorator. Not among them are docstrings and other constants, ``global``, ``nonlocal`` and
    ``from __future__``. A line marked by the author excludes its statement and, where it is the
    header of a block, the block. A piece that does not compile has no lines.
    """
    marked = {piece.line_numbers[index] for index in piece.no_cover}
    every: set[int] = set()
    counted: set[int] = set()
    try:
        for example in examples(piece):
            tree = parse(example.source, piece.file, piece.line_numbers[example.lineno :], "exec")
            every.update(_first_line(node) for _, node in _counted(tree.body, set()))
            counted.update(_first_line(node) for _, node in _counted(tree.body, marked))
    except (SyntaxError, ValueError):
        return set(), set()
    return counted, every - counted


def instrument(tree: ast.Module, function: str) -> None:
    """Insert a call before each statement that counts, in place.

    Args:
        tree: From `parse`.
        function: Name of a built-in function, which is called with a tuple of lines.
    """
    for block, node in list(_counted(tree.body, set())):
        block.insert(block.index(node), _call(function, node))
    # In modules, coverage.py counts these as well.
    for part in list(ast.walk(tree)):
        if isinstance(part, ast.ExceptHandler):
            part.body.insert(0, _call(function, part))
        elif isinstance(part, ast.Match):
            for case in part.cases:
                case.body.insert(0, _call(function, case.pattern))
    futures = [node for node in tree.body if getattr(node, "module", "") == "__future__"]
    after = tree.body.index(futures[-1]) + 1 if futures else 0
    tree.body[after:after] = [_call(function, node) for node in futures]


def _call(function: str, node: Any) -> ast.stmt:
    """Return the statement that records a node's lines, at the very place of the node."""
    line, column = _first_line(node), node.col_offset
    # Those of decorators, and that of ``def`` itself.
    lines: list[ast.expr] = [ast.Constant(one) for one in range(line, node.lineno + 1)]
    at = {"lineno": line, "col_offset": column, "end_lineno": line, "end_col_offset": column + 1}
    call = ast.Call(ast.Name(function, ast.Load()), [ast.Tuple(lines, ast.Load())], [])
    return ast.fix_missing_locations(ast.Expr(call, **at))


def _first_line(node: Any) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    lines: list[int] = [node.lineno, *(decorator.lineno for decorator in decorators)]
    return min(lines)


def _clauses(node: ast.stmt) -> list[tuple[int, _Block]]:
    """Return the blocks of a compound statement, each with the line where its header begins."""
    clauses: list[tuple[int, _Block]] = []
    if body := getattr(node, "body", None):
        clauses.append((_first_line(node), body))
    clauses += ((one.lineno, one.body) for one in getattr(node, "handlers", ()))
    clauses += ((one.pattern.lineno, one.body) for one in getattr(node, "cases", ()))
    for name in ("orelse", "finalbody"):
        if block := getattr(node, name, None):
            clauses.append(((clauses[-1][1][-1].end_lineno or 0) + 1, block))
    return clauses


def _counted(block: _Block, marked: set[int]) -> Iterator[tuple[_Block, ast.stmt]]:
    """Yield each statement that counts, after the block that holds it.

    Args:
        block: Statements, of which the nested ones are yielded too.
        marked: Lines that exclude the statement or the block whose header they are in.
    """
    for node in tuple(block):
        clauses = _clauses(node)
        end = node.subject.end_lineno if isinstance(node, ast.Match) else node.end_lineno
        if clauses and not isinstance(node, ast.Match):
            end = max(_first_line(node), _first_line(clauses[0][1][0]) - 1)
        if not marked.isdisjoint(range(_first_line(node), (end or 0) + 1)):
            clauses = [] if isinstance(node, ast.Match) else clauses[1:]
        elif _counts(node):
            yield block, node
        for start, inner in clauses:
            if marked.isdisjoint(range(start, _first_line(inner[0]))):
                yield from _counted(inner, marked)


def _counts(node: ast.stmt) -> bool:
    match node:
        case ast.Global() | ast.Nonlocal() | ast.Expr(value=ast.Constant()):
            return False
        case ast.ImportFrom(module="__future__"):
            return False
    return True
