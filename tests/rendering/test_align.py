"""Which lines stand next to each other, what they are called, and which words differ."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codediff.rendering.align import Row, align, changed_words

LINES = ["", "    ", ")", "x = 1", "x = 2", "return x", "    return x", "import jax"]
SIDE = st.lists(st.sampled_from(LINES), max_size=9)
SIDES = st.lists(SIDE, min_size=1, max_size=4)
LONG = st.lists(st.sampled_from(LINES), min_size=5, max_size=9).map(lambda side: side * 25)
LINE = st.text("ab1 \t(,)=_é", max_size=12)
SWAPPED = {"inserted": "deleted", "deleted": "inserted"}


def shown(*sides: list[str]) -> list[str]:
    """Draw rows: a letter for the status of each side, a point for a gap, then the lines."""
    return [
        " ".join((status or ".")[0] for status in row.statuses)
        + ": "
        + " | ".join(
            "" if line is None else side[line] for line, side in zip(row.lines, sides, strict=True)
        )
        for row in align(sides)
    ]


@given(SIDES | st.lists(LONG, min_size=2, max_size=3))
def test_every_line_of_every_side_is_there_once_and_in_order(sides: list[list[str]]) -> None:
    rows = align(sides)
    for number, side in enumerate(sides):
        found = [row.lines[number] for row in rows if row.lines[number] is not None]
        assert found == list(range(len(side)))
    assert all(len(row.lines) == len(row.statuses) == len(sides) for row in rows)
    assert all(any(line is not None for line in row.lines) for row in rows)


@given(SIDE, st.integers(1, 4))
def test_sides_that_are_the_same_are_equal_throughout(side: list[str], count: int) -> None:
    assert align([side] * count) == [
        Row((index,) * count, ("equal",) * count) for index in range(len(side))
    ]


@given(SIDE | LONG, SIDE | LONG)
def test_swapping_two_sides_swaps_their_lines_and_statuses(
    left: list[str], right: list[str]
) -> None:
    swapped = [
        Row(row.lines[::-1], tuple([SWAPPED.get(one or "", one) for one in row.statuses[::-1]]))
        for row in align([left, right])
    ]
    assert align([right, left]) == swapped


@given(SIDES.flatmap(lambda sides: st.tuples(st.just(sides), st.permutations(range(len(sides))))))
def test_the_order_of_the_sides_does_not_move_a_line(
    case: tuple[list[list[str]], list[int]],
) -> None:
    sides, order = case
    moved = [tuple([row.lines[index] for index in order]) for row in align(sides)]
    assert [row.lines for row in align([sides[index] for index in order])] == moved


@given(SIDES)
def test_statuses_say_how_a_line_compares_with_the_first_side(sides: list[list[str]]) -> None:
    for row in align(sides):
        texts = [
            None if line is None else side[line].strip() and side[line]
            for line, side in zip(row.lines, sides, strict=True)
        ]
        if any(texts) and texts.count("") == 1:
            assert row.statuses[texts.index("")] is None
            texts[texts.index("")] = None
        first, others = row.statuses[0], row.statuses[1:]
        for text, status in zip(texts[1:], others, strict=True):
            assert (status is None) == (text is None)
            assert (status == "equal") == (text is not None and text == texts[0])
            assert status != "deleted"
            assert status != "changed" or None not in (text, texts[0])
        assert (first is None) == (texts[0] is None)
        assert (first == "equal") == (texts[0] is not None and set(others) <= {"equal"})
        assert (first == "deleted") == (
            texts[0] is not None and bool(others) and not {"equal", "changed"} & set(others)
        )


@given(SIDE, st.lists(st.integers(0, 9), min_size=1, max_size=3))
def test_a_line_that_only_one_side_has_makes_a_gap(side: list[str], places: list[int]) -> None:
    longer = list(side)
    for place in places:
        longer.insert(place, "assert done(now)")
    rows = align([side, longer])
    assert len(rows) == len(longer)
    assert [row.statuses for row in rows if row.statuses != ("equal", "equal")] == [
        (None, "inserted")
    ] * len(places)


@pytest.mark.parametrize(("sides", "rows"), [([], []), ([[]], []), ([[], []], [])])
def test_no_lines_make_no_rows(sides: list[list[str]], rows: list[Row]) -> None:
    assert align(sides) == rows


def test_one_side_alone_is_equal() -> None:
    assert align([["a", ""]]) == [Row((0,), ("equal",)), Row((1,), ("equal",))]


def test_all_is_inserted_where_the_first_side_is_empty() -> None:
    assert shown([], ["a", "", "b"]) == [". i:  | a", ". i:  | ", ". i:  | b"]
    assert shown(["a", ""], []) == ["d .: a | ", "d .:  | "]


def test_a_similar_line_is_changed_and_an_unlike_one_deleted_and_inserted() -> None:
    assert shown(["x = foo(1)"], ["x = foo(2)"]) == ["c c: x = foo(1) | x = foo(2)"]
    assert shown(["x = foo(1)"], ["import jax"]) == ["d i: x = foo(1) | import jax"]


def test_shared_brackets_do_not_make_lines_similar() -> None:
    assert shown(["f(x)"], ["g(y)"]) == ["d i: f(x) | g(y)"]


def test_each_repetition_of_a_word_counts() -> None:
    assert shown(["foo foo foo foo"], ["foo bar"])[0].startswith("d i")
    assert shown(["foo foo foo foo"], ["foo foo foo bar"])[0].startswith("c c")


def test_indentation_does_not_make_a_line_unlike() -> None:
    assert shown(["return x"], ["    return x"]) == ["c c: return x |     return x"]


def test_unlike_lines_share_rows_from_the_top() -> None:
    left, right = ["a = 1", "p()", "q[:]", "b = 2"], ["a = 1", "import os", "b = 2"]
    assert shown(left, right) == [
        "e e: a = 1 | a = 1",
        "d i: p() | import os",
        "d .: q[:] | ",
        "e e: b = 2 | b = 2",
    ]


@pytest.mark.parametrize(
    ("left", "right", "rows"),
    [
        (
            ["a = 1", "", "", "b = 2"],
            ["a = 1", "c = 3", "d = 4", "b = 2"],
            ["e e: a = 1 | a = 1", ". i:  | c = 3", ". i:  | d = 4", "e e: b = 2 | b = 2"],
        ),
        (
            ["a", "", "", "", "b"],
            ["a", "p", "q", "", "b"],
            ["e e: a | a", ". i:  | p", ". i:  | q", "e e:  | ", "e e: b | b"],
        ),
        (
            ["a", "u()", "", "v(1)", "b"],
            ["a", "p[1]", "q{2}", "import os", "b"],
            [
                "e e: a | a",
                "d i: u() | p[1]",
                ". i:  | q{2}",
                "d i: v(1) | import os",
                "e e: b | b",
            ],
        ),
        (
            ["a", "  ", "b", "x", "y"],
            ["a", "p", "b", "", "", "y"],
            ["e e: a | a", ". i:    | p", "e e: b | b", "d .: x | ", ". i:  | ", "e e: y | y"],
        ),
    ],
)
def test_blank_lines_that_line_sides_up_by_hand_are_absorbed(
    left: list[str], right: list[str], rows: list[str]
) -> None:
    assert shown(left, right) == rows


def test_blank_lines_are_equal_whatever_they_are_made_of() -> None:
    assert shown(["a", "", "b"], ["a", "    ", "b"])[1] == "e e:  |     "


def test_blank_lines_pair_up_rather_than_stand_in_for_code() -> None:
    left, right = ["a", "", "z[1]"], ["b", "import os", "", "q(2, 3)"]
    assert [row.lines for row in align([left, right])] == [(0, 0), (None, 1), (1, 2), (2, 3)]


def test_a_new_argument_does_not_shift_the_closing_bracket() -> None:
    left = ["y = f(", "    x,", ")", "z = f(", "    x,", ")"]
    right = ["y = f(", "    x,", "    train=True,", ")", "z = f(", "    x,", "    k,", ")"]
    assert shown(left, right) == [
        "e e: y = f( | y = f(",
        "e e:     x, |     x,",
        ". i:  |     train=True,",
        "e e: ) | )",
        "e e: z = f( | z = f(",
        "e e:     x, |     x,",
        ". i:  |     k,",
        "e e: ) | )",
    ]


def test_lines_that_say_more_bind_more_than_many_brackets() -> None:
    left = ["pairs = load(path)", ")", "}", "]"]
    right = [")", "}", "]", "pairs = load(path)"]
    assert "e e: pairs = load(path) | pairs = load(path)" in shown(left, right)


def test_the_more_similar_line_is_the_one_that_is_changed() -> None:
    left = ["def call(self, x, key):"]
    right = ["def call(other):", "def call(self, x):", "def call(self):"]
    assert shown(left, right) == [
        ". i:  | def call(other):",
        "c c: def call(self, x, key): | def call(self, x):",
        ". i:  | def call(self):",
    ]


def test_a_third_side_joins_the_row_of_whichever_line_it_matches() -> None:
    first, second, third = ["a = 1", "import jax", "z"], ["a = 1", "q[0]", "z"], ["q[0]", "z"]
    assert shown(first, second, third) == [
        "c e .: a = 1 | a = 1 | ",
        "d i i: import jax | q[0] | q[0]",
        "e e e: z | z | z",
    ]


def test_a_third_side_is_changed_from_whichever_line_it_resembles() -> None:
    rows = align([["import jax"], ["q[0]"], ["t()", "q[1]"]])
    assert [row.lines for row in rows] == [(None, None, 0), (0, 0, 1)]


def test_three_sides_are_compared_with_the_first() -> None:
    assert shown(["x = foo(1)", ""], ["x = foo(1)", ""], ["x = foo(2)", "y"]) == [
        "c e c: x = foo(1) | x = foo(1) | x = foo(2)",
        "c e i:  |  | y",
    ]


def matched(left: list[str], right: list[str]) -> list[tuple[int | None, int | None]]:
    return [(row.lines[0], row.lines[1]) for row in align([left, right])]


def test_long_sides_are_anchored_at_equal_lines() -> None:
    left = ["first"] + [f"item {n}" for n in range(300)] + ["last"]
    right = ["begin"] + [f"other = {n}" if n % 2 else f"item {n}" for n in range(40, 300)] + ["end"]
    pairs = matched(left, right)
    assert all((1 + n, 1 + n - 40) in pairs for n in range(40, 300, 2))


def test_long_similar_sides_are_changed_line_by_line() -> None:
    left = [f"value_{n} = compute({n})" for n in range(300)]
    right = [f"value_{n} = compute({n + 1})" for n in range(300)]
    assert matched(left, right) == [(n, n) for n in range(300)]


def test_brackets_are_no_anchors_for_long_sides() -> None:
    items = [f"item {n}" for n in range(50)]
    pairs = matched([*items, *[")"] * 150], [*[")"] * 150, *items])
    assert set(pairs) >= {(n, 150 + n) for n in range(50)}


def test_a_shared_word_alone_does_not_shift_unlike_lines() -> None:
    left = [f"p{n}[a{n}]" for n in range(200)]
    right = [f"q{n} = {{b{n}: c{n}}}" for n in range(200)]
    left[150], right[10] = "spam (f, g, h, i)", "x, y, z = spam"
    assert matched(left, right) == [(n, n) for n in range(200)]


def test_long_unlike_sides_share_rows() -> None:
    rows = align([[f"p{n}" for n in range(200)], [f"q{n}" for n in range(150)]])
    assert [row.statuses for row in rows] == [("deleted", "inserted")] * 150 + [
        ("deleted", None)
    ] * 50


@pytest.mark.parametrize(
    ("left", "right", "marked"),
    [
        ("", "", ([], [])),
        ("x = 1", "x = 1", ([], [])),
        ("x = 1", "x = 2", (["1"], ["2"])),
        ("split(key, num=2)", "split(key, num=3)", (["2"], ["3"])),
        ("a, b = split(", "a, b, c = split(", ([], [", c"])),
        ("value_17", "value_18", (["value_17"], ["value_18"])),
        ("one two x", "six ten x", (["one two"], ["six ten"])),
        ("f(a, x)", "f(b.c, x)", (["a"], ["b.c"])),
        ("p x q", "r x s", (["p", "q"], ["r", "s"])),
        ("a=1", "a = 1", ([], [" ", " "])),
        ("x", "", (["x"], [])),
        ("  x = 1", "    x = 1", (["  "], ["    "])),
        ("x = 1", "    x = 1", ([], ["    "])),
        ("  x = 1", "    x = 2", (["1"], ["2"])),
    ],
)
def test_changed_words(left: str, right: str, marked: tuple[list[str], list[str]]) -> None:
    first, second = changed_words(left, right)
    assert ([left[slice(*span)] for span in first], [right[slice(*span)] for span in second]) == (
        marked
    )


@given(LINE, LINE)
def test_what_is_not_marked_is_the_same_but_for_white_space(left: str, right: str) -> None:
    rest = []
    for line, spans in zip((left, right), changed_words(left, right), strict=True):
        assert all(start < end for start, end in spans)
        assert all(line[a[1] : b[0]].strip() for a, b in pairwise(spans))
        for start, end in reversed(spans):
            line = line[:start] + line[end:]
        rest.append("".join(line.split()))
    assert rest[0] == rest[1]


@given(LINE, LINE)
def test_lines_that_differ_are_marked(left: str, right: str) -> None:
    assert (changed_words(left, right) != ([], [])) == (left != right)
