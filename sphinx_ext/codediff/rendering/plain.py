"""Write a block where it cannot be laid out side by side: LaTeX, text, manual pages, Texinfo."""

from __future__ import annotations

from difflib import unified_diff

from docutils import nodes
from sphinx.writers.latex import LaTeXTranslator
from sphinx.writers.manpage import ManualPageTranslator
from sphinx.writers.texinfo import TexinfoTranslator
from sphinx.writers.text import TextTranslator

from ..directive.nodes import Side, codediff, sides
from .blocks import read

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
    block = read(node, self.config)
    for index, (_side, _title, code) in enumerate(block.sides):
        lines = set(block.marked[index] if block.markers else ())
        if block.changes:
            for row in block.rows:
                line = row.lines[index]
                if line is not None and row.statuses[index] not in ("equal", None):
                    lines.add(line)
        code["highlight_args"]["hl_lines"] = [line + 1 for line in sorted(lines)]
    visit(self, node)
    self.body.append(self.hypertarget_to(node, anchor=True))


def visit_text(self: ManualPageTranslator | TextTranslator, node: codediff) -> None:
    """Show a unified diff from the first side to each of the others."""
    visit(self, node)
    first, *others = sides(node)
    if others:
        node[node.index(first[0]) :] = [_unified_diff(first, other) for other in others]


def _unified_diff(old: Side, new: Side) -> nodes.literal_block:
    """Return both sides as one block, as ``diff --unified`` does, without hunk headers."""
    left, right = (code.astext().splitlines() for _side, _title, code in (old, new))
    changes = list(unified_diff(left, right, n=len(left), lineterm=""))[3:]
    lines = [f"--- {old[1].astext()}", f"+++ {new[1].astext()}"]
    lines += changes or [f" {line}" for line in left]
    text = "\n".join(lines)
    return nodes.literal_block(text, text, language="diff")
