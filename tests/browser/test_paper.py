"""On paper there is nothing to press, and everything to read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from .conftest import Site, Visit
from .probe import blocks, choose, look
from .test_rows import assert_rows

pytestmark = pytest.mark.needs_chromium("Playwright does not emulate paper there")
A4 = 718  # pixels between the margins that Chromium leaves
_CUT = """elements => elements
  .filter((element) => element.checkVisibility() && element.clientWidth)
  .filter((element) => element.scrollWidth > element.clientWidth
    && getComputedStyle(element).overflow !== "visible")
  .map((element) => element.outerHTML.slice(0, 200))"""


def assert_complete(page: Page, codes: list[list[str]]) -> None:
    """Check that each side shows its lines, other than blank ones."""
    for block, wanted in zip(blocks(page), codes, strict=True):
        for side, code in zip(look(block), wanted, strict=True):
            assert list(filter(str.strip, side.texts)) == list(filter(str.strip, code.split("\n")))


@pytest.mark.parametrize("name", ["rows", "folds", "unified"])
@pytest.mark.parametrize("script", [True, False])
def test_all_lines_are_printed(visit: Visit, site: Site, name: str, script: bool) -> None:
    page = visit(name, theme="sphinx_book_theme", width=A4, java_script_enabled=script)
    page.emulate_media(media="print")
    assert_complete(page, site.codes(name))
    for block in blocks(page):
        assert_rows(look(block))


@pytest.mark.parametrize("name", ["rows", "folds"])
@pytest.mark.parametrize("theme", ["sphinx_book_theme", "alabaster"])
def test_no_control_is_printed_and_no_line_cut(visit: Visit, name: str, theme: str) -> None:
    page = visit(name, theme=theme, width=A4)
    page.emulate_media(media="print")
    controls = page.locator(".codediff-block :is(select, button, summary)")
    assert controls.count() > 0
    assert [control for control in controls.all() if control.is_visible()] == []
    assert page.locator(".codediff-block, .codediff-block *").evaluate_all(_CUT) == []
    # What is cut off where a page ends would be missing on the next one.
    frames = page.locator(".codediff").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).overflow)"
    )
    assert set(frames) == {"visible"}
    for block in blocks(page):
        frame = block.bounding_box()
        assert frame
        for side in look(block):
            assert side.right <= frame["x"] + frame["width"] + 1
            assert all(line.right <= side.right + 1 for line in side.seen)


@pytest.mark.parametrize("view", ["Unified", "Old", "New"])
def test_all_lines_are_printed_after_switching(visit: Visit, view: str) -> None:
    """What differs cannot be hidden on paper: there is nothing to bring it back with."""
    page = visit("folds", width=A4)
    (block,) = blocks(page)
    choose(block, view)
    page.emulate_media(media="print")
    texts = [text for side in look(block) if side.visible for text in side.texts]
    for text in ['first_changed = "old"', "folded_first = 2", "folded_last = 4"]:
        assert text in texts
    assert 'added = "new"' in texts
