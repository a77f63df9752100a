"""What all writers show alike: the rows of a block, its chunks, and what is highlighted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sphinx.config import Config

from ..directive.nodes import codediff, sides
from .align import Row, align


@dataclass(frozen=True, slots=True)
class Chunk:
    """Successive rows that are shown together.

    Attributes:
        rows: Indices of the rows.
        equal: Whether all sides have the same lines there.
        folded: Whether the rows are hidden until a reader asks for them.
    """

    rows: range
    equal: bool
    folded: bool = False


def rows(block: codediff) -> list[Row]:
    """Return the rows of a block: the lines of its sides, aligned."""
    return align([code.astext().split("\n") for _side, _title, code in sides(block)])


def chunks(block: codediff, aligned: Sequence[Row]) -> list[Chunk]:
    """Divide rows into chunks that are equal and chunks that differ, in turn.

    With the option ``:context:``, the middle of long equal runs without marked lines is folded.
    """
    found = []
    for equal, group in groupby(range(len(aligned)), lambda row: _is_equal(aligned[row])):
        run = list(group)
        found.append(Chunk(range(run[0], run[-1] + 1), equal))
    if "context" not in block:
        return found
    marked = [
        set(code["highlight_args"].get("hl_lines", ())) for _side, _title, code in sides(block)
    ]

    def is_plain(row: int) -> bool:
        pairs = zip(aligned[row].lines, marked, strict=True)
        return not any(line is not None and line + 1 in lines for line, lines in pairs)

    return [
        part
        for chunk in found
        for plain, group in groupby(chunk.rows, is_plain)
        for part in _fold(list(group), chunk, plain, block["context"], len(aligned))
    ]


def _is_equal(row: Row) -> bool:
    return set(row.statuses) == {"equal"}


def _fold(run: list[int], chunk: Chunk, plain: bool, context: int, total: int) -> list[Chunk]:
    """Fold the middle of an equal run, if it is longer than the line that opens the fold."""
    start = run[0] + (context if run[0] else 0)
    stop = run[-1] + 1 - (context if run[-1] + 1 < total else 0)
    if not (chunk.equal and plain) or len(run) == total or stop - start < 2:
        return [Chunk(range(run[0], run[-1] + 1), chunk.equal)]
    parts = [
        Chunk(range(run[0], start), True),
        Chunk(range(start, stop), True, folded=True),
        Chunk(range(stop, run[-1] + 1), True),
    ]
    return [part for part in parts if part.rows]


def highlighted(block: codediff, config: Config) -> frozenset[str]:
    """Return which of ``markers`` and ``changes`` a block highlights."""
    mode = block.get("highlight") or config.codediff_highlight
    if mode == "both":
        return frozenset({"markers", "changes"})
    if mode == "none":
        return frozenset()
    if mode is None:
        marked = any(code["highlight_args"].get("hl_lines") for _side, _title, code in sides(block))
        mode = "markers" if marked else "changes"
    return frozenset({mode})
