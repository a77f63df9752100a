"""What all writers show alike: the rows of a block, and what is highlighted in it."""

from __future__ import annotations

from sphinx.config import Config

from ..directive.nodes import codediff, sides
from .align import Row, align


def rows(block: codediff) -> list[Row]:
    """Return the rows of a block: the lines of its sides, aligned."""
    return align([code.astext().split("\n") for _side, _title, code in sides(block)])


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
