"""From code to highlighted lines: what the rows of a block are made of.

Pygments' own formatter writes a whole block; here each line has to be an element, with the
words that changed inside it marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from html import escape
from itertools import groupby, pairwise

from docutils import nodes
from pygments.filters import ErrorToken
from pygments.lexer import Lexer
from pygments.lexers.python import PythonLexer
from pygments.token import STANDARD_TYPES, Error, _TokenType
from sphinx.writers.html5 import HTML5Translator

from ..directive.invisible import is_plain, keep_in_order, show, unseen

Piece = tuple[str, str]
Ranges = Sequence[tuple[int, int]]
_HIDDEN = "\0"  # in the place of a class
_TRIPLE = re.compile("\"{3}|'{3}")
State = tuple[str, ...]
Memo = dict[tuple[State, str], tuple[list[Piece], State]]
"""For a line and the state before it: its pieces, and the state after it."""


def highlight_side(
    translator: HTML5Translator, code: nodes.literal_block, memo: Memo
) -> list[list[Piece]]:
    """Highlight a side with the lexer and the warnings that Sphinx has for any code block.

    Args:
        translator: Whose highlighter is used.
        code: The side.
        memo: What is known from other sides of the block, and from this one afterwards.

    Returns:
        For each line, pieces of text with their classes, which are empty for plain text.
    """
    language, force = code["language"], code["force"]
    source, bridge = code.astext(), translator.highlighter
    options = translator.config.highlight_options.get(language, {})
    try:
        lexer = bridge.get_lexer(source, language, options, force, location=code)
        lines = _lex(lexer, source + "\n", memo, strict=not force)
    except ErrorToken:
        if language == "default":
            language = "none"
        else:  # Says that the code could not be lexed, with its type and place.
            bridge.highlight_block(source, language, options, force, location=code)
        lexer = bridge.get_lexer(source, language, options, force=True, location=code)
        lines = _lex(lexer, source + "\n", {}, strict=False)
    return lines if is_plain(source.replace("\n", "")) else list(map(_set_apart, lines))


def _set_apart(line: list[Piece]) -> list[Piece]:
    """Make a piece of each character that cannot be seen; what is next to it decides."""
    hidden = set(unseen("".join(text for _name, text in line)))
    if not hidden:
        return line
    parts: list[Piece] = []
    start = 0
    for name, text in line:
        numbered = enumerate(text, start)
        for is_hidden, run in groupby(numbered, lambda one: one[0] in hidden):
            characters = [character for _position, character in run]
            parts += (
                ((_HIDDEN, character) for character in characters)
                if is_hidden
                else [(name, "".join(characters))]
            )
        start += len(text)
    return parts


def _lex(lexer: Lexer, source: str, memo: Memo, *, strict: bool) -> list[list[Piece]]:
    """Split code into tokens, and these into lines, joining neighbours that look the same.

    Python's lexer is line by line but for what it has on its stack: a line that begins in the
    same state as an equal one before, and ends where a token does, has the same tokens.

    Raises:
        ErrorToken: If *strict* and some of the code is not of the lexer's language.
    """
    lines: list[list[Piece]] = []
    line: list[Piece] = []
    # Elsewhere than at the very start, a hash-bang is a comment like any other.
    shares = type(lexer) is PythonLexer and "\n#!" not in source
    state: State = ("root",)
    start = 0
    while start < len(source):
        first, began, start = start, -1, len(source)
        tokens = (
            lexer.get_tokens_unprocessed(source[first:], state)  # type: ignore[call-arg]
            if first
            else lexer.get_tokens_unprocessed(source)
        )
        for position, kind, text in tokens:
            if shares and not line and (now := _state(tokens, position)):
                here = first + position
                passed = source[began:here] if began >= 0 else ""
                # What three quotes begin depends on whether it ends, on whatever line.
                if passed.find("\n") + 1 == len(passed) > 0 and not _TRIPLE.search(passed):
                    memo[state, passed] = lines[-1], now
                began, state = here, now
                end = source.find("\n", here) + 1
                while known := memo.get((state, source[here:end])):
                    lines.append(known[0])
                    state, here, end = known[1], end, source.find("\n", end) + 1
                if here > began:
                    start = here
                    break
            if strict and kind is Error:
                raise ErrorToken(text)
            name = _class(kind)
            for number, part in enumerate(text.split("\n") if "\n" in text else (text,)):
                if number:
                    lines.append(line)
                    line = []
                if part and line and line[-1][0] == name:
                    line[-1] = name, line[-1][1] + part
                elif part:
                    line.append((name, part))
    return lines


def _state(tokens: Iterator[object], position: int) -> State | None:
    """Return a lexer's stack of states, if it is one that has one and a token begins here.

    Pygments has no other way to ask; without an answer, nothing is shared.
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
    if name == _HIDDEN:
        return show(text)
    text = keep_in_order(escape(text, quote=False))
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
