"""Code that is folded is out of the way, and not out of reach."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import Visit
from .probe import blocks, choose, look, toggle_folds

_AFTER = r"""summary => getComputedStyle(summary, "::after").content
  .replace(/attr\((.*)\)/, (_, name) => summary.getAttribute(name))"""  # not resolved in Firefox
FOLDED = ["folded_first", "folded_zebra", "folded_last"]


def names(lines: list[str]) -> list[str]:
    return [line.split(" ")[0] for line in lines]


def test_only_the_middle_of_a_long_equal_run_is_folded(visit: Visit) -> None:
    page = visit("folds")
    (block,) = blocks(page)
    left, right = look(block)
    shown = ["first_changed", "near_the_top", "near_the_bottom", "last_changed"]
    assert names(left.texts)[:4] == shown
    assert names(right.texts) == [*shown, "added"]


@pytest.mark.parametrize("number", [0, 1])
def test_a_fold_of_one_side_opens_and_closes_in_all(visit: Visit, number: int) -> None:
    page = visit("folds")
    (block,) = blocks(page)
    summary = block.locator(".codediff-side").nth(number).locator("summary")
    for opened in [2, 0, 2]:
        summary.click()
        expect(block.locator("details[open]")).to_have_count(opened)
        for side in look(block):
            assert (set(FOLDED) <= set(names(side.texts))) == bool(opened)


def test_a_fold_says_what_it_does(visit: Visit) -> None:
    page = visit("folds")
    (block,) = blocks(page)
    summary = block.locator("summary").first
    for name in ["Show 3 equal lines", "Hide", "Show 3 equal lines"]:
        expect(summary).to_have_accessible_name(name)
        content = summary.evaluate(_AFTER)
        assert content.strip('"') == name
        summary.click()


@pytest.mark.parametrize("width", [390, 1440])
def test_folding_works_without_a_script(visit: Visit, width: int) -> None:
    page = visit("folds", java_script_enabled=False, width=width)
    (block,) = blocks(page)
    for summary in block.locator("summary").all():
        summary.click()
    expect(block.locator("details[open]")).to_have_count(2)
    for side in look(block):
        assert [name for name in names(side.texts) if name in FOLDED] == FOLDED


@pytest.mark.parametrize("view", ["Side by side", "Unified", "New"])
def test_the_browsers_search_finds_folded_code(visit: Visit, view: str) -> None:
    """A text fragment is found by the same search, and opens what it is in."""
    page = visit("folds")
    (block,) = blocks(page)
    choose(block, view)
    expect(block.locator("details[open]")).to_have_count(0)
    page.goto(f"{page.url}#:~:text=folded_zebra")
    expect(block.locator("details[open]")).to_have_count(2)


def test_opened_folds_stay_open_in_other_views(visit: Visit) -> None:
    page = visit("folds")
    (block,) = blocks(page)
    toggle_folds(block, opened=True)
    for view in ["Unified", "New", "Old", "Side by side"]:
        choose(block, view)
        shown = {name for side in look(block) if side.visible for name in names(side.texts)}
        assert set(FOLDED) <= shown
