"""From the text of a directive to its sides.

Pure: knows neither Sphinx nor docutils, and never raises on anything an author writes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from pygments.lexers import get_lexer_by_name
from pygments.token import String
from pygments.util import ClassNotFound

from .invisible import REPLACEMENT, explain, is_plain

SEPARATOR = "---"
MARKER = "#!"

_OPTION = re.compile(r"\s*:(?P<name>[\w-]+):(?:\s+(?P<value>.*)|\s*$)")
_YAML_OPTION = re.compile(r"(?P<name>[\w-]+):(?:\s+(?P<value>.*)|\s*$)")
_YAML_LINE = re.compile(r"[\w-]+:(\s|$)|\s|#|$")
_QUOTED = re.compile(r"(['\"])((?:(?!\1).)*)\1")
_TRIPLE = re.compile("\"{3}|'{3}")
_QUOTE = re.compile("[\"'`]")
_WHOLE = re.compile(r"\\.|(`+).+?\1")
_SPELLING = re.compile(r"[\s_-]+")


class Option(NamedTuple):
    """The value of an option, on one line, and the index of the line where it stands."""

    value: str
    line: int


class Part(NamedTuple):
    """The lines of one side as written.

    Attributes:
        start: Index of the first line in the content, or in the file it comes from.
        lines: Without line ends.
        option: The option that names the file, if it comes from one.
        numbers: The line of the file for each line, if they do not follow each other.
        failed: Whether the file could not be read, of which the author has been told.
    """

    start: int
    lines: Sequence[str]
    option: str = ""
    failed: bool = False
    numbers: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One version of the code in a block.

    Attributes:
        title: Its title as plain text.
        group: The doctest group that it belongs to.
        code: Its lines joined by line feeds, without a final one.
        start: Index of its first line of code in the content, or in the file it comes from.
        numbers: The line of the file for each line, if they do not follow each other.
        marked: Numbers of the lines that the author marked, counted from 1.
        skipped: Whether the author named its group as not to be executed.
    """

    title: str
    group: str
    code: str
    start: int
    numbers: tuple[int, ...] = ()
    marked: tuple[int, ...] = ()
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in a directive, and how to mend it.

    Attributes:
        kind: What it concerns; the subtype of the warning, as in ``codediff.titles``.
        message: One sentence for the author.
        where: Index of a line of the content, or name of the option that is at fault.
    """

    kind: str
    message: str
    where: int | str


def read_options(
    lines: Sequence[str], known: Collection[str], *, quotes: bool = False
) -> tuple[dict[str, Option], int, list[Problem]]:
    """Read the options at the top of a directive's content, ``:name: value`` or a YAML block.

    Reading them here rather than in docutils gives each its line in every markup, and leaves
    the code of a block in place when an option is misspelt.

    Args:
        lines: The content, one string a line, without line ends.
        known: The names of the options there are, spelled with hyphens.
        quotes: Whether a value may be quoted, as in MyST.

    Returns:
        The options by name, the index of the first line after them, and the mistakes found.
    """
    options: dict[str, Option] = {}
    problems = []
    stop = 0
    form, end = _OPTION, len(lines)
    if lines and lines[0].rstrip() == "---":  # MyST's other form, unless a side is empty
        closing = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), 0)
        if closing > 1 and all(map(_YAML_LINE.match, lines[1:closing])):
            form, stop, end = _YAML_OPTION, 1, closing
    name = ""
    for index, line in enumerate(lines[stop:end], stop):
        if match := form.match(line):
            name = match["name"].replace("_", "-")
            if name not in known:
                message = f"there is no option {match['name']!r}; there are {', '.join(known)}"
                problems.append(Problem("option", message, index))
            if name in options:
                message = f"the option {match['name']!r} is given twice; drop one of the two"
                problems.append(Problem("option", message, index))
            options[name] = Option((match["value"] or "").strip(), index)
        elif name and line[:1].isspace() and line.strip():
            value = f"{options[name].value} {line.strip()}"
            options[name] = options[name]._replace(value=value.strip())
        elif form is _OPTION:
            break
        stop = index + 1
    if quotes:
        for name, option in options.items():
            value = re.sub(r"^[|>][+-]?\s+", "", option.value)
            match = _QUOTED.fullmatch(value)
            options[name] = option._replace(value=match[2] if match else value)
    return options, stop + (form is _YAML_OPTION), problems


def split_titles(text: str) -> list[str]:
    r"""Split the value of ``:title:`` at its commas, but for ``\,`` and those in back quotes."""
    hidden = _WHOLE.sub(lambda whole: whole[0].replace(",", "\0"), text)
    return [title.strip().replace("\0", ",") for title in hidden.split(",")]


def split_names(text: str) -> list[str]:
    """Split a list of groups at its commas; a group is written as its title or in plain text."""
    return [re.sub(r"`|\\(.)", r"\1", name).strip() for name in split_titles(text) if text]


def same_spelling(name: str) -> str:
    """Return what is left of a group's name without case, hyphens and repeated spaces."""
    return _SPELLING.sub(" ", name).strip().casefold()


