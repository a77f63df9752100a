"""Which lines of a program have to run, and which did, as coverage.py counts them."""

from __future__ import annotations

import ast
import sys
import threading
from collections.abc import Collection, Iterator
from itertools import chain
from types import CodeType, FrameType
from typing import Any

from .data import Piece
from .source import examples, parse


class Lines:
    """The lines of a piece that count; none if it does not compile.

    Attributes:
        first: The first line of the statement that a line of the file belongs to.
        statements: First lines of the statements that have to run.
        excluded: Those that the author marked ``# pragma: no cover``: a marked header excludes
            its block.
    """

    def __init__(self, piece: Piece) -> None:
        self.first: dict[int, int] = {}
        self.excluded: set[int] = set()
        found: set[int] = set()
        marked = {piece.line_numbers[index] for index in piece.no_cover}
        try:
            for example in examples(piece):
                lines = piece.line_numbers[example.lineno :]
                tree = parse(example.source, piece.file, lines)
                for node in ast.walk(tree):  # outer statements before those within them
                    self._add(node, marked)
                found |= set(_lines_of_code(compile(tree, "", "exec", dont_inherit=True)))
        except (SyntaxError, ValueError):
            found = set()
        every = {self.first[line] for line in found & self.first.keys()}
        self.excluded &= every
        self.statements = every - self.excluded

    def _add(self, node: Any, marked: set[int]) -> None:
        """Note the lines of a statement, and which of its blocks are excluded."""
        if not isinstance(node, (ast.stmt, ast.excepthandler, ast.match_case)):
            return
        first: Any = node
        last: Any = node
        if isinstance(node, ast.match_case):  # which has no lines of its own
            first, last = node.pattern, node.body[-1]
        start = min([first.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
        lines = range(start, last.end_lineno + 1)
        self.first.update(dict.fromkeys(lines, start))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
            for line in lines:
                del self.first[line]
        blocks = [getattr(node, name, ()) for name in ("body", "handlers", "orelse", "finalbody")]
        for block in filter(None, blocks):
            if marked & {*range(start, block[0].lineno)}:
                self.excluded.update(range(start, block[-1].end_lineno + 1))
            start = block[-1].end_lineno + 1
        header = range(start, node.cases[0].pattern.lineno) if hasattr(node, "cases") else lines
        if not any(blocks) and marked & {*header}:
            self.excluded.update(lines)


def _lines_of_code(code: CodeType) -> Iterator[int]:
    """Yield the lines that compiled code has instructions for."""
    inner = (_lines_of_code(one) for one in code.co_consts if isinstance(one, CodeType))
    yield from (line for _start, _end, line in code.co_lines() if line)
    yield from chain.from_iterable(inner)


def record_lines(files: Collection[str]) -> dict[str, set[int]]:
    """Return sets, by file, to which the lines of the files are added as they run."""
    lines: dict[str, set[int]] = {file: set() for file in files}
    if sys.version_info >= (3, 12):
        monitoring = sys.monitoring

        def on_line(code: CodeType, line: int) -> Any:
            if code.co_filename in lines:
                lines[code.co_filename].add(line)
            return monitoring.DISABLE  # this line, for it need not be recorded twice

        monitoring.use_tool_id(monitoring.COVERAGE_ID, "codediff")
        monitoring.register_callback(monitoring.COVERAGE_ID, monitoring.events.LINE, on_line)
        monitoring.set_events(monitoring.COVERAGE_ID, monitoring.events.LINE)
        return lines

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename not in lines:
            return None
        if event == "line":
            lines[frame.f_code.co_filename].add(frame.f_lineno)
        return trace

    threading.settrace(trace)
    sys.settrace(trace)
    return lines
