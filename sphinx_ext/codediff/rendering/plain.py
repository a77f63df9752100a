"""Write a block where it cannot be laid out side by side: LaTeX, text, manual pages, Texinfo."""

from __future__ import annotations

from docutils import nodes
from sphinx.writers.latex import LaTeXTranslator
from sphinx.writers.manpage import ManualPageTranslator
from sphinx.writers.texinfo import TexinfoTranslator
from sphinx.writers.text import TextTranslator

from ..directive.nodes import Side, codediff, sides
from .align import align
from .blocks import highlighted, rows

Translator = LaTeXTranslator | ManualPageTranslator | TexinfoTranslator | TextTranslator


def visit(self: Translator, node: codediff) -> None:
    """Prepare the sides to be written one after the other, under the block's caption."""
    if isinstance(node[0], nodes.caption):
        # Outside of HTML, captions are allowed in floats alone.
        node[0] = nodes.paragraph("", "", nodes.strong("", "", *node[0].children))


def depart(self: Translator, node: codediff) -> None:
    """Do nothing: the children have been written."""


def visit_latex(self: LaTeXTranslator, node: codediff) -> None:
    """Highlight the lines that are marked or that differ."""
    shown = highlighted(node, self.config)
    aligned = rows(node)
    for index, (_side, _title, code) in enumerate(sides(node)):
        marked = code["highlight_args"].pop("hl_lines", ())
        lines = set(marked if "markers" in shown else ())
        if "changes" in shown:
            statuses = [row.statuses[index] for row in aligned if row.lines[index] is not None]
            lines |= {
                number for number, status in enumerate(statuses, 1) if status not in ("equal", None)
            }
        if lines:
            code["highlight_args"]["hl_lines"] = sorted(lines)
    visit(self, node)
    self.body.append(self.hypertarget_to(node, anchor=True))


def visit_text(self: ManualPageTranslator | TextTranslator, node: codediff) -> None:
    """Show a unified diff from the first side to each of the others."""
    visit(self, node)
    first, *others = sides(node)
    if others:
        node[node.index(first[0]) :] = [_unified_diff(first, other) for other in others]


def _unified_diff(old: Side, new: Side) -> nodes.literal_block:
    """Return both sides as one block, as ``diff --unified`` does."""
    texts = [code.astext().split("\n") for _side, _title, code in (old, new)]
    written = [f"--- {old[1].astext()}", f"+++ {new[1].astext()}"]
    deleted: list[str] = []
    inserted: list[str] = []
    for row in align(texts):
        left, right = row.lines
        if row.statuses[0] == "equal":
            written += [*deleted, *inserted, f" {texts[0][left or 0]}"]
            deleted, inserted = [], []
            continue
        if left is not None and row.statuses[0]:
            deleted.append(f"-{texts[0][left]}")
        if right is not None and row.statuses[1]:
            inserted.append(f"+{texts[1][right]}")
    text = "\n".join([*written, *deleted, *inserted])
    return nodes.literal_block(text, text, language="diff")
