"""One choice switches all blocks of a page, and the reader does not lose the place."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import BLOCKS, Visit
from .measure import measure_switching
from .probe import blocks, choose, frames, rectangle

_SHOWN = """() => [...document.querySelectorAll(".codediff-block")].map((block) => [
  ...[...block.querySelectorAll(".codediff-side")].map((side) => side.checkVisibility()),
  block.querySelector("select").selectedOptions[0].label,
])"""


@pytest.mark.parametrize(("width", "number"), [(390, BLOCKS // 2), (1440, BLOCKS - 10)])
def test_the_block_that_was_used_does_not_move(visit: Visit, width: int, number: int) -> None:
    page = visit("many", width=width)
    used = blocks(page)[number]
    split = rectangle(used)["height"]
    used.evaluate("block => scrollBy(0, block.getBoundingClientRect().top - 100)")
    for view, sides in [
        ("Unified", [True, True]),
        ("With Dropout", [False, True]),
        ("Side by side", [True, True]),
    ]:
        used.scroll_into_view_if_needed()  # Firefox centres it, though it is in sight
        before = rectangle(used)["top"]
        choose(used, view)
        frames(page)
        assert abs(rectangle(used)["top"] - before) <= 1, view
        # What is far away is laid out a little later.
        expect(page.locator(".cd-far")).to_have_count(0, timeout=60_000)
        assert abs(rectangle(used)["top"] - before) <= 1, view
        assert page.evaluate(_SHOWN) == [[*sides, view]] * BLOCKS
        assert (rectangle(used)["height"] == split) == (view == "Side by side")


@pytest.mark.needs_chromium("it does not trace")
def test_switching_can_be_measured(visit: Visit) -> None:
    """The figure itself is for the bench; here it only has to be one."""
    page = visit("many")
    figures = measure_switching(page)
    assert page.locator("[data-view=unified]").count() == BLOCKS
    assert min(figures["scripting"], figures["style"], figures["layout"]) > 0
    assert figures["tasks"] >= figures["total"]
