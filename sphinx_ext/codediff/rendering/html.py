"""Write a block as HTML, and load what pages with blocks need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.util.i18n import format_date
from sphinx.writers.html5 import HTML5Translator

from ..directive.nodes import Side, codediff, sides
from .align import Row, changed_words
from .blocks import highlighted, rows
from .highlighting import Ranges, Span, highlight_side, write_line
from .translation import _

STATIC = Path(__file__).parent / "static"
STYLE, SCRIPT = "codediff.css", "codediff.js"

_TAGS: dict[str | None, str] = {"inserted": "ins", "deleted": "del"}
_CLASSES: dict[str | None, str] = {"changed": "cd-c", None: "cd-b"}
_changed_words = lru_cache(maxsize=64)(changed_words)  # called for both sides of a line
_MAX_COMPARED = 4000  # characters of two lines that are compared word by word


def visit(self: HTML5Translator, node: codediff) -> None:
    """Write the whole block, and skip its children.

    Raises:
        SkipNode: Always.
    """
    found = sides(node)
    label = escape(", ".join(title.astext() for _side, title, _code in found))
    view = f' data-first-view="{node["view"]}"' if "view" in node else ""
    sync = " data-sync" if node["sync"] else ""
    aligned = rows(node)
    context = node.get("context")
    folds = [] if context is None else _folds(aligned, found, context)
    size = _size(len(aligned) + len(folds) + 1)
    self.body.append(
        f'<div class="codediff-block {size}" role="group" aria-label="{label}"{view}{sync}>\n'
    )
    if isinstance(node[0], nodes.caption):
        self.body.append('<div class="code-block-caption">')
        _write_caption(self, node[0], node)
        self.body.append("</div>\n")
    shown = highlighted(node, self.config)
    changes = "codediff-changes" if "changes" in shown else ""
    self.body.append(self.starttag(node, "div", CLASS=changes))
    for index, (_side, title, code) in enumerate(found):
        # The name in addresses of pages, where quotes are curled or the title is translated.
        written = escape(node["titles"][index])
        name = f' data-title="{written}"' if written != escape(title.astext()) else ""
        self.body.append(f'<div class="codediff-side"{name}>\n<div class="codediff-title">')
        _write_caption(self, title)
        self.body.append("</div>\n")
        self.body.append(f'<div class="highlight-{escape(code["language"])} notranslate">')
        lines = highlight_side(self, code)
        elements = list(_elements(lines, aligned, found, index, shown))
        for fold in reversed(folds):
            # Translators: of code, two or more.
            label = escape(_("Show {} equal lines").format(len(fold)))
            opening = f'<details class="{_size(len(fold) + 1)}"><summary aria-label="{label}">'
            inner = "".join(elements[fold.start : fold.stop])
            elements[fold.start : fold.stop] = [f"{opening}</summary>{inner}</details>"]
        self.body.append(
            f'<div class="highlight"><pre>{"".join(elements)}</pre></div></div>\n</div>\n'
        )
    self.body.append(f"</div>\n{_stamp(self, node)}</div>\n")
    raise nodes.SkipNode


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


def _size(rows: int) -> str:
    """Return classes that tell the style sheet, which may not be inline, a number of rows."""
    digits = reversed(str(min(rows, 9999)))
    return " ".join(
        f"cd-{unit}{digit}" for unit, digit in zip("uthk", digits, strict=False) if digit != "0"
    )


def _folds(aligned: Sequence[Row], found: Sequence[Side], context: int) -> list[range]:
    """Return the rows that are folded: the middle of long runs in which nothing differs."""
    marked = [set(code["highlight_args"].get("hl_lines", ())) for _side, _title, code in found]

    def is_plain(numbered: tuple[int, Row]) -> bool:
        return set(numbered[1].statuses) == {"equal"} and not any(
            line is not None and line + 1 in lines
            for line, lines in zip(numbered[1].lines, marked, strict=True)
        )

    folds = []
    for plain, run in groupby(enumerate(aligned), is_plain):
        numbers = [number for number, _row in run]
        if not plain or len(numbers) <= 2 * context or len(numbers) == len(aligned):
            continue
        start = numbers[0] + (context if numbers[0] else 0)
        stop = numbers[-1] + 1 - (context if numbers[-1] + 1 < len(aligned) else 0)
        if stop - start > 1:  # what opens a fold takes a line, too
            folds.append(range(start, stop))
    return folds


def _elements(
    spans: Sequence[list[Span]],
    aligned: Sequence[Row],
    found: Sequence[Side],
    index: int,
    shown: frozenset[str],
) -> Iterator[str]:
    """Yield an element for each row of the side *index*.

    Numbers, signs and gaps are left to the style sheet: the text of ``pre`` is the code.
    """
    code = found[index][2]
    arguments: dict[str, Any] = code["highlight_args"]
    marked = frozenset(arguments.get("hl_lines", ()) if "markers" in shown else ())
    first = arguments.get("linenostart", 1) if code.get("linenos") else None
    texts = [code.astext().split("\n") for _side, _title, code in found]
    word = "ins" if index else "del"
    for row in aligned:
        line, kind = row.lines[index], row.statuses[index]
        if line is None:
            yield "<i></i>"
            continue
        changed = kind == "changed" and "changes" in shown
        words = _words(row, texts, index) if changed else ()
        html = write_line(spans[line], words, word)
        if kind == "equal" and first is None and line + 1 not in marked:
            yield f"<span>{html}\n</span>"
            continue
        tag = _TAGS.get(kind, "span")
        classes = " ".join(
            name for name in (_CLASSES.get(kind), "hll" if line + 1 in marked else None) if name
        )
        attributes = f' class="{classes}"' if classes else ""
        if first is not None:
            attributes += f' data-line="{first + line}"'
        yield f"<{tag}{attributes}>{html}\n</{tag}>"


def _words(row: Row, texts: Sequence[Sequence[str]], index: int) -> Ranges:
    """Return the words of a line that differ from the first side's; for the first, from any."""
    lines = [
        None if line is None else text[line] for line, text in zip(row.lines, texts, strict=True)
    ]
    first = lines[0]
    others = [other for other, kind in enumerate(row.statuses) if other and kind == "changed"]
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
    app.add_js_file(SCRIPT, loading_method="defer")
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
