"""Highlighted code, line by line.

Pygments' own formatter writes a whole block; here each line has to be an element, with the
words that changed inside it marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from html import escape
from itertools import pairwise

from docutils import nodes
from pygments.filters import ErrorToken
from pygments.lexer import Lexer
from pygments.token import STANDARD_TYPES, Error, _TokenType
from sphinx.writers.html5 import HTML5Translator

Span = tuple[str, str]
"""CSS classes, and the text that has them."""
Ranges = Sequence[tuple[int, int]]


def highlight_side(translator: HTML5Translator, code: nodes.literal_block) -> list[list[Span]]:
    """Highlight a side with the lexer and the warnings that Sphinx has for any code block.

    Returns:
        For each line, its text in spans; their classes are empty for plain text.
    """
    language, force = code["language"], code["force"]
    source, bridge = code.astext(), translator.highlighter
    options = translator.config.highlight_options.get(language, {})
    try:
        lexer = bridge.get_lexer(source, language, options, force, location=code)
        return _lex(lexer, source + "\n", strict=not force)
    except ErrorToken:
        if language == "default":
            language = "none"
        else:  # warns that the code could not be lexed, with the type and place of the warning
            bridge.highlight_block(source, language, options, force, location=code)
        lexer = bridge.get_lexer(source, language, options, force=True, location=code)
        return _lex(lexer, source + "\n", strict=False)


def _lex(lexer: Lexer, source: str, *, strict: bool) -> list[list[Span]]:
    """Split code into tokens and these into lines, joining neighbours with the same classes.

    Raises:
        ErrorToken: If *strict* and some of the code is not of the lexer's language.
    """
    lines: list[list[Span]] = []
    line: list[Span] = []
    for _position, kind, text in lexer.get_tokens_unprocessed(source):
        if strict and kind is Error:
            raise ErrorToken(text)
        classes = _css_classes(kind)
        for number, part in enumerate(text.split("\n") if "\n" in text else (text,)):
            if number:
                lines.append(line)
                line = []
            if part and line and line[-1][0] == classes:
                line[-1] = classes, line[-1][1] + part
            elif part:
                line.append((classes, part))
    return lines


@cache
def _css_classes(kind: _TokenType) -> str:
    """Return the short classes that Pygments' style sheets have for a type of token."""
    if kind in STANDARD_TYPES or not kind.parent:
        return STANDARD_TYPES.get(kind, "")
    parents = _css_classes(kind.parent)
    return f"{parents} {parents.rpartition(' ')[2]}-{kind[-1]}"


@lru_cache(maxsize=8192)
def _html(span: Span) -> str:
    classes, text = span
    text = escape(text, quote=False)
    return f'<span class="{classes}">{text}</span>' if classes else text


def write_line(spans: Sequence[Span], words: Ranges, tag: str) -> str:
    """Write a line as HTML.

    Args:
        spans: The spans of the line.
        words: Ranges of characters to mark, in order; no two of them touch.
        tag: The element that marks them, ``ins`` or ``del``.
    """
    if not words:
        return "".join(map(_html, spans))
    edges = [edge for pair in words for edge in pair]
    starts = {start for start, _end in words}
    ends = {end for _start, end in words}
    written, position = [], 0
    for classes, text in spans:
        stop = position + len(text)
        cuts = [position, *(edge for edge in edges if position < edge < stop), stop]
        for start, end in pairwise(cuts):
            if start in starts:
                written.append(f"<{tag}>")
            written.append(_html((classes, text[start - position : end - position])))
            if end in ends:
                written.append(f"</{tag}>")
        position = stop
    return "".join(written)
