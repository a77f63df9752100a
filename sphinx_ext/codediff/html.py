"""A block as HTML, on top of whatever a theme's translator does with code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.locale import _
from sphinx.writers.html5 import HTML5Translator

from .align import Row, changed_words
from .nodes import codediff, highlight, rows, sides

STATIC = Path(__file__).parent / "static"
STYLE, SCRIPT = "codediff.css", "codediff.js"

_PRE = re.compile(r"(<pre[^>]*>)(?:<span></span>)?(.*)(</pre>)", re.DOTALL)
_SPAN = re.compile(r"(<span[^>]*>)([^<]*)(</span>)|([^<]+)")
_CHARACTER = re.compile(r"&[^;]+;|.", re.DOTALL)

Ranges = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Line:
    """How one line of a side is to be written.

    Attributes:
        kind: As in ``Row.kinds``.
        words: Ranges of characters that differ from the other side.
        word: The element for these words, ``ins`` or ``del``.
        classes: Further classes.
        number: The line's number, where lines are numbered.
    """

    kind: str | None
    words: Ranges
    word: str
    classes: tuple[str, ...]
    number: int | None


def visit(self: HTML5Translator, node: codediff) -> None:
    """Write the whole block; nothing is left for a departure."""
    found = sides(node)
    label = escape(", ".join(title.astext() for _side, title, _code in found))
    view = f' data-first-view="{node["view"]}"' if "view" in node else ""
    sync = " data-sync" if node["sync"] else ""
    self.body.append(
        f'<div class="codediff-block" role="group" aria-label="{label}"{view}{sync}>\n'
    )
    if isinstance(node[0], nodes.caption):
        self.body.append('<div class="code-block-caption">')
        _write_caption(self, node[0], node)
        self.body.append("</div>\n")
    shown = highlight(node, self.config)
    changes = "codediff-changes" if "changes" in shown else ""
    self.body.append(self.starttag(node, "div", CLASS=changes))
    aligned = rows(node)
    folds = _folds(aligned, found, node.get("context")) if node.get("context") is not None else []
    size = _size(len(aligned) + len(folds) + 1)
    for index, (side, title, code) in enumerate(found):
        ids = nodes.Element(ids=side["ids"])  # without the classes that themes lay out
        self.body.append(self.starttag(ids, "div", CLASS=f"codediff-side {size}"))
        self.body.append('<div class="codediff-title">')
        _write_caption(self, title, side)
        self.body.append("</div>\n")
        lines = _lines(aligned, found, index, shown)
        self.body.append(_write_code(self, code, aligned, index, lines, folds))
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


def _size(rows: int) -> str:
    """Return classes that tell the style sheet, which may not be inline, a number of rows."""
    digits = reversed(str(min(rows, 9999)))
    return " ".join(
        f"cd-{unit}{digit}" for unit, digit in zip("uthk", digits, strict=False) if digit != "0"
    )


def _folds(aligned: Sequence[Row], found: Sequence[Any], context: int) -> list[range]:
    """Return the rows that are folded: the middle of long runs in which nothing differs."""
    marked = [set(code["highlight_args"].get("hl_lines", ())) for _side, _title, code in found]

    def is_plain(numbered: tuple[int, Row]) -> bool:
        return set(numbered[1].kinds) == {"equal"} and not any(
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
        folds.append(range(start, stop))
    return folds


def _lines(
    aligned: Sequence[Row], found: Sequence[Any], index: int, shown: frozenset[str]
) -> Iterator[_Line]:
    """Yield how each line of the side *index* is to be written."""
    code = found[index][2]
    arguments: dict[str, Any] = code.get("highlight_args", {})
    marked = frozenset(arguments.get("hl_lines", ()) if "markers" in shown else ())
    first = arguments.get("linenostart", 1) if code.get("linenos") else None
    texts = [code.astext().split("\n") for _side, _title, code in found]
    for row in aligned:
        line, kind = row.lines[index], row.kinds[index]
        if line is None:
            continue
        words: set[tuple[int, int]] = set()
        if kind == "changed" and "changes" in shown:
            left = row.lines[0]
            for other, right in enumerate(row.lines):
                if left is None or right is None or row.kinds[other] != "changed":
                    continue
                if other and index in (0, other):
                    pair = changed_words(texts[0][left], texts[other][right])
                    words |= set(pair[min(index, 1)])
        yield _Line(
            kind=kind,
            words=_union(words),
            word="ins" if index else "del",
            classes=("hll",) if line + 1 in marked else (),
            number=None if first is None else first + line,
        )


def _union(ranges: set[tuple[int, int]]) -> Ranges:
    """Merge ranges that overlap."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _write_code(
    self: HTML5Translator,
    code: nodes.literal_block,
    aligned: Sequence[Row],
    index: int,
    lines: Iterator[_Line],
    folds: Sequence[range],
) -> str:
    """Write the code as the theme does, then make an element of each row.

    Numbers, signs and gaps are left to the style sheet: the text of ``pre`` is the code.
    """
    plain = code.deepcopy()
    plain["linenos"], plain["highlight_args"] = False, {}
    start = len(self.body)
    plain.walkabout(self)
    written = "".join(self.body[start:])
    del self.body[start:]
    match = _PRE.search(written)
    if match is None:
        return written
    highlighted = iter(match[2].removesuffix("\n").split("\n"))
    elements = [
        "<i></i>" if row.lines[index] is None else _element(next(highlighted), next(lines))
        for row in aligned
    ]
    for fold in reversed(folds):
        label = escape(_("Show {} equal lines").format(len(fold)))
        inner = "".join(elements[fold.start : fold.stop])
        details = f'<details class="{_size(len(fold) + 1)}"><summary aria-label="{label}">'
        elements[fold.start : fold.stop] = [f"{details}</summary>{inner}</details>"]
    return (
        written[: match.start(2)].removesuffix("<span></span>")
        + "".join(elements)
        + written[match.end(2) :]
    )


