"""One choice switches all blocks of a page, and the reader does not lose the place."""

from __future__ import annotations

import pytest

from .conftest import BLOCKS, Visit
from .measure import measure_switching
from .probe import blocks, choose, frames, rectangle

_SHOWN = """() => [...document.querySelectorAll(".codediff-block")].map((block) =>
  [...block.querySelectorAll(".codediff-side")].map((side) => side.checkVisibility()))"""
_HEIGHTS = """() => [...document.querySelectorAll(".codediff-block")].map((block) =>
  block.getBoundingClientRect().height)"""


@pytest.mark.parametrize(
    ("width", "numbers"), [(390, [BLOCKS // 2]), (1440, [0, BLOCKS // 2, BLOCKS - 10])]
)
def test_the_block_that_was_used_does_not_move(
    visit: Visit, width: int, numbers: list[int]
) -> None:
    page = visit("many", width=width)
    found = blocks(page)
    split = page.evaluate(_HEIGHTS)
    state = page.locator(".codediff-block select")
    for number in numbers:
        used = found[number]
        used.evaluate("block => scrollBy(0, block.getBoundingClientRect().top - 100)")
        for view, sides in [
            ("Unified", [True, True]),
            ("With Dropout", [False, True]),
            ("No Dropout", [True, False]),
            ("Side by side", [True, True]),
        ]:
            frames(page)
            before = rectangle(used)["top"]
            choose(used, view)
            frames(page)
            assert abs(rectangle(used)["top"] - before) <= 1, (number, view)
            assert page.evaluate(_SHOWN) == [sides] * BLOCKS
            labels = state.evaluate_all("all => all.map((one) => one.selectedOptions[0].label)")
            assert labels == [view] * BLOCKS
            # What is far away is laid out when it comes near.
            same = page.evaluate(_HEIGHTS)[number] == split[number]
            assert same == (view == "Side by side")


def test_switching_can_be_measured(visit: Visit) -> None:
    """The figure itself is for the bench; here it only has to be one."""
    page = visit("many", theme="sphinx_book_theme")
    figures = measure_switching(page)
    assert page.locator("[data-view=unified]").count() == BLOCKS
    assert min(figures["scripting"], figures["style"], figures["layout"]) > 0
    assert figures["tasks"] >= figures["total"]
