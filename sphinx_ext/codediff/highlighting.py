"""From code to highlighted lines: what the rows of a block are made of.

Pygments' own formatter writes a whole block; here each line has to be an element, with the
words that changed inside it marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from html import escape
from itertools import pairwise

from docutils import nodes
from pygments.filters import ErrorToken
from pygments.lexer import Lexer
from pygments.token import STANDARD_TYPES, Error, _TokenType
from sphinx.writers.html5 import HTML5Translator

Piece = tuple[str, str]
Ranges = Sequence[tuple[int, int]]


@dataclass(slots=True)
class Highlighted:
    """The code of a side as lines of pieces of text, each with its class.

    Attributes:
        source: The code, with a final line feed.
        lines: For each line, pieces of text with their classes, empty for plain text.
        states: What the lexer had on its stack at the start of a line, by position; only
            where a token begins there.
    """

    source: str
    lines: list[list[Piece]] = field(default_factory=list)
    states: dict[int, tuple[str, ...]] = field(default_factory=dict)


def highlight_side(
    translator: HTML5Translator, code: nodes.literal_block, known: Highlighted | None
) -> Highlighted:
    """Highlight a side with the lexer and the warnings that Sphinx has for any code block.

    Args:
        translator: Whose highlighter is used.
        code: The side.
        known: Another side of the block: where both end alike, its work is used again.
    """
    language, force = code["language"], code["force"]
    source, bridge = code.astext(), translator.highlighter
    options = translator.config.highlight_options.get(language, {})
    try:
        lexer = bridge.get_lexer(source, language, options, force, location=code)
        return _lex(lexer, source + "\n", known, strict=not force)
    except ErrorToken:
        if language == "default":
            language = "none"
        else:  # Says that the code could not be lexed, with its type and place.
            bridge.highlight_block(source, language, options, force, location=code)
        lexer = bridge.get_lexer(source, language, options, force=True, location=code)
        return _lex(lexer, source + "\n", None, strict=False)


def _lex(lexer: Lexer, source: str, known: Highlighted | None, *, strict: bool) -> Highlighted:
    """Split code into tokens, and these into lines, joining neighbours that look the same.

    A lexer's outcome depends on its state and on the text that is left. Where both are what
    they were in the *known* side, so is all that follows.

    Raises:
        ErrorToken: If *strict* and some of the code is not of the lexer's language.
    """
    made = Highlighted(source)
    shift = len(known.source) - len(source) if known else 0
    line: list[Piece] = []
    tokens = lexer.get_tokens_unprocessed(source)
    for position, kind, text in tokens:
        if position and source[position - 1] == "\n" and (state := _state(tokens, position)):
            made.states[position] = state
            if (
                known
                and known.states.get(position + shift) == state
                and known.source.endswith(source[position:])
            ):
                made.lines += known.lines[known.source.count("\n", 0, position + shift) :]
                return made
        if strict and kind is Error:
            raise ErrorToken(text)
        name = _class(kind)
        for number, part in enumerate(text.split("\n") if "\n" in text else (text,)):
            if number:
                made.lines.append(line)
                line = []
            if part and line and line[-1][0] == name:
                line[-1] = name, line[-1][1] + part
            elif part:
                line.append((name, part))
    return made


def _state(tokens: Iterator[object], position: int) -> tuple[str, ...] | None:
    """Return a lexer's stack of states, if it is one that has one and a token begins here.

    Pygments has no other way to ask; without an answer, all of the code is lexed.
    """
    frame = getattr(tokens, "gi_frame", None)
    seen = frame.f_locals if frame else {}
    if seen.get("pos") != position or "statestack" not in seen:
        return None
    return tuple(seen["statestack"])


@cache
def _class(kind: _TokenType) -> str:
    """Return the short classes that Pygments' style sheets have for a type of token."""
    if kind in STANDARD_TYPES or not kind.parent:
        return STANDARD_TYPES.get(kind, "")
    parents = _class(kind.parent)
    return f"{parents} {parents.rpartition(' ')[2]}-{kind[-1]}"


@lru_cache(maxsize=8192)
def _html(piece: Piece) -> str:
    name, text = piece
    text = escape(text, quote=False)
    return f'<span class="{name}">{text}</span>' if name else text


def write_line(pieces: Sequence[Piece], words: Ranges, tag: str) -> str:
    """Write a line as HTML.

    Args:
        pieces: What the line is made of.
        words: Ranges of characters to mark, in order and apart.
        tag: The element that marks them, ``ins`` or ``del``.
    """
    if not words:
        return "".join(map(_html, pieces))
    edges = [edge for pair in words for edge in pair]
    starts = {start for start, _end in words}
    ends = {end for _start, end in words}
    written, position = [], 0
    for name, text in pieces:
        stop = position + len(text)
        cuts = [position, *(edge for edge in edges if position < edge < stop), stop]
        for start, end in pairwise(cuts):
            if start in starts:
                written.append(f"<{tag}>")
            written.append(_html((name, text[start - position : end - position])))
            if end in ends:
                written.append(f"</{tag}>")
        position = stop
    return "".join(written)
