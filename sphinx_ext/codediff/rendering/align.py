"""Align the lines of several texts in rows, and find the words in which two lines differ.

Works on strings alone; imports neither Sphinx nor docutils.

Equal lines belong in one row, and so do similar ones. Similarity is measured in tokens: each
weighs as much as it has characters, up to a limit, so that a shared name counts for much and a
shared bracket for little.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

Status = Literal["equal", "changed", "inserted", "deleted"]

_Texts = tuple[str, ...]  # the different lines of one row
_Pair = tuple[int, int]  # a row and a line that belong together
_Anchors = Callable[[Sequence[_Texts], Sequence[str]], list[_Pair]]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_WORD = re.compile(r"\w+")
# Characters that are drawn together are never separated: accents, vowel signs, joined emoji.
_JOINED = r"\w\u0300-\u036f\u0900-\u0dff\u200c\u200d\u2600-\u27bf\ufe00-\ufe0f\U0001f000-\U0001faff"
_UNIT = re.compile(rf"[{_JOINED}]+|\s+|[^{_JOINED}\s]")

_MAX_WEIGHT = 4  # characters of a word that add to its weight
_SMALL = 24  # pairs of lines: smaller hunks are compared without looking for anchors
_LARGE = 10_000  # pairs of lines: larger hunks are never compared line by line
_RARE = 16  # a word is rare if it is in at most one of this many lines


@dataclass(frozen=True, slots=True)
class Row:
    """Lines that stand next to each other, at most one a side.

    Attributes:
        lines: Index of the line of each side, counted from 0; None where the side has a gap.
        statuses: How each side's line compares with the first side's; None at a gap, and at a
            blank line that only takes the place of one.
    """

    lines: tuple[int | None, ...]
    statuses: tuple[Status | None, ...]


def align(sides: Sequence[Sequence[str]]) -> list[Row]:
    """Align the lines of all sides.

    The result does not depend on the order of the sides, except that statuses compare with the
    first. Further sides are aligned with the rows so far, as in progressive multiple alignment
    (Feng and Doolittle, "Progressive sequence alignment as a prerequisite to correct
    phylogenetic trees", 1987).

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
        row = [
            None if line is None else side[line] for line, side in zip(lines, texts, strict=True)
        ]
        rows.append(Row(lines, _statuses(row)))
    return rows


def changed_words(left: str, right: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Find the words that differ between two lines.

    A change of the indentation counts only where nothing else changed.

    Returns:
        For each line, the character ranges ``(start, end)`` that the other line lacks, in order.
        Ranges neither touch nor have only white space between them.
    """
    indents = [len(line) - len(line.lstrip()) for line in (left, right)]
    if left[indents[0] :] == right[indents[1] :]:
        if left == right:
            return [], []
        first, second = ([(0, indent)] if indent else [] for indent in indents)
        return first, second
    units = [
        list(_UNIT.finditer(line, indent))
        for line, indent in zip((left, right), indents, strict=True)
    ]
    where = _positions((unit[0],) for unit in units[1])
    common = _common([where.get(unit[0], 0) for unit in units[0]], len(units[1]))
    return (
        _ranges(left, units[0], {pair[0] for pair in common}),
        _ranges(right, units[1], {pair[1] for pair in common}),
    )


def _ranges(line: str, units: Sequence[re.Match[str]], kept: set[int]) -> list[tuple[int, int]]:
    """Return the ranges of the units that were not kept, joined across white space."""
    found: list[tuple[int, int]] = []
    for number, unit in enumerate(units):
        if number in kept:
            continue
        start, end = unit.span()
        if found and not line[found[-1][1] : start].strip():
            start = found.pop()[0]
        found.append((start, end))
    return [_strip(line, start, end) for start, end in found]


def _strip(line: str, start: int, end: int) -> tuple[int, int]:
    """Strip white space from both ends of a range, unless it holds nothing else."""
    text = line[start:end]
    if not text.strip():
        return start, end
    return end - len(text.lstrip()), start + len(text.rstrip())


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
    """Align one side after the other; blank lines have to be empty strings."""
    rows: list[tuple[int | None, ...]] = (
        [(index,) for index in range(len(sides[0]))] if sides else []
    )
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


def _fill(pairs: Sequence[_Pair], rows: int, lines: int) -> Iterable[tuple[int | None, int | None]]:
    """Add the rows and lines between matched pairs, paired up from the top."""
    row = line = 0
    for pair in (*pairs, (rows, lines)):
        yield from zip_longest(range(row, pair[0]), range(line, pair[1]))
        if pair[0] < rows:
            yield pair
        row, line = pair[0] + 1, pair[1] + 1


def _match(rows: Sequence[_Texts], lines: Sequence[str]) -> list[_Pair]:
    """Find the rows and lines that belong together; equal lines at both ends always do."""
    shorter = min(len(rows), len(lines))
    head = 0
    while head < shorter and lines[head] in rows[head]:
        head += 1
    tail = 0
    while tail < shorter - head and lines[-1 - tail] in rows[-1 - tail]:
        tail += 1
    row_end, line_end = len(rows) - tail, len(lines) - tail
    strategies = ((_SMALL, _unique_lines), (_LARGE, _equal_lines), (_LARGE, _rare_words))
    middle = _match_hunk(rows[head:row_end], lines[head:line_end], strategies)
    return [
        *((index, index) for index in range(head)),
        *((row + head, line + head) for row, line in middle),
        *((row_end + index, line_end + index) for index in range(tail)),
    ]


def _match_hunk(
    rows: Sequence[_Texts], lines: Sequence[str], strategies: Sequence[tuple[int, _Anchors]]
) -> list[_Pair]:
    """Match a small hunk pair by pair; divide a large one at the anchors of each strategy."""
    cells = len(rows) * len(lines)
    strategies = [strategy for strategy in strategies if cells > strategy[0]]
    if not strategies:
        return _match_all(rows, lines) if 0 < cells <= _LARGE else []
    pairs: list[_Pair] = []
    row = line = 0
    for anchor in (*strategies[0][1](rows, lines), (len(rows), len(lines))):
        between = _match_hunk(rows[row : anchor[0]], lines[line : anchor[1]], strategies[1:])
        pairs += ((row + i, line + j) for i, j in between)
        pairs.append(anchor)
        row, line = anchor[0] + 1, anchor[1] + 1
    return pairs[:-1]


def _match_all(rows: Sequence[_Texts], lines: Sequence[str]) -> list[_Pair]:
    """Find the pairs with the highest total score, by dynamic programming.

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
    pairs = []
    i = j = 0
    while i < len(rows) and j < len(lines):
        score = scores[i][j]
        if score and best[i][j] == score + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _scores(rows: Sequence[_Texts], lines: Sequence[str]) -> list[list[int]]:
    """Score each row with each line, by the most similar of the row's lines; 0 if none is similar.

    Blank lines do not score with code: where an author wrote them to align the sides by hand,
    each side has as many lines between two matches, and these are paired up in order.
    """
    masks = _masks({text for row in rows for text in row}.union(lines))
    targets = [(line, masks[line], masks[line].bit_count()) for line in lines]
    known: dict[str, list[int]] = {}
    for text in {text for row in rows for text in row}:
        mask = masks[text]
        weight = mask.bit_count()
        known[text] = scores = []
        for line, other, other_weight in targets:
            if line == text:
                scores.append(8 * weight or 1)
            else:
                shared, total = (mask & other).bit_count(), weight + other_weight
                scores.append(8 * shared * shared // total if 4 * shared >= total else 0)
    return [
        known[row[0]] if len(row) == 1 else list(map(max, *(known[text] for text in row)))
        for row in rows
    ]


def _masks(lines: Iterable[str]) -> dict[str, int]:
    """Encode each line as an integer, such that the bits two lines share count what they share.

    Each token of the vocabulary has as many bits as it weighs. A token that is repeated in a
    line counts as a different token each time.
    """
    masks = {}
    bits: dict[str, int] = {}
    used = 0
    for line in lines:
        mask = 0
        repeats: dict[str, int] = {}
        for token in _TOKEN.findall(line):
            name = token
            if mask & bits.get(name, 0):
                repeats[token] = repeats.get(token, 0) + 1
                name = f"{token} {repeats[token]}"
            if name not in bits:
                weight = min(len(token), _MAX_WEIGHT) + 1 if _WORD.match(token) else 1
                bits[name] = ((1 << weight) - 1) << used
                used += weight
            mask |= bits[name]
        masks[line] = mask
    return masks


def _similar(left: str, right: str) -> bool:
    """Whether two lines share at least half of their weight."""
    first, second = _masks((left, right)).values()
    return 4 * (first & second).bit_count() >= first.bit_count() + second.bit_count()


def _unique_lines(rows: Sequence[_Texts], lines: Sequence[str]) -> list[_Pair]:
    """Return equal lines that hold a word and occur once, as in patience diff."""
    where = _positions((line,) if _WORD.search(line) else () for line in lines)
    counts = Counter(text for row in rows for text in row)
    masks = [
        sum(where[text] for text in row if counts[text] == 1 and text in where) for row in rows
    ]
    return _common([0 if mask & (mask - 1) else mask for mask in masks], len(lines))


def _equal_lines(rows: Sequence[_Texts], lines: Sequence[str]) -> list[_Pair]:
    """Return equal lines that hold a word."""
    where = _positions((line,) if _WORD.search(line) else () for line in lines)
    masks = []
    for row in rows:
        mask = 0
        for text in row:
            mask |= where.get(text, 0)
        masks.append(mask)
    return _common(masks, len(lines))


def _rare_words(rows: Sequence[_Texts], lines: Sequence[str]) -> list[_Pair]:
    """Return similar lines that share their rarest word, if it is rare in the hunk."""
    row_words = [{word for text in row for word in _WORD.findall(text)} for row in rows]
    where = _positions(set(_WORD.findall(line)) for line in lines)
    counts = Counter(word for words in row_words for word in words)
    rank = {
        word: (count, -len(word), word)
        for word, mask in where.items()
        if (count := counts[word] + mask.bit_count()) * _RARE <= len(rows) + len(lines)
    }
    masks = []
    for words in row_words:
        shared = words & rank.keys()
        masks.append(where[min(shared, key=rank.__getitem__)] if shared else 0)
    return [
        (row, line)
        for row, line in _common(masks, len(lines))
        if any(_similar(text, lines[line]) for text in rows[row])
    ]


def _positions(columns: Iterable[Iterable[str]]) -> dict[str, int]:
    """Return the columns that each string is in, as a bit mask."""
    where: dict[str, int] = {}
    for index, column in enumerate(columns):
        for text in column:
            where[text] = where.get(text, 0) | 1 << index
    return where


def _common(masks: Sequence[int], width: int) -> list[_Pair]:
    """Find a longest common subsequence, many columns at once in the bits of an integer.

    Source: Hyyrö, "Bit-parallel LCS-length computation revisited", 2004. A bit of *state* is 0
    where a column makes the subsequence longer; the states of all rows lead the way back.

    Args:
        masks: For each row, the columns that match it, as bits.
        width: How many columns there are.

    Returns:
        Row and column of each match, in order.
    """
    full = (1 << width) - 1
    states = [full]
    for mask in masks:
        state = states[-1]
        matched = state & mask
        states.append(((state + matched) | (state - matched)) & full)
    pairs = []
    row, column = len(masks), width
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