def split(lines: Sequence[str], separator: str = SEPARATOR, start: int = 0) -> list[Part]:
    """Split the content of a directive where a line holds nothing but the separator.

    Args:
        lines: The content, one string a line, without line ends.
        separator: What stands alone on a line between two sides.
        start: Index of the first line after the options.

    Returns:
        One part a side; none if there is no code at all.
    """
    code = range(start, len(lines))
    if all(lines[index].rstrip() in ("", separator) for index in code):
        return []
    breaks = [index for index in code if lines[index].rstrip() == separator]
    starts, ends = [start, *(index + 1 for index in breaks)], [*breaks, len(lines)]
    return [Part(start, lines[start:end]) for start, end in zip(starts, ends, strict=True)]


def parse(
    parts: Sequence[Part],
    *,
    titles: Sequence[str],
    groups: Sequence[str] = (),
    skip: Sequence[str] = (),
    language: str = "python",
    fallback: str = "Side {}",
) -> tuple[list[Side], list[Problem]]:
    """Make sides of the parts of a block.

    Args:
        parts: Where each side begins, and its lines as written.
        titles: The titles as plain text; empty where the author gave none.
        groups: The doctest group of each side; where there is none, the title.
        skip: Groups whose side is shown and not executed.
        language: Pygments' short name of the language, to tell a marker from a string.
        fallback: Title for a side that has none, formatted with its number.

    Returns:
        One side a part, and the mistakes found.
    """
    if not parts:
        message = "the block is empty; write the code of the sides below its options"
        return [], [Problem("empty", message, -1)]
    problems = [*_check_count(titles, parts)]
    # What follows one separator too many is no side, unless there is code.
    while titles and len(parts) > max(len(titles), 2) and not any(map(str.strip, parts[-1].lines)):
        parts = parts[:-1]
    problems += _check_groups(groups, len(parts))
    sides = []
    for number, part in enumerate(parts):
        given = titles[number] if number < len(titles) else ""
        title = given or fallback.format(number + 1)
        # The same in every language: it is not only for readers.
        group = (groups[number] if number < len(groups) else "") or given or f"Side {number + 1}"
        if group == "*":
            message = "'*' stands for all groups of the page; name one group a side"
            problems.append(Problem("groups", message, "groups"))
            group = f"Side {number + 1}"
        code, marked, lone = read_markers(part.lines, language)
        message = f"{MARKER!r} stands alone; put it at the end of a line of code"
        problems += (
            Problem("marker", message, part.option or part.start + index) for index in lone
        )
        problems += (
            Problem("bidi", message, part.option or part.start + index)
            for index, line in enumerate(() if is_plain("".join(code)) else code)
            if (message := explain(line))
        )
        filled = [index for index, line in enumerate(code) if line.strip()]
        first, last = (filled[0], filled[-1]) if filled else (0, -1)
        if not filled and not part.failed:
            message = f"the side {title!r} is empty; write its code or drop it and its title"
            where = parts[number + 1 if number + 1 < len(parts) else number].start - 1
            problems.append(Problem("empty", message, part.option or where))
        side = Side(
            title=title,
            group=group,
            code="\n".join(code[first : last + 1]).replace("\0", REPLACEMENT),
            start=part.numbers[first] if part.numbers else part.start + first,
            numbers=tuple(part.numbers[first : last + 1]),
            marked=tuple(index - first + 1 for index in marked),
            skipped=group in skip,
        )
        sides.append(side)
    known = {side.group for side in sides}
    for name in dict.fromkeys(skip):
        if name not in known:
            listed = ", ".join(repr(side.group) for side in sides)
            message = f"no side belongs to the group {name!r}; the groups here are {listed}"
            problems.append(Problem("skip_test", message, "skip-test"))
    return sides, problems


