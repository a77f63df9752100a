"""Align the lines of several texts in rows, and find the words in which two lines differ.

Works on strings alone; imports neither Sphinx nor docutils.

Equal lines belong in one row, and so do similar ones. Similarity is measured in tokens: each
weighs as much as it has characters, up to a limit, so that a shared name counts for much and a
shared bracket for little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

Status = Literal["equal", "changed", "inserted", "deleted"]
Range = tuple[int, int]  # start and end of characters of a line

_Texts = tuple[str, ...]  # the different lines of one row
_Pair = tuple[int, int]  # a row and a line that belong together

_TOKEN = re.compile(r"\w+|[^\w\s]")
_UNIT = re.compile(r"\w+|\s+|[^\w\s]")
_WORD = re.compile(r"\w+")
_MAX_WEIGHT = 4  # characters of a word that add to its weight
_LARGE = 40_000  # pairs of lines: larger hunks are not compared pair by pair


@dataclass(frozen=True, slots=True)
class Row:
    """Lines that stand next to each other, at most one a side."""

    lines: tuple[int | None, ...]  # index of the line of each side; None where it has a gap
    # How the line of each side compares with that of the first; None at a gap, and at a blank
    # line that only takes the place of one.
    statuses: tuple[Status | None, ...]


def align(sides: Sequence[Sequence[str]]) -> list[Row]:
    """Return rows that hold every line of every side once and in order.

    Only the statuses depend on the order of the sides, which are lists of lines without line ends.
    """
    # Blank lines are equal whatever white space they consist of.
    texts = [tuple(line if line.strip() else "" for line in side) for side in sides]
    order = sorted(set(texts))
    column = [order.index(side) for side in texts]
    rows = []
    for indices in _progressive_rows(order):
        lines = tuple([indices[index] for index in column])
        pairs = zip(lines, texts, strict=True)
        rows.append(Row(lines, _statuses([line if line is None else s[line] for line, s in pairs])))
    return rows


def _statuses(row: Sequence[str | None]) -> tuple[Status | None, ...]:
    """Compare the lines of one row, where None is a gap, with the first."""
    if row.count("") == 1 and any(row):
        row = [text or None for text in row]
    first = row[0]
    others: list[Status | None] = []
    for text in row[1:]:
        if text is None:
            others.append(None)
        elif text == first:
            others.append("equal")
        else:
            similar = first and _scores([(first,)], [text])[0][0]
            others.append("changed" if similar else "inserted")
    if first is None:
        return None, *others
    if others.count("equal") == len(others):
        return "equal", *others
    return "changed" if "equal" in others or "changed" in others else "deleted", *others


def _progressive_rows(sides: Sequence[Sequence[str]]) -> list[tuple[int | None, ...]]:
    """Align each side with the rows of those before it.

    Source: Feng and Doolittle, "Progressive sequence alignment as a prerequisite to correct
    phylogenetic trees", 1987.
    """
    rows: list[tuple[int | None, ...]] = []
    for width, lines in enumerate(sides):
        texts = [
            tuple({sides[k][index]: None for k, index in enumerate(row) if index is not None})
            for row in rows
        ]
        longer = list[tuple[int | None, ...]]()
        row = line = 0
        for pair in _match(texts, lines):
            # Between two pairs, rows and lines are paired up from the top.
            between = zip_longest(rows[row : pair[0]], range(line, pair[1]))
            longer += [(*(old or (None,) * width), new) for old, new in between]
            longer += [(*old, pair[1]) for old in rows[pair[0] : pair[0] + 1]]
            row, line = pair[0] + 1, pair[1] + 1
        rows = longer
    return rows


def _match(rows: Sequence[_Texts], lines: Sequence[str]) -> Iterator[_Pair]:
    """Yield the rows and lines that belong together, and last the numbers of both.

    Equal lines at both ends always belong together. Between them, a large hunk is divided at equal
    lines; parts that are still large after that have no match.
    """
    shorter = min(len(rows), len(lines))
    head = next((i for i in range(shorter) if lines[i] not in rows[i]), shorter)
    rest = shorter - head
    tail = next((i for i in range(rest) if lines[-1 - i] not in rows[-1 - i]), rest)
    stop = len(rows) - tail, len(lines) - tail
    anchors = [(index, index) for index in range(head)]
    if (stop[0] - head) * (stop[1] - head) > _LARGE:
        common = _equal_lines(rows[head : stop[0]], lines[head : stop[1]])
        anchors += [(row + head, line + head) for row, line in common]
    anchors += zip(range(stop[0], len(rows)), range(stop[1], len(lines)), strict=True)
    row = line = 0
    for anchor in (*anchors, (len(rows), len(lines))):
        if 0 < (anchor[0] - row) * (anchor[1] - line) <= _LARGE:
            pairs = _match_pairwise(rows[row : anchor[0]], lines[line : anchor[1]])
            yield from ((row + i, line + j) for i, j in pairs)
        yield anchor
        row, line = anchor[0] + 1, anchor[1] + 1


def _equal_lines(rows: Sequence[_Texts], lines: Sequence[str]) -> Iterator[_Pair]:
    """Yield rows and lines that are equal and in the same order, frequent lines apart."""
    known = set(lines)
    texts = [next(filter(known.__contains__, row), row[0]) for row in rows]
    matcher = SequenceMatcher(lambda text: not _WORD.search(text), texts, lines)
    for row, line, size in matcher.get_matching_blocks():
        yield from zip(range(row, row + size), range(line, line + size), strict=True)


def _match_pairwise(rows: Sequence[_Texts], lines: Sequence[str]) -> Iterator[_Pair]:
    """Yield the pairs with the highest total score, found by dynamic programming.

    Source: Needleman and Wunsch, "A general method applicable to the search for similarities in
    the amino acid sequence of two proteins", 1970; gaps are free. It runs from the end, so that
    among alignments with the same score the one that matches the earliest lines is found.
    """
    scores = _scores(rows, lines)
    best = [[0] * (len(lines) + 1)]
    for row_scores in reversed(scores):
        below, current = best[-1], [0] * (len(lines) + 1)
        for j in range(len(lines) - 1, -1, -1):
            current[j] = max(below[j], current[j + 1], row_scores[j] + below[j + 1])
        best.append(current)
    best.reverse()
    i = j = 0
    while i < len(rows) and j < len(lines):
        score = scores[i][j]
        if score and best[i][j] == score + best[i + 1][j + 1]:
            yield i, j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1


def _scores(rows: Sequence[_Texts], lines: Sequence[str]) -> list[list[int]]:
    """Score each row with each line, by the most similar of the row's lines; 0 if none is similar.

    Two lines are similar if they share at least half of their weight.
    """
    masks = _masks([*(text for row in rows for text in row), *lines])
    weights = {line: mask.bit_count() for line, mask in masks.items()}

    def score(text: str, line: str) -> int:
        if text == line:
            return 8 * weights[text] or 1
        shared, total = (masks[text] & masks[line]).bit_count(), weights[text] + weights[line]
        return 8 * shared * shared // total if 4 * shared >= total else 0

    known = {text: [score(text, line) for line in lines] for row in rows for text in row}
    return [list(map(max, *(known[text] for text in (*row, row[0])))) for row in rows]


def _masks(lines: Iterable[str]) -> dict[str, int]:
    """Encode lines as integers: each token has as many bits as it weighs, a repetition others."""
    masks: dict[str, int] = {}
    bits: dict[tuple[str, int], int] = {}
    used = 0
    for line in dict.fromkeys(lines):
        masks[line] = 0
        repeats: dict[str, int] = {}
        for token in _TOKEN.findall(line):
            name = token, repeats.setdefault(token, 0)
            repeats[token] += 1
            if name not in bits:
                weight = min(len(token), _MAX_WEIGHT) + 1 if _WORD.match(token) else 1
                bits[name] = ((1 << weight) - 1) << used
                used += weight
            masks[line] |= bits[name]
    return masks


def changed_words(left: str, right: str) -> tuple[list[Range], list[Range]]:
    """Return, for each of two lines, the ranges of characters that the other lacks, in order.

    A change of the indentation counts only where nothing else changed. Ranges neither touch nor
    have only white space between them.
    """
    first, second = (len(line) - len(line.lstrip()) for line in (left, right))
    if left == right:
        return [], []
    if left[first:] == right[second:]:
        return [(0, first)] if first else [], [(0, second)] if second else []
    old, new = list(_UNIT.finditer(left, first)), list(_UNIT.finditer(right, second))
    matcher = SequenceMatcher(str.isspace, [unit[0] for unit in old], [unit[0] for unit in new])
    codes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    return (
        join(left, [(old[i].start(), old[j - 1].end()) for _, i, j, _, _ in codes if i < j]),
        join(right, [(new[i].start(), new[j - 1].end()) for _, _, _, i, j in codes if i < j]),
    )


def join(line: str, ranges: Iterable[Range]) -> list[Range]:
    """Join ranges that overlap, touch or have only white space between them.

    White space at the ends of a range is left out, unless the range holds nothing else.
    """
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and not line[found[-1][1] : start].strip():
            start, previous = found.pop()
            end = max(previous, end)
        found.append((start, end))
    return [
        (end - len(text.lstrip()), start + len(text.rstrip())) if text.strip() else (start, end)
        for start, end in found
        for text in [line[start:end]]
    ]
