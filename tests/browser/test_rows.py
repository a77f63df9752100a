"""Lines that belong together stand in one row, whatever the width, the view and the folds."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import Locator

from .conftest import Visit
from .probe import Line, Side, blocks, choose, look, rectangle, seen, sideways, toggle_folds, views

WIDTHS = [390, 768, 1024, 1440, 2560]
SUB_PIXEL = 1.0


def assert_rows(sides: list[Side]) -> None:
    """Check that sides next to each other share rows, and that others have no gaps."""
    shown = [side for side in sides if side.visible]
    assert shown
    for side in shown:
        assert not [line for line in side.lines if line.is_gap and line.text]
        for upper, lower in pairwise(side.seen):
            assert abs(lower.top - upper.bottom) <= SUB_PIXEL, (upper, lower)
    bands: dict[int, list[Side]] = {}
    for side in shown:
        bands.setdefault(round(side.top), []).append(side)
    for band in bands.values():
        if len(band) == 1:
            assert not [line for line in band[0].seen if line.is_gap], "filler beside nothing"
            continue
        assert len({len(side.lines) for side in band}) == 1
        for row in zip(*(side.lines for side in band), strict=True):
            first = row[0]
            for other in row[1:]:
                assert first.visible == other.visible, (first, other)
                assert abs(first.top - other.top) <= SUB_PIXEL, (first, other)
                assert abs(first.height - other.height) <= SUB_PIXEL, (first, other)
            tops = [line.text_top for line in row if line.visible and line.text_top is not None]
            assert not tops or max(tops) - min(tops) <= SUB_PIXEL, row
    for upper, lower in pairwise(sorted(bands)):
        assert max(side.bottom for side in bands[upper]) <= lower + 2, "sides overlap"


def is_split(sides: list[Side]) -> bool:
    return len({round(side.top) for side in sides}) < len(sides)


@pytest.mark.parametrize("width", WIDTHS)
def test_rows_align_before_and_after_folding_and_switching(visit: Visit, width: int) -> None:
    page = visit("rows", theme="sphinx_book_theme", width=width)
    wrapped = []
    for block in blocks(page):
        assert_rows(look(block))
        assert is_split(look(block)) == (width >= 768)
        first = seen(block)
        wrapped.append(has_wrapped(first))
        switch_there_and_back(block)
        if block.locator("details").count():
            toggle_folds(block, opened=True)
            assert len(seen(block)[0]) > len(first[0])
            assert_rows(look(block))
            switch_there_and_back(block)
            wrapped.append(has_wrapped(seen(block)))
            toggle_folds(block, opened=False)
            assert seen(block) == first
    assert wrapped == [True, True, False, True, False], "else this test shows little"
    assert sideways(page) == 0


def has_wrapped(sides: list[list[Line]]) -> bool:
    heights = [line.height for side in sides for line in side]
    return max(heights) > 1.8 * min(heights)


def switch_there_and_back(block: Locator) -> None:
    before = seen(block)
    for view in views(block)[1:]:
        choose(block, view)
        if view != "Unified":
            assert_rows(look(block))
    choose(block, "Side by side")
    assert seen(block) == before


def test_rows_align_while_the_window_changes(visit: Visit) -> None:
    page = visit("rows", theme="sphinx_book_theme", width=WIDTHS[0])
    for width in [*WIDTHS[1:], *reversed(WIDTHS[:-1])]:
        page.set_viewport_size({"width": width, "height": 900})
        for found in map(look, blocks(page)):
            assert is_split(found) == (width >= 768)
            assert_rows(found)


@pytest.mark.parametrize("theme", ["alabaster", "basic"])
def test_rows_align_in_other_themes(visit: Visit, theme: str) -> None:
    page = visit("rows", theme=theme)
    for found in map(look, blocks(page)):
        assert is_split(found)
        assert_rows(found)


def test_blank_filler_is_shown_beside_code_only(visit: Visit) -> None:
    page = visit("rows", theme="sphinx_book_theme", width=1440)
    filled = blocks(page)[3]
    left, right = look(filled)
    assert left.texts == ["a = 1", "", "", "", "e = 5"]
    assert right.texts == ["a = 1", "b = 2", "c = 3", "d = 4", "e = 5"]
    page.set_viewport_size({"width": 390, "height": 900})
    left, right = look(filled)
    assert left.texts == ["a = 1", "e = 5"]
    assert right.texts == ["a = 1", "b = 2", "c = 3", "d = 4", "e = 5"]


def test_one_side_alone_uses_the_whole_width(visit: Visit) -> None:
    page = visit("rows", theme="sphinx_book_theme", width=1440)
    for pair in blocks(page):
        left, *others = look(pair)
        whole = others[-1].right - left.left
        for number, view in enumerate(views(pair)[2:]):
            choose(pair, view)
            found = look(pair)
            assert [side.visible for side in found] == [n == number for n in range(len(found))]
            assert found[number].right - found[number].left == pytest.approx(whole, abs=2)


def test_blocks_follow_each_other_without_overlap(visit: Visit) -> None:
    page = visit("unified")
    for view in ["Unified", "Side by side"]:
        for block in blocks(page):
            choose(block, view)
        for upper, lower in pairwise(blocks(page)):
            end = rectangle(upper)["top"] + max(side.bottom for side in look(upper))
            assert end <= rectangle(lower)["top"]