def _check_count(titles: Sequence[str], parts: Sequence[Part]) -> Iterable[Problem]:
    """Compare titles and sides; one mistake gives one problem."""
    if not titles:
        message = "there is no title; add an option such as ':title: Before, After'"
        yield Problem("titles", message, -1)
    elif parts[0].option and len(parts) != len(titles):
        message = f"{len(titles)} titles for {len(parts)} files; name one of each a side"
        yield Problem("titles", message, "file")
    elif len(parts) == 1:
        message = f"there is no separator; put a line {SEPARATOR!r} between two sides"
        yield Problem("separator", message, -1)
    elif len(parts) > len(titles):
        message = (
            f"{len(parts)} sides for {len(titles)} titles; remove this separator, add a title, "
            "or choose another separator with ':code-sep:'"
        )
        extra = parts[len(titles)]
        yield Problem("titles", message, extra.option or extra.start - 1)
    elif len(parts) < len(titles):
        message = f"{len(titles)} titles for {len(parts)} sides; remove a title or add a side"
        yield Problem("titles", message, "title")
    elif "" in titles:
        message = f"title {titles.index('') + 1} is empty; name the side"
        yield Problem("titles", message, "title")


def _check_groups(groups: Sequence[str], sides: int) -> Iterable[Problem]:
    if groups and (len(groups) != sides or "" in groups):
        message = f"{len(groups)} groups for {sides} sides; name one group a side"
        yield Problem("groups", message, "groups")


def read_markers(lines: Sequence[str], language: str) -> tuple[list[str], list[int], list[int]]:
    """Take the markers off the lines of one side.

    A ``#!`` inside a string is code, and so is one that begins a line of code.

    Args:
        lines: The lines of the side.
        language: Pygments' short name of the language.

    Returns:
        The lines without markers, and the indices of the lines that were marked and of
        those that held a marker and nothing else.
    """
    candidates = [index for index, line in enumerate(lines) if line.rstrip().endswith(MARKER)]
    shown = list(lines)
    marked: list[int] = []
    lone: list[int] = []
    for index in _outside_strings(lines, candidates, language):
        shown[index] = lines[index].rstrip().removesuffix(MARKER).rstrip()
        (marked if shown[index] else lone).append(index)
    return shown, marked, lone


def _outside_strings(lines: Sequence[str], candidates: Sequence[int], language: str) -> list[int]:
    """Return those of the lines *candidates* whose marker is not inside a string."""
    quotes = _TRIPLE if language == "python" else _QUOTE
    if not candidates or not any(map(quotes.search, lines)):
        return list(candidates)  # No string goes beyond the end of a line.
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return list(candidates)
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    offsets = {starts[index] + len(lines[index].rstrip()) - 1: index for index in candidates}
    strings = set()
    for offset, kind, text in lexer.get_tokens_unprocessed("\n".join(lines) + "\n"):
        if MARKER in text and kind in String:  # type: ignore[comparison-overlap]
            strings |= {end for end in offsets if offset <= end < offset + len(text)}
    return [index for end, index in offsets.items() if end not in strings]
