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
    """Successive rows that are shown together."""

    rows: range  # indices of the rows
    equal: bool  # whether all sides have the same lines there
    folded: bool = False  # whether the rows are hidden until a reader asks for them


def rows(block: codediff) -> list[Row]:
    """Return the rows of a block: the lines of its sides, aligned."""
    return align([code.astext().split("\n") for _side, _title, code in sides(block)])


def chunks(block: codediff, aligned: Sequence[Row]) -> list[Chunk]:
    """Divide rows into chunks that are equal and chunks that differ, in turn.

    With the option ``:context:``, the middle of long equal runs without marked lines is folded.
    """
    marked = [
        set(code["highlight_args"].get("hl_lines", ())) for _side, _title, code in sides(block)
    ]
    context: int | None = block.get("context")

    def kind(row: int) -> tuple[bool, bool]:
        equal = set(aligned[row].statuses) == {"equal"}
        pairs = zip(aligned[row].lines, marked, strict=True)
        is_marked = any(line is not None and line + 1 in lines for line, lines in pairs)
        return equal, equal and context is not None and not is_marked

    found = list[Chunk]()
    for (equal, foldable), group in groupby(range(len(aligned)), kind):
        run = list(group)
        chunk = Chunk(range(run[0], run[-1] + 1), equal)
        found += _fold(chunk, context or 0, len(aligned)) if foldable else [chunk]
    return found


def _fold(chunk: Chunk, context: int, total: int) -> list[Chunk]:
    """Fold the middle of an equal run, if it is longer than the line that opens the fold."""
    rows = chunk.rows
    start = rows.start + (context if rows.start else 0)
    stop = rows.stop - (context if rows.stop < total else 0)
    if len(rows) == total or stop - start < 2:
        return [chunk]
    parts = [
        Chunk(range(rows.start, start), True),
        Chunk(range(start, stop), True, folded=True),
        Chunk(range(stop, rows.stop), True),
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
