"""From the content of a directive to its sides.

Imports neither Sphinx nor docutils, and raises nothing on anything an author writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches

from pygments.lexers import get_lexer_by_name
from pygments.token import String
from pygments.util import ClassNotFound

from .invisible import explain, is_plain

SEPARATOR = "---"
MARKER = "#!"

_UNSPLIT = re.compile(r"\\.|(`+).+?\1")


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of one side as written.

    Attributes:
        lines: Without line ends.
        start: Index of the first line in the content of the directive.
        file: Path of the file that the lines come from; empty if they are in the content.
        numbers: The line number in that file of each line.
    """

    lines: Sequence[str]
    start: int = 0
    file: str = ""
    numbers: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One version of the code in a block.

    Attributes:
        title: As plain text.
        group: The doctest group that it belongs to.
        code: Its lines joined by line feeds, without a final one.
        start: Index of its first line of code in the content of the directive.
        file: Path of the file that the code comes from; empty if it is in the content.
        numbers: The line number in that file of each line of code.
        marked: Numbers of the lines that the author marked, counted from 1.
        skipped: Whether the author excluded it from execution.
    """

    title: str
    group: str
    code: str
    start: int
    file: str = ""
    numbers: tuple[int, ...] = ()
    marked: tuple[int, ...] = ()
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in a directive.

    Attributes:
        kind: The subtype of the warning, as in ``codediff.titles``.
        message: What is wrong and how to fix it.
        line: Index of a line of the content; None stands for the directive itself.
    """

    kind: str
    message: str
    line: int | None = None


def split_titles(text: str) -> list[str]:
    r"""Split a list at its commas, except after a backslash and between back quotes."""
    hidden = _UNSPLIT.sub(lambda match: match[0].replace(",", "\0"), " ".join(text.split()))
    return [title.strip().replace("\0", ",") for title in hidden.split(",")]


