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
from itertools import zip_longest
from typing import Literal

Status = Literal["equal", "changed", "inserted", "deleted"]

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
    """Align the lines of all sides.

    The result does not depend on the order of the sides, except that statuses compare with the
    first.

    Args:
        sides: The lines of each side, without line ends.

    Returns:
        Rows that hold every line of every side once and in order, each as wide as *sides*.
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
            others.append("changed" if first and _similar(first, text) else "inserted")
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
    rows: list[tuple[int | None, ...]] = [
        (index,) for side in sides[:1] for index in range(len(side))
    ]
    for width, lines in enumerate(sides[1:], start=1):
        texts = [
            tuple({sides[k][index]: None for k, index in enumerate(row) if index is not None})
            for row in rows
        ]
        gaps = (None,) * width
        rows = [
            (*(gaps if row is None else rows[row]), line)
            for row, line in _fill(_match(texts, lines), len(texts), len(lines))
        ]
    return rows


def _fill(pairs: Iterable[_Pair], rows: int, lines: int) -> Iterator[tuple[int | None, int | None]]:
    """Add the rows and lines between matched pairs, paired up from the top."""
    row = line = 0
    for pair in (*pairs, (rows, lines)):
        yield from zip_longest(range(row, pair[0]), range(line, pair[1]))
        if pair[0] < rows:
            yield pair
        row, line = pair[0] + 1, pair[1] + 1


def _match(rows: Sequence[_Texts], lines: Sequence[str]) -> Iterator[_Pair]:
    """Yield the rows and lines that belong together; equal lines at both ends always do.

    Between them, a large hunk is divided at equal lines that hold a word. Parts that are still
    large after that have no match.
    """
    shorter = min(len(rows), len(lines))
    head = 0
    while head < shorter and lines[head] in rows[head]:
        yield head, head
        head += 1
    tail = 0
    while tail < shorter - head and lines[-1 - tail] in rows[-1 - tail]:
        tail += 1
    ends = len(rows) - tail, len(lines) - tail
    anchors: list[_Pair] = []
    if (ends[0] - head) * (ends[1] - head) > _LARGE:
        words = [tuple(filter(_WORD.search, texts)) for texts in rows[head : ends[0]]]
        common = _common_subsequence(words, lines[head : ends[1]])
        anchors = [(row + head, line + head) for row, line in common]
    row = line = head
    for anchor in (*anchors, ends):
        if (anchor[0] - row) * (anchor[1] - line) <= _LARGE:
            pairs = _match_pairwise(rows[row : anchor[0]], lines[line : anchor[1]])
            yield from ((row + i, line + j) for i, j in pairs)
        if anchor != ends:
            yield anchor
        row, line = anchor[0] + 1, anchor[1] + 1
    yield from zip(range(ends[0], len(rows)), range(ends[1], len(lines)), strict=True)


def _match_pairwise(rows: Sequence[_Texts], lines: Sequence[str]) -> Iterator[_Pair]:
    """Yield the pairs with the highest total score, found by dynamic programming.

    Source: Needleman and Wunsch, "A general method applicable to the search for similarities in
    the amino acid sequence of two proteins", 1970; gaps are free. It runs from the end, so that
    among alignments with the same score the one that matches the earliest lines is found.
    """
    scores = _scores(rows, lines)
    best = [[0] * (len(lines) + 1)]
    for row_scores in reversed(scores):
        below = best[-1]
        current = [0] * (len(lines) + 1)
        right = 0
        for j in range(len(lines) - 1, -1, -1):
            if below[j] > right:
                right = below[j]
            if (score := row_scores[j]) and score + below[j + 1] > right:
                right = score + below[j + 1]
            current[j] = right
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

    Blank lines do not score with code: where an author wrote them to align the sides by hand,
    each side has as many lines between two matches, and these are paired up in order.
    """
    masks = _masks([*(text for row in rows for text in row), *lines])
    targets = [(line, masks[line], masks[line].bit_count()) for line in lines]
    known: dict[str, list[int]] = {}
    for text in dict.fromkeys(text for row in rows for text in row):
        mask, weight = masks[text], masks[text].bit_count()
        known[text] = scores = []
        for line, other, other_weight in targets:
            if line == text:
                scores.append(8 * weight or 1)
            else:
                shared, total = (mask & other).bit_count(), weight + other_weight
                scores.append(8 * shared * shared // total if 4 * shared >= total else 0)
    return [list(map(max, *(known[text] for text in (*row, row[0])))) for row in rows]


def _masks(lines: Iterable[str]) -> dict[str, int]:
    """Encode each line as an integer, such that the bits two lines share count what they share.

    Each token has as many bits as it weighs. One that is repeated in a line counts as a
    different token each time.
    """
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


def _similar(left: str, right: str) -> bool:
    """Return whether two different lines share at least half of their weight."""
    first, second = _masks((left, right)).values()
    return 4 * (first & second).bit_count() >= first.bit_count() + second.bit_count()


def _common_subsequence(rows: Sequence[_Texts], columns: Sequence[str]) -> list[_Pair]:
    """Return row and column of each match in a longest common subsequence.

    All columns are compared at once, in the bits of an integer: a bit of a state is 0 where a
    column makes the subsequence longer, and the states of all rows lead the way back.

    Source: Hyyrö, "Bit-parallel LCS-length computation revisited", 2004.
    """
    where: dict[str, int] = {}
    for index, text in enumerate(columns):
        where[text] = where.get(text, 0) | 1 << index
    full = (1 << len(columns)) - 1
    states = [full]
    for texts in rows:
        state = states[-1]
        matched = 0
        for text in texts:
            matched |= state & where.get(text, 0)
        states.append(((state + matched) | (state - matched)) & full)
    pairs = []
    row, column = len(rows), len(columns)
    while row and column:
        bit = column - 1
        if states[row] >> bit & 1:
            column -= 1
        elif states[row - 1] >> bit & 1:
            row, column = row - 1, column - 1
            pairs.append((row, column))
        else:
            row -= 1
    return pairs[::-1]


def changed_words(left: str, right: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Find the words that differ between two lines.

    A change of the indentation counts only where nothing else changed.

    Returns:
        For each line, the character ranges ``(start, end)`` that the other line lacks, in order.
        Ranges neither touch nor have only white space between them.
    """
    first, second = (len(line) - len(line.lstrip()) for line in (left, right))
    if left == right:
        return [], []
    if left[first:] == right[second:]:
        return [(0, first)] if first else [], [(0, second)] if second else []
    old, new = list(_UNIT.finditer(left, first)), list(_UNIT.finditer(right, second))
    common = _common_subsequence([(unit[0],) for unit in old], [unit[0] for unit in new])
    return (
        _ranges(left, old, {pair[0] for pair in common}),
        _ranges(right, new, {pair[1] for pair in common}),
    )


def _ranges(line: str, units: Sequence[re.Match[str]], kept: set[int]) -> list[tuple[int, int]]:
    """Return the ranges of the units that were not kept, joined across white space."""
    found: list[tuple[int, int]] = []
    for number, unit in enumerate(units):
        if number not in kept:
            joined = found and not line[found[-1][1] : unit.start()].strip()
            found.append((found.pop()[0] if joined else unit.start(), unit.end()))
    return [_strip(line, start, end) for start, end in found]


def _strip(line: str, start: int, end: int) -> tuple[int, int]:
    """Strip white space from both ends of a range, unless it holds nothing else."""
    text = line[start:end]
    if not text.strip():
        return start, end
    return end - len(text.lstrip()), start + len(text.rstrip())
