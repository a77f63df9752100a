"""From the content of a directive to its sides.

Imports neither Sphinx nor docutils, and raises nothing on anything an author writes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches

from pygments.lexers import get_lexer_by_name
from pygments.token import String
from pygments.util import ClassNotFound

SEPARATOR = "---"
MARKER = "#!"

_MARKED = re.compile(rf"(?m){MARKER}(?=[^\S\n]*$)")
_UNSPLIT = re.compile(r"\\.|(`+).+?\1")
# Controls of Unicode's bidirectional algorithm: code may do other than it reads (CVE-2021-42574).
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MULTILINE_STRING = re.compile("\"\"\"|'''|`")


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of one side as written."""

    lines: Sequence[str]  # without line ends
    start: int = 0  # index of the first line in the content of the directive
    file: str = ""  # path of the file that the lines come from, if they are not in the content
    numbers: Sequence[int] = ()  # of the lines in that file


@dataclass(frozen=True, slots=True)
class Side:
    """One version of the code in a block."""

    title: str  # as plain text
    group: str  # of doctest
    part: Part  # without markers and without blank lines at its ends
    marked: tuple[int, ...] = ()  # numbers of the lines that the author marked, counted from 1
    skipped: bool = False  # whether the author excluded it from execution

    @property
    def code(self) -> str:
        """The lines, joined by line feeds, without a final one."""
        return "\n".join(self.part.lines)

    @property
    def is_session(self) -> bool:
        """Whether the code is a ``>>>`` session, perhaps below comments."""
        return re.match(r"([ \t]*(#.*)?\n)*>>>", self.code) is not None


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in a directive."""

    kind: str  # the subtype of the warning, as in ``codediff.titles``
    message: str  # what is wrong and how to fix it
    line: int | None = None  # index of a line of the content; None is the directive itself


def split_titles(text: str) -> list[str]:
    """Split a list at its commas, except after a backslash and between back quotes."""
    hidden = _UNSPLIT.sub(lambda match: match[0].replace(",", "\0"), " ".join(text.split()))
    return [title.strip().replace("\0", ",") for title in hidden.split(",")]


def split_names(text: str, titles: Mapping[str, str]) -> list[str]:
    """Split a list of groups, each written as the source of a title or in its plain text."""
    plain = set(titles.values())
    for title in plain:  # a comma inside a title does not separate names
        text = text.replace(title, title.replace(",", "\\,"))
    return [
        name if name in plain else titles.get(name) or re.sub(r"`|\\(.)", r"\1", name)
        for name in (split_titles(text) if text else ())
    ]


def suggest(name: str, known: Collection[str]) -> str:
    """Return the end of a message about an unknown name: the name meant, or all of them."""
    if close := get_close_matches(name, known, n=1):
        return f"did you mean {close[0]!r}?"
    return f"choose one of {', '.join(map(repr, known))}" if known else "none is defined"


def split(lines: Sequence[str], separator: str = SEPARATOR) -> list[Part]:
    """Split content at the lines that hold nothing but the separator; no code gives no part."""
    if all(line.rstrip() in ("", separator) for line in lines):
        return []
    breaks = [index for index, line in enumerate(lines) if line.rstrip() == separator]
    starts, ends = [0, *(index + 1 for index in breaks)], [*breaks, len(lines)]
    return [Part(lines[start:end], start) for start, end in zip(starts, ends, strict=True)]


def parse(
    parts: Sequence[Part],
    *,
    titles: Sequence[str],  # as plain text; empty where the author gave none
    groups: Sequence[str] = (),  # of doctest; where there is none, the title
    skip: Sequence[str] = (),  # groups whose side is shown and not executed
    language: str = "python",  # Pygments' short name, to tell a marker from a string
    fallback: str = "Side {}",  # title for a side that has none, formatted with its number
) -> tuple[list[Side], list[Problem]]:
    """Return a side for each part of a block, and the mistakes found."""
    if not parts:
        return [], [Problem("empty", "the block is empty; write its code below the options")]
    problems = _check_titles(titles, parts)
    # An extra separator at the end begins no side.
    while titles and len(parts) > max(len(titles), 2) and not any(map(str.strip, parts[-1].lines)):
        parts = parts[:-1]
    if "*" in (groups or titles) or (groups and (len(groups) != len(parts) or "" in groups)):
        message = f"{len(parts)} sides need one group each, and '*' cannot be one"
        problems.append(Problem("groups", message))
    sides = []
    for number, part in enumerate(parts):
        title = titles[number] if number < len(titles) else ""
        # The same in every language, unlike the title that readers see.
        group = (groups[number] if number < len(groups) else "") or title or f"Side {number + 1}"
        title = title or fallback.format(number + 1)
        side, mistakes = _side(part, title, group, language, skipped=group in skip)
        sides.append(side)
        problems += mistakes
    known = [side.group for side in sides]
    for name in dict.fromkeys(skip):
        if name not in known:
            message = f"no side belongs to the group {name!r}; {suggest(name, known)}"
            problems.append(Problem("skip_test", message))
    return sides, problems


def _check_titles(titles: Sequence[str], parts: Sequence[Part]) -> list[Problem]:
    """Compare titles and sides; one mistake gives one problem."""
    if not titles:
        message = "there is no title; add an option such as ':title: Before, After'"
    elif len(parts) == 1 and not parts[0].file:
        message = f"there is no separator; put a line {SEPARATOR!r} between two sides"
        return [Problem("separator", message)]
    elif len(parts) != len(titles):
        message = f"{len(titles)} titles for {len(parts)} sides; give each one, or set ':code-sep:'"
        if len(parts) > len(titles) and not parts[0].file:
            return [Problem("titles", message, parts[len(titles)].start - 1)]
    elif "" in titles:
        message = f"title {titles.index('') + 1} is empty; name the side"
    else:
        return []
    return [Problem("titles", message)]


def _side(
    part: Part, title: str, group: str, language: str, *, skipped: bool
) -> tuple[Side, list[Problem]]:
    """Return one side, and the mistakes in its code."""
    code, marked, lone = read_markers(part.lines, language)
    filled = [index for index, line in enumerate(code) if line.strip()]
    first, last = (filled[0], filled[-1]) if filled else (0, -1)
    message = f"{MARKER!r} stands alone; put it at the end of a line of code"
    mistakes = [("marker", message, index) for index in lone]
    for index, line in enumerate(code):
        if control := _BIDI.search(line):
            escape = ascii(control[0])[1:-1]
            message = f"a bidirectional control reorders this line; write {escape} or delete it"
            mistakes.append(("bidi", message, index))
    if not filled and not part.file:
        mistakes.append(("empty", f"the side {title!r} is empty; write it or drop its title", -1))
    kept = slice(first, last + 1)
    trimmed = Part(code[kept], part.start + first, part.file, part.numbers[kept])
    return Side(title, group, trimmed, tuple(index - first + 1 for index in marked), skipped), [
        Problem(kind, message, None if part.file else max(part.start + index, 0))
        for kind, message, index in mistakes
    ]


def read_markers(lines: Sequence[str], language: str) -> tuple[list[str], list[int], list[int]]:
    """Return the lines without markers, and the indices of marked lines and of lone markers.

    A ``#!`` at the end of a line inside a string is code.
    """
    code = "\n".join([*lines, ""])
    ends = {found.end() - 1: code.count("\n", 0, found.end()) for found in _MARKED.finditer(code)}
    if ends and _MULTILINE_STRING.search(code):
        with suppress(ClassNotFound):
            for offset, kind, text in get_lexer_by_name(language).get_tokens_unprocessed(code):
                if MARKER in text and kind in String:  # type: ignore[comparison-overlap]
                    ends = {at: ends[at] for at in ends if not 0 <= at - offset < len(text)}
    shown, marked, lone = list(lines), list[int](), list[int]()
    for index in ends.values():
        shown[index] = lines[index].rstrip().removesuffix(MARKER).rstrip()
        (marked if shown[index] else lone).append(index)
    return shown, marked, lone
