"""Blocks in what readers open first: tabs, dropdowns and toggles of other extensions."""

from __future__ import annotations

from playwright.sync_api import expect

from .conftest import Visit
from .probe import choose, chosen, look
from .test_rows import assert_rows, is_split

OPENERS = {  # of what holds the blocks with these titles
    "tab": ".sd-tab-set > label >> text=Second",
    "dropdown": "details.sd-dropdown > summary",
    "note": ".admonition.dropdown .toggle-button",
    "toggle": ".toggle-details > summary",
    "panel": "role=tab[name='There']",
}


def test_a_block_that_was_hidden_is_laid_out_when_it_is_opened(visit: Visit) -> None:
    page = visit("index", theme="neighbours")
    synced = page.get_by_role("group", name="tab, tab B", include_hidden=True)
    choose(synced.first, "tab B")
    assert [side.visible for side in look(synced.first)] == [False, True]
    for title, opener in OPENERS.items():
        named = page.get_by_role("group", name=f"{title}, {title} B", include_hidden=True)
        block = named.last
        expect(block).to_be_hidden()
        page.locator(opener).click()
        expect(block).to_be_visible()
        assert chosen(block) == ("tab B" if title == "tab" else "Side by side")
        for view in (f"{title} B", "Unified", "Side by side"):
            choose(block, view)
            sides = look(block)
            assert [side.visible for side in sides] == [view != f"{title} B", True]
        assert is_split(sides)
        assert_rows(sides)
