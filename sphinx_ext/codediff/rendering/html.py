"""Write a block as HTML, and load what pages with blocks need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils import column_width
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.util.i18n import format_date
from sphinx.writers.html5 import HTML5Translator

from ..directive.nodes import Side, codediff, sides
from .align import Row, changed_words
from .blocks import Chunk, chunks, highlighted, rows
from .highlighting import Ranges, Span, highlight_side, write_line
from .outputs import Outputs
from .translation import _

STATIC = Path(__file__).parent / "static"
STYLE, SCRIPT = "codediff.css", "codediff.js"

_TAGS: dict[str | None, str] = {"inserted": "ins", "deleted": "del"}
_CLASSES: dict[str | None, str] = {"changed": "cd-c", None: "cd-b"}
_changed_words = lru_cache(maxsize=64)(changed_words)  # called for both sides of a line
_MAX_COMPARED = 4000  # characters of two lines that are compared word by word
_MAX_INDENT = 16  # columns; deeper lines wrap as if they were indented by so many
_TALL = 20  # rows; in higher blocks the titles stay in sight
_SEGMENTS = 54  # columns of text beside each other for which there is room in a title


@dataclass(frozen=True)
class _Block:
    """What the lines of all sides of a block are written from."""

    sides: list[Side]
    rows: list[Row]
    chunks: list[Chunk]
    shown: frozenset[str]
    texts: list[list[str]]


def visit(self: HTML5Translator, node: codediff) -> None:
    """Write the whole block, and skip its children.

    Raises:
        SkipNode: Always.
    """
    found, aligned = sides(node), rows(node)
    texts = [code.astext().split("\n") for _side, _title, code in found]
    shown = highlighted(node, self.config)
    block = _Block(found, aligned, chunks(node, aligned), shown, texts)
    titles = [title.astext() for _side, title, _code in found]
    view = f' data-first-view="{node["view"]}"' if "view" in node else ""
    sync = " data-sync" if node["sync"] else ""
    classes = ["codediff-block", f"cd-r{_grid_rows(block)}", *_room(block, titles)]
    self.body.append(
        f'<div class="{" ".join(classes)}" role="group" aria-label="{escape(", ".join(titles))}"'
        f"{view}{sync}>\n"
    )
    if isinstance(node[0], nodes.caption):
        self.body.append('<div class="code-block-caption">')
        _write_caption(self, node[0], node)
        self.body.append("</div>\n")
    changes = ["codediff-changes"] if "changes" in shown else []
    self.body.append(self.starttag(node, "div", CLASS=" ".join([_number(len(found)), *changes])))
    outputs: Outputs = node.get("outputs", Outputs())
    for index in range(len(found)):
        _write_side(self, block, index, node["titles"][index], outputs)
    self.body.append("</div>\n")
    _write_outputs(self, outputs.shared)
    self.body.append(f"{_stamp(self, node)}</div>\n")
    raise nodes.SkipNode


def _write_side(
    self: HTML5Translator, block: _Block, index: int, name: str, outputs: Outputs
) -> None:
    """Write a side: its title, its code, and what its code has printed."""
    _side, title, code = block.sides[index]
    # The name in addresses of pages, where quotes are curled or the title is translated.
    data = f' data-title="{escape(name)}"' if name != title.astext() else ""
    self.body.append(
        f'<div class="codediff-side {_number(index + 1)}"{data}>\n<div class="codediff-title">'
    )
    _write_caption(self, title)
    self.body.append("</div>\n")
    lines = list(_lines(self, block, index))
    html = "".join(_write_chunks(block, index, lines))
    self.body.append(
        f'<div class="highlight-{escape(code["language"])} notranslate">'
        f'<div class="highlight"><pre>{html}</pre></div></div>\n'
    )
    _write_outputs(self, outputs.of_sides.get(index, []), title.astext())
    self.body.append("</div>\n")


def _write_outputs(
    self: HTML5Translator, outputs: Sequence[nodes.literal_block], title: str = ""
) -> None:
    """Write the cell for the output of a side, or of all sides if there is no title."""
    if outputs:
        data = f' data-title="{escape(title)}"' if title else ""
        # Translators: the label of what code has printed.
        word = _("Output")
        label = f'<div class="codediff-output-label"{data}>{word}</div>\n'
        self.body.append(f'<div class="codediff-output">\n{label}')
        for output in outputs:
            output.walkabout(self)
        self.body.append("</div>\n")


def _write_caption(
    self: HTML5Translator, caption: nodes.caption, block: codediff | None = None
) -> None:
    """Write a title, or the caption of a block with its number and permanent link."""
    if block:
        self.add_fignumber(block)
    self.body.append('<span class="caption-text">')
    for child in caption.children:
        if isinstance(child, nodes.Text):
            self.visit_Text(child)
        else:
            child.walkabout(self)
    self.body.append("</span>")
    if block:
        self.add_permalink_ref(block, _("Link to this code"))


def _stamp(self: HTML5Translator, block: codediff) -> str:
    """Return the line that says with what, and when, the code was executed; empty if it was not."""
    if "stamp" not in block:
        return ""
    text, day = block["stamp"]["text"], block["stamp"]["date"]
    date = format_date("%x", date=datetime.fromisoformat(day), language=self.config.language)
    time = f'<time datetime="{day}">{escape(date)}</time>'
    return f'<p class="codediff-stamp">{escape(text)}, {time}</p>\n'


def _number(value: int) -> str:
    """Return the class that gives the style sheet a number; a style attribute could be blocked."""
    return f"cd-{min(value, 9)}"


def _grid_rows(block: _Block) -> int:
    """Return how many rows the grid has: at least those that any view needs.

    A row each is for titles and outputs, in the unified view for those of each side; one is for
    the space below the code.
    """
    count = len(block.sides)
    split = sum(1 if chunk.equal else len(chunk.rows) for chunk in block.chunks)
    unified = sum(1 if chunk.equal else count for chunk in block.chunks)
    rows = max(2 + split, 2 * count + unified) + 1
    return next((size for size in (16, 64, 256, 1024) if size >= rows), 4096)


def _room(block: _Block, titles: Sequence[str]) -> list[str]:
    """Return classes for blocks that are tall, and where all views fit beside a title."""
    classes = ["cd-tall"] if len(block.rows) > _TALL else []
    labels = [_("Side by side"), _("Unified"), *titles, titles[-1]]
    if len(titles) < 3 and sum(map(column_width, labels)) <= _SEGMENTS:
        classes.append("cd-segments")
    return classes


def _write_chunks(block: _Block, index: int, lines: Sequence[str]) -> Iterator[str]:
    """Yield the chunks of a side, and, where sides differ, an empty element for each other side."""
    for chunk in block.chunks:
        inner = "".join(lines[chunk.rows.start : chunk.rows.stop])
        if chunk.folded:
            # Translators: of code, two or more.
            label = escape(_("Show {} equal lines").format(len(chunk.rows)))
            # Translators: hide code that is equal in all versions again.
            hide = escape(_("Hide"))
            shown = f'aria-label="{label}" data-show="{label}" data-hide="{hide}"'
            summary = f"<summary {shown}></summary>"
            yield f'<details class="cd-e">{summary}{inner}</details>'
        elif chunk.equal:
            yield f'<span class="cd-e">{inner}</span>'
        else:
            yield "<b></b>" * index
            yield f'<span class="cd-d">{inner}</span>'
            yield "<b></b>" * (len(block.sides) - 1 - index)


def _lines(self: HTML5Translator, block: _Block, index: int) -> Iterator[str]:
    """Yield an element for each row of the side *index*.

    Numbers, signs and gaps are left to the style sheet: the text of ``pre`` is the code.
    """
    code = block.sides[index][2]
    spans: Sequence[list[Span]] = highlight_side(self, code)
    arguments: dict[str, Any] = code["highlight_args"]
    marked = frozenset(arguments.get("hl_lines", ()) if "markers" in block.shown else ())
    first = arguments.get("linenostart", 1) if code.get("linenos") else None
    for row in block.rows:
        line, status = row.lines[index], row.statuses[index]
        if line is None:
            yield "<i></i>"
            continue
        changed = status == "changed" and "changes" in block.shown
        words = _words(row, block.texts, index) if changed else ()
        html = write_line(spans[line], words, "ins" if index else "del")
        classes = (
            _CLASSES.get(status),
            "hll" if line + 1 in marked else None,
            _indent(block.texts[index][line]),
        )
        named = " ".join(filter(None, classes))
        attributes = f' class="{named}"' if named else ""
        if first is not None:
            attributes += f' data-line="{first + line}"'
        tag = _TAGS.get(status, "span")
        yield f"<{tag}{attributes}>{html}\n</{tag}>"


@lru_cache(maxsize=1024)
def _indent(line: str) -> str | None:
    """Return the class for the indentation of a line, by which its wrapped parts are indented."""
    line = line.expandtabs(4)
    columns = min(len(line) - len(line.lstrip()), _MAX_INDENT) // 2 * 2
    return f"cd-i{columns}" if columns else None


def _words(row: Row, texts: Sequence[Sequence[str]], index: int) -> Ranges:
    """Return the words of a line that differ from the first side's; for the first, from any."""
    lines = [
        None if line is None else text[line] for line, text in zip(row.lines, texts, strict=True)
    ]
    first = lines[0]
    others = [other for other, status in enumerate(row.statuses) if other and status == "changed"]
    ranges: set[tuple[int, int]] = set()
    for other in others if index == 0 else [index]:
        line = lines[other]
        if first is not None and line is not None and len(first) + len(line) < _MAX_COMPARED:
            ranges |= set(_changed_words(first, line)[min(index, 1)])
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def add_assets(
    app: Sphinx,
    _page: str,
    _template: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Load the style sheet and the script on pages that have a block."""
    if doctree is None or next(doctree.findall(codediff), None) is None:
        return
    app.add_css_file(STYLE)
    # Not deferred: the script decides the view of each block before the first paint.
    app.add_js_file(SCRIPT)
    words = (
        # Translators: views of a block, as in git's "split" and "unified" differences.
        _("Side by side"),
        _("Unified"),
        # Translators: the name of the list in which a view is chosen.
        _("View"),
        # Translators: the name of a button, followed by a colon and the title of the code.
        _("Copy"),
        # Translators: said once the code has been copied.
        _("Copied"),
    )
    context["metatags"] += f'\n<meta name="codediff" content="{escape("|".join(words))}" />'


def add_static_path(app: Sphinx, _builder: Builder) -> None:
    """Add the style sheet and the script to the files that Sphinx copies.

    Called when writing starts: set earlier, the path of the installation would be part of the
    configuration that Sphinx compares between builds.
    """
    app.config.html_static_path.append(str(STATIC))
