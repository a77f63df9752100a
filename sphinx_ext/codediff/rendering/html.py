"""Write a block as HTML, and load what pages with blocks need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils import column_width
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.locale import get_translation
from sphinx.util.i18n import format_date
from sphinx.writers.html5 import HTML5Translator

from ..directive.nodes import codediff
from .align import Range, Row, changed_words, join
from .blocks import Block, read
from .highlighting import highlight_side, mark_words

_ = get_translation("codediff")
CATALOGUES = Path(__file__).parent / "locale"  # ``nox -s catalogues`` updates them from the code
STATIC = Path(__file__).parent / "static"
STYLE, SCRIPT = "codediff.css", "codediff.js"

_TAGS: dict[str | None, str] = {"inserted": "ins", "deleted": "del"}
_CLASSES: dict[str | None, str] = {"changed": "cd-c", None: "cd-b"}
_changed_words = lru_cache(maxsize=64)(changed_words)  # called for both sides of a line
_MAX_COMPARED = 4000  # characters of two lines that are compared word by word
_MAX_INDENT = 16  # columns; deeper lines wrap as if they were indented by so many
_TALL = 20  # rows; higher blocks may be divided between pages of paper
_SEGMENTS = 54  # columns of text beside each other for which there is room in a title


def visit(self: HTML5Translator, node: codediff) -> None:
    """Write the whole block, and raise SkipNode, as its children have been written."""
    block = read(node, self.config)
    titles = [title.astext() for _side, title, _code in block.sides]
    view = f' data-first-view="{node["view"]}"' if "view" in node else ""
    sync = " data-sync" if node["sync"] else ""
    # Browsers do not find targets inside an element whose content they skip.
    self.body += [f'<span id="{one}"></span>' for one in node["ids"][1:]]
    ids = f' id="{node["ids"][0]}"' if node["ids"] else ""
    self.body.append(
        f'<div class="{_classes(block, titles)}"{ids} role="group"'
        f' aria-label="{escape(", ".join(titles))}"{view}{sync}>\n'
    )
    if isinstance(node[0], nodes.caption):
        self.body.append('<div class="code-block-caption">')
        self.add_fignumber(node)
        _write_caption(self, node[0])
        self.add_permalink_ref(node, _("Link to this code"))
        self.body.append("</div>\n")
    changes = " codediff-changes" if block.changes else ""
    classes = " ".join([*node["classes"], _number(len(titles))])
    self.body.append(f'<div class="{classes}{changes}">\n')
    for index, (side, title, code) in enumerate(block.sides):
        # The name in addresses of pages, where quotes are curled or the title is translated.
        name = node["titles"][index]
        data = f' data-title="{escape(name)}"' if name != titles[index] else ""
        self.body.append(
            f'<div class="codediff-side {_number(index + 1)}"{data}>\n<div class="codediff-title">'
        )
        _write_caption(self, title)
        html = "".join(_write_chunks(block, index, list(_lines(self, block, index))))
        self.body.append(
            f'</div>\n<div class="highlight-{escape(code["language"])} notranslate">'
            f'<div class="highlight"><pre>{html}</pre></div></div>\n'
        )
        _write_outputs(self, side.children[2:], titles[index])
        self.body.append("</div>\n")
    self.body.append("</div>\n")
    _write_outputs(self, node.children)
    self.body.append(f"{_stamp(self, node)}</div>\n")
    raise nodes.SkipNode


def _write_caption(self: HTML5Translator, caption: nodes.caption) -> None:
    """Write the text of a caption or of a title."""
    self.body.append('<span class="caption-text">')
    for child in caption.children:
        child.walkabout(self)
    self.body.append("</span>")


def _write_outputs(self: HTML5Translator, children: Sequence[nodes.Node], title: str = "") -> None:
    """Write the cell for the output of a side, or of all sides if there is no title."""
    if outputs := [child for child in children if isinstance(child, nodes.literal_block)]:
        data = f' data-title="{escape(title)}"' if title else ""
        # Translators: the label of what code has printed.
        label = f'<div class="codediff-output-label"{data}>{_("Output")}</div>\n'
        self.body.append(f'<div class="codediff-output">\n{label}')
        for output in outputs:
            output.walkabout(self)
        self.body.append("</div>\n")


def _stamp(self: HTML5Translator, node: codediff) -> str:
    """Return the line that says with what, and when, the code was executed; empty if it was not."""
    if "stamp" not in node:
        return ""
    text, day = node["stamp"]["text"], node["stamp"]["date"]
    date = format_date("%x", date=datetime.fromisoformat(day), language=self.config.language)
    time = f'<time datetime="{day}">{escape(date)}</time>'
    return f'<p class="codediff-stamp">{escape(text)}, {time}</p>\n'


def _number(value: int) -> str:
    """Return the class that gives the style sheet a number; a style attribute could be blocked."""
    return f"cd-{min(value, 9)}"


def _classes(block: Block, titles: Sequence[str]) -> str:
    """Return classes for the rows of the grid, tall blocks, and views that fit beside a title."""
    # Rows for titles, outputs, code and the space below it, in the view that needs most.
    split = 2 + sum(1 if chunk.equal else len(chunk.rows) for chunk in block.chunks)
    unified = 2 * len(titles) + sum(1 if chunk.equal else len(titles) for chunk in block.chunks)
    grid = next((size for size in (16, 64, 256, 1024) if size > max(split, unified)), 4096)
    classes = ["codediff-block", f"cd-r{grid}", *["cd-tall"] * (len(block.rows) > _TALL)]
    labels = [_("Side by side"), _("Unified"), *titles, titles[-1]]
    if len(titles) < 3 and sum(map(column_width, labels)) <= _SEGMENTS:
        classes.append("cd-segments")
    return " ".join(classes)


def _write_chunks(block: Block, index: int, lines: Sequence[str]) -> Iterator[str]:
    """Yield the chunks of a side, and, where sides differ, an empty element for each other side."""
    for chunk in block.chunks:
        inner = "".join(lines[chunk.rows.start : chunk.rows.stop])
        if chunk.folded:
            # Translators: of code, two or more.
            label = escape(_("Show {} equal lines").format(len(chunk.rows)))
            # Translators: hide code that is equal in all versions again.
            hide = escape(_("Hide"))
            shown = f'aria-label="{label}" data-show="{label}" data-hide="{hide}"'
            yield f'<details class="cd-e"><summary {shown}></summary>{inner}</details>'
        elif chunk.equal:
            yield f'<span class="cd-e">{inner}</span>'
        else:
            after = len(block.sides) - 1 - index
            yield f'{"<b></b>" * index}<span class="cd-d">{inner}</span>{"<b></b>" * after}'


def _lines(self: HTML5Translator, block: Block, index: int) -> Iterator[str]:
    """Yield an element for each row of the side *index*.

    Numbers, signs and gaps are left to the style sheet: the text of ``pre`` is the code.
    """
    code = block.sides[index][2]
    highlighted = highlight_side(self, code)
    first = code["highlight_args"].get("linenostart", 1)
    for row in block.rows:
        line, status = row.lines[index], row.statuses[index]
        if line is None:
            yield "<i></i>"
            continue
        html = highlighted[line]
        if status == "changed" and block.changes:
            html = mark_words(html, _words(block, row, index), "ins" if index else "del")
        text = block.texts[index][line].expandtabs(4)
        # By which the parts of a wrapped line are indented.
        indent = min(len(text) - len(text.lstrip()), _MAX_INDENT) // 2 * 2
        classes = (
            _CLASSES.get(status),
            "hll" if block.markers and line in block.marked[index] else None,
            f"cd-i{indent}" if indent else None,
        )
        named = " ".join(filter(None, classes))
        attributes = f' class="{named}"' if named else ""
        if code["linenos"]:
            attributes += f' data-line="{first + line}"'
        tag = _TAGS.get(status, "span")
        yield f"<{tag}{attributes}>{html}\n</{tag}>"


def _words(block: Block, row: Row, index: int) -> list[Range]:
    """Return the words of a line that differ from the first side's; for the first, from any."""
    lines = [
        "" if line is None else text[line]
        for line, text in zip(row.lines, block.texts, strict=True)
    ]
    others = [other for other, status in enumerate(row.statuses) if other and status == "changed"]
    ranges: list[Range] = []
    for other in others if index == 0 else [index]:
        if len(lines[0]) + len(lines[other]) < _MAX_COMPARED:
            ranges += _changed_words(lines[0], lines[other])[min(index, 1)]
    return join(lines[index], ranges)


def add_assets(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
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
    """Add the style sheet and the script to the files that Sphinx copies."""
    # When writing starts, after Sphinx has compared the configuration with the last build's: the
    # path differs between installations.
    app.config.html_static_path.append(str(STATIC))