def _element(html: str, line: _Line) -> str:
    tag = {"inserted": "ins", "deleted": "del"}.get(line.kind or "", "span")
    own = {"changed": ("cd-c",), None: ("cd-b",)}.get(line.kind, ())
    classes = " ".join((*own, *line.classes))
    attributes = f' class="{classes}"' if classes else ""
    if line.number is not None:
        attributes += f' data-line="{line.number}"'
    if line.words:
        html = _mark_words(html, line.words, line.word)
    return f"<{tag}{attributes}>{html}\n</{tag}>"


def _mark_words(html: str, words: Ranges, tag: str) -> str:
    """Put an element around ranges of characters of one highlighted line."""
    edges = sorted({edge for pair in words for edge in pair})
    written, position = [], 0
    if "".join(match[0] for match in _SPAN.finditer(html)) != html:
        return html  # Nested by some other extension: leave it whole.
    for match in _SPAN.finditer(html):
        opening, closing = match[1] or "", match[3] or ""
        characters = _CHARACTER.findall(match[2] if match[1] else match[4])
        end = position + len(characters)
        cuts = [position, *(edge for edge in edges if position < edge < end), end]
        for start, stop in pairwise(cuts):
            text = "".join(characters[start - position : stop - position])
            piece = f"{opening}{text}{closing}"
            marked = any(first <= start < last for first, last in words)
            written.append(f"<{tag}>{piece}</{tag}>" if marked else piece)
        position = end
    return "".join(written).replace(f"</{tag}><{tag}>", "")


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
    words = (_("Side by side"), _("Unified"), _("View"), _("Copy"), _("Copied"))
    context["metatags"] += f'\n<meta name="codediff" content="{escape("|".join(words))}" />'


def add_static_path(_app: Sphinx, config: Config) -> None:
    """Have the style sheet copied next to the theme's.

    Any later than this, the configuration would look changed to the next build.
    """
    config.html_static_path.append(str(STATIC))
