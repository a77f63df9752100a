"""Highlighted code, line by line, with the words that changed inside a line marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape, unescape
from itertools import chain, pairwise

from docutils import nodes
from sphinx.writers.html5 import HTML5Translator

from .align import Range

_SPAN = re.compile(r'(<span class="[^"]*">)?([^<]+)(?:</span>)?')


def highlight_side(translator: HTML5Translator, code: nodes.literal_block) -> list[str]:
    """Return the lines of a side as HTML, as Sphinx highlights any code block.

    Elements end where a line ends, and are not nested.
    """
    source, language = code.astext(), code["language"]
    options = translator.config.highlight_options.get(language, {})
    html = translator.highlighter.highlight_block(
        source, language, options, force=code["force"], location=code, nowrap=True
    )
    return html.split("\n")


def mark_words(html: str, words: Sequence[Range], tag: str) -> str:
    """Mark ranges of the characters of a highlighted line.

    Args:
        html: The line.
        words: The ranges, in order; no two of them touch.
        tag: The element that marks them, ``ins`` or ``del``.
    """
    starts, ends = {start for start, _end in words}, {end for _start, end in words}
    written, position = [], 0
    for opening, escaped in _SPAN.findall(html):
        text = unescape(escaped)
        stop = position + len(text)
        inner = (edge for edge in chain(*words) if position < edge < stop)
        for start, end in pairwise([position, *inner, stop]):
            part = escape(text[start - position : end - position])
            written += [f"<{tag}>"] if start in starts else []
            written.append(f"{opening}{part}</span>" if opening else part)
            written += [f"</{tag}>"] if end in ends else []
        position = stop
    return "".join(written)