def split_names(text: str, titles: Mapping[str, str]) -> list[str]:
    """Split a list of groups, each written as a title is or in plain text.

    Args:
        text: The names, separated by commas.
        titles: The plain text of each title by its source.
    """
    plain = set(titles.values())
    return [
        name if name in plain else titles.get(name) or re.sub(r"`|\\(.)", r"\1", name)
        for name in (split_titles(text) if text else ())
    ]


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the name meant, or all of them."""
    known = list(known)
    if close := get_close_matches(name, known, n=1):
        return f"did you mean {close[0]!r}?"
    return f"choose one of {', '.join(map(repr, known))}" if known else "none is defined"


def split(lines: Sequence[str], separator: str = SEPARATOR) -> list[Part]:
    """Split the content of a directive where a line holds nothing but the separator.

    Args:
        lines: The content, one string a line, without line ends.
        separator: What stands alone on a line between two sides.

    Returns:
        One part a side; none if there is no code at all.
    """
    if all(line.rstrip() in ("", separator) for line in lines):
        return []
    breaks = [index for index, line in enumerate(lines) if line.rstrip() == separator]
    starts, ends = [0, *(index + 1 for index in breaks)], [*breaks, len(lines)]
    return [Part(lines[start:end], start) for start, end in zip(starts, ends, strict=True)]


def parse(
    parts: Sequence[Part],
    *,
    titles: Sequence[str],
    groups: Sequence[str] = (),
    skip: Sequence[str] = (),
    language: str = "python",
    fallback: str = "Side {}",
) -> tuple[list[Side], list[Problem]]:
    """Make a side of each part of a block.

    Args:
        parts: The lines of each side as written.
        titles: The titles as plain text; empty where the author gave none.
        groups: The doctest group of each side; where there is none, the title.
        skip: Groups whose side is shown and not executed.
        language: Pygments' short name of the language, to tell a marker from a string.
        fallback: Title for a side that has none, formatted with its number.

    Returns:
        The sides, and the mistakes found.
    """
    if not parts:
        message = "the block is empty; write the code of the sides below its options"
        return [], [Problem("empty", message)]
    problems = [*_check_count(titles, parts)]
    # An extra separator at the end begins no side.
    while titles and len(parts) > max(len(titles), 2) and not any(map(str.strip, parts[-1].lines)):
        parts = parts[:-1]
    problems += _check_names(titles, groups, len(parts))
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
    problems += (
        Problem("skip_test", f"no side belongs to the group {name!r}; {suggest(name, known)}")
        for name in dict.fromkeys(skip)
        if name not in known
    )
    return sides, problems


def _side(
    part: Part, title: str, group: str, language: str, *, skipped: bool
) -> tuple[Side, list[Problem]]:
    """Return one side, and the mistakes in its code."""
    code, marked, lone = read_markers(part.lines, language)
    filled = [index for index, line in enumerate(code) if line.strip()]
    first, last = (filled[0], filled[-1]) if filled else (0, -1)

    def problem(kind: str, message: str, index: int) -> Problem:
        return Problem(kind, message, None if part.file else max(part.start + index, 0))

    message = f"{MARKER!r} stands alone; put it at the end of a line of code"
    problems = [problem("marker", message, index) for index in lone]
    problems += (
        problem("bidi", message, index)
        for index, line in enumerate(() if is_plain("".join(code)) else code)
        if (message := explain(line, "the code"))
    )
    if not filled and not part.file:
        message = f"the side {title!r} is empty; write its code or drop it and its title"
        problems.append(problem("empty", message, -1))
    side = Side(
        title=title,
        group=group,
        code="\n".join(code[first : last + 1]),
        start=part.start + first,
        file=part.file,
        numbers=tuple(part.numbers[first : last + 1]),
        marked=tuple(index - first + 1 for index in marked),
        skipped=skipped,
    )
    return side, problems


def _check_count(titles: Sequence[str], parts: Sequence[Part]) -> Iterator[Problem]:
    """Compare titles and sides; one mistake gives one problem."""
    if not titles:
        message = "there is no title; add an option such as ':title: Before, After'"
        yield Problem("titles", message)
    elif parts[0].file and len(parts) != len(titles):
        message = f"{len(titles)} titles for {len(parts)} files; name one of each a side"
        yield Problem("titles", message)
    elif len(parts) == 1:
        message = f"there is no separator; put a line {SEPARATOR!r} between two sides"
        yield Problem("separator", message)
    elif len(parts) > len(titles):
        message = (
            f"{len(parts)} sides for {len(titles)} titles; remove this separator, add a title, "
            "or choose another separator with ':code-sep:'"
        )
        yield Problem("titles", message, parts[len(titles)].start - 1)
    elif len(parts) < len(titles):
        message = f"{len(titles)} titles for {len(parts)} sides; remove a title or add a side"
        yield Problem("titles", message)
    elif "" in titles:
        message = f"title {titles.index('') + 1} is empty; name the side"
        yield Problem("titles", message)


def _check_names(titles: Sequence[str], groups: Sequence[str], sides: int) -> Iterator[Problem]:
    for title in titles:
        if message := explain(title, "the title"):
            yield Problem("bidi", message)
    if groups and (len(groups) != sides or "" in groups):
        message = f"{len(groups)} groups for {sides} sides; name one group a side"
        yield Problem("groups", message)
    if "*" in (groups or titles):
        message = "'*' stands for all groups of the page; name one group a side"
        yield Problem("groups", message)


def read_markers(lines: Sequence[str], language: str) -> tuple[list[str], list[int], list[int]]:
    """Remove the markers from the lines of one side.

    A ``#!`` inside a string is code, and so is one that begins a line of code.

    Args:
        lines: The lines of the side.
        language: Pygments' short name of the language.

    Returns:
        The lines without markers, and the indices of the lines that were marked and of
        those that held a marker and nothing else.
    """
    shown = list(lines)
    marked: list[int] = []
    lone: list[int] = []
    for index in _outside_strings(lines, language):
        shown[index] = lines[index].rstrip().removesuffix(MARKER).rstrip()
        (marked if shown[index] else lone).append(index)
    return shown, marked, lone


def _outside_strings(lines: Sequence[str], language: str) -> list[int]:
    """Return the indices of the lines that end in a marker outside a string."""
    code, ends, start = "\n".join(lines) + "\n", {}, 0
    for index, line in enumerate(lines):
        if line.rstrip().endswith(MARKER):
            ends[start + len(line.rstrip()) - 1] = index
        start += len(line) + 1
    # Other strings of Python end before the end of a line.
    quotes = "\"{3}|'{3}" if language == "python" else "[\"'`]"
    if ends and re.search(quotes, code):
        with suppress(ClassNotFound):
            for offset, kind, text in get_lexer_by_name(language).get_tokens_unprocessed(code):
                if MARKER in text and kind in String:  # type: ignore[comparison-overlap]
                    ends = {at: ends[at] for at in ends if not 0 <= at - offset < len(text)}
    return list(ends.values())
