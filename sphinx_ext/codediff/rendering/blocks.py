"""What all writers show alike: the rows of a block, its chunks, and what is highlighted."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sphinx.config import Config

from ..directive.nodes import Side, codediff, sides
from .align import Row, align


@dataclass(frozen=True, slots=True)
class Chunk:
    """Successive rows that are shown together."""

    rows: range  # indices of the rows
    equal: bool  # whether all sides have the same lines there
    folded: bool = False  # whether the rows are hidden until a reader asks for them


@dataclass(frozen=True, slots=True)
class Block:
    """The data from which writers produce a block."""

    sides: list[Side]
    texts: list[list[str]]  # the lines of each side
    rows: list[Row]
    chunks: list[Chunk]
    marked: list[set[int]]  # indices of the lines that the author marked, of each side
    markers: bool  # whether these are highlighted
    changes: bool  # whether lines and words that differ are highlighted


def read(node: codediff, config: Config) -> Block:
    """Return the data of a block for its writers."""
    found = sides(node)
    texts = [code.astext().split("\n") for _side, _title, code in found]
    numbers = [code["highlight_args"].get("hl_lines", ()) for _side, _title, code in found]
    marked = [{number - 1 for number in side} for side in numbers]
    mode = node.get("highlight") or config.codediff_highlight
    mode = mode or ("markers" if any(marked) else "changes")
    rows = align(texts)
    return Block(
        found,
        texts,
        rows,
        list(_chunks(rows, marked, node.get("context"))),
        marked,
        markers=mode in {"markers", "both"},
        changes=mode in {"changes", "both"},
    )


def _chunks(
    rows: Sequence[Row], marked: Sequence[set[int]], context: int | None
) -> Iterator[Chunk]:
    """Divide rows into chunks that are equal and chunks that differ, in turn.

    The middle of long equal runs without marked lines is folded, except *context* rows at each
    end, if that is not None.
    """

    def kind(index: int) -> tuple[bool, bool]:
        row = rows[index]
        equal = set(row.statuses) == {"equal"}
        is_marked = any(map(operator.contains, marked, row.lines))
        return equal, equal and context is not None and not is_marked

    total, margin = len(rows), context or 0
    for (equal, foldable), group in groupby(range(total), kind):
        run = list(group)
        first, last = run[0], run[-1] + 1
        start, stop = first + (margin if first else 0), last - (margin if last < total else 0)
        # A fold is longer than the line that opens it, and not the whole block.
        if foldable and stop - start > 1 and len(run) < total:
            if first < start:
                yield Chunk(range(first, start), equal=True)
            yield Chunk(range(start, stop), equal=True, folded=True)
            first = stop
        if first < last:
            yield Chunk(range(first, last), equal)
