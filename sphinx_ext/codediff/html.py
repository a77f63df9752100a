"""A block as HTML, on top of whatever a theme's translator does with code."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.locale import _
from sphinx.writers.html5 import HTML5Translator

from .nodes import codediff, sides

STATIC = Path(__file__).parent / "static"
STYLE = "codediff.css"

_PRE = re.compile(r"(<pre[^>]*>(?:<span></span>)?)(.*)(</pre>)", re.DOTALL)


def visit(self: HTML5Translator, node: codediff) -> None:
    """Write the whole block; nothing is left for a departure."""
    found = sides(node)
    label = escape(", ".join(title.astext() for _side, title, _code in found))
    self.body.append(f'<div class="codediff-block" role="group" aria-label="{label}">\n')
    if isinstance(node[0], nodes.caption):
        self.body.append('<div class="code-block-caption">')
        _write_caption(self, node[0], node)
        self.body.append("</div>\n")
    self.body.append(self.starttag(node, "div"))
    for side, title, code in found:
        self.body.append(
            self.starttag(nodes.Element(ids=side["ids"]), "div", CLASS="codediff-side")
        )
        self.body.append('<div class="codediff-title">')
        _write_caption(self, title, side)
        self.body.append("</div>\n")
        _write_code(self, code)
        self.body.append("</div>\n")
    self.body.append("</div>\n</div>\n")
    raise nodes.SkipNode


def _write_caption(self: HTML5Translator, caption: nodes.caption, owner: nodes.Element) -> None:
    """Write a caption's text, with its number and permanent link where it has them."""
    self.add_fignumber(owner)
    self.body.append(self.starttag(caption, "span", "", CLASS="caption-text"))
    for child in caption.children:
        child.walkabout(self)
    self.body.append("</span>")
    self.add_permalink_ref(owner, _("Link to this code"))


def _write_code(self: HTML5Translator, code: nodes.literal_block) -> None:
    """Write the code as the theme does, then make an element of each line.

    Numbers and marks are left to the style sheet, since the text of ``pre`` is the code.
    """
    plain = code.deepcopy()
    plain["linenos"], plain["highlight_args"] = False, {}
    start = len(self.body)
    plain.walkabout(self)
    written = "".join(self.body[start:])
    del self.body[start:]
    arguments: dict[str, Any] = code.get("highlight_args", {})
    marked = frozenset(arguments.get("hl_lines", ()))
    number = arguments.get("linenostart", 1) if code.get("linenos") else None
    self.body.append(_PRE.sub(lambda match: _split_lines(match, marked, number), written))


def _split_lines(match: re.Match[str], marked: frozenset[int], number: int | None) -> str:
    opening, highlighted, closing = match.groups()
    lines = []
    for index, line in enumerate(highlighted.removesuffix("\n").split("\n")):
        hll = " hll" if index + 1 in marked else ""
        numbered = "" if number is None else f' data-line="{number + index}"'
        lines.append(f'<span class="codediff-line{hll}"{numbered}>{line}\n</span>')
    return opening + "".join(lines) + closing


def add_assets(
    app: Sphinx, _page: str, _template: str, _context: object, doctree: nodes.document | None
) -> None:
    """Load the style sheet on pages that have a block."""
    if doctree is not None and next(doctree.findall(codediff), None) is not None:
        app.add_css_file(STYLE)


def add_static_path(_app: Sphinx, config: Config) -> None:
    """Have the style sheet copied next to the theme's.

    Any later than this, the configuration would look changed to the next build.
    """
    config.html_static_path.append(str(STATIC))
