"""All of it works by keyboard, and it shows where the reader is."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import Visit
from .probe import blocks, chosen, look

_FOCUSED = """() => {
  const element = document.activeElement;
  const block = element.closest(".codediff-block");
  if (!block) return null;
  const drawn = element.tagName === "INPUT" ? element.nextElementSibling : element;
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(drawn);
  return {
    tag: element.tagName,
    visible: drawn.checkVisibility({ opacityProperty: true, visibilityProperty: true }),
    outlined: outlineStyle !== "none" && parseFloat(outlineWidth) >= 1
      && !/^rgba.*, 0\\)$/.test(outlineColor),
  };
}"""


@pytest.mark.parametrize("theme", ["alabaster", "basic", "sphinx_book_theme"])
def test_tab_reaches_every_control_and_shows_it(visit: Visit, theme: str) -> None:
    page = visit("folds", theme=theme)
    (_block,) = blocks(page)
    found = []
    for _press in range(60):
        page.keyboard.press("Tab")
        if focused := page.evaluate(_FOCUSED):
            found.append(focused)
        elif found:
            break
    controls = sorted(one["tag"] for one in found if one["tag"] != "A")
    views = "INPUT" if theme == "sphinx_book_theme" else "SELECT"  # as there is room
    assert controls == sorted([views, "BUTTON", "BUTTON", "SUMMARY", "SUMMARY"])
    assert [one for one in found if not one["visible"]] == []
    assert [one for one in found if not one["outlined"]] == []


def test_views_change_by_arrow_keys(visit: Visit) -> None:
    page = visit("folds")
    (block,) = blocks(page)
    select = block.get_by_role("combobox", name="View")
    select.focus()
    page.keyboard.press("ArrowDown")
    assert chosen(block) == "Unified"
    page.keyboard.press("ArrowDown")
    assert [side.visible for side in look(block)] == [True, False]
    expect(select).to_be_focused()


def test_views_change_by_arrow_keys_where_all_are_shown(visit: Visit) -> None:
    page = visit("folds", theme="sphinx_book_theme")
    (block,) = blocks(page)
    group = block.get_by_role("group", name="View")
    group.get_by_role("radio", name="Side by side").focus()
    page.keyboard.press("ArrowRight")
    assert chosen(block) == "Unified"
    page.keyboard.press("ArrowRight")
    assert [side.visible for side in look(block)] == [True, False]
    expect(group.get_by_role("radio", name="Old")).to_be_focused()


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_folds_open_by_key(visit: Visit, key: str) -> None:
    page = visit("folds")
    (block,) = blocks(page)
    summary = block.locator("summary").last
    summary.focus()
    page.keyboard.press(key)
    expect(block.locator("details[open]")).to_have_count(2)
    expect(summary).to_be_focused()


def test_controls_are_large_enough_to_hit(visit: Visit) -> None:
    """WCAG 2.2, 2.5.8: 24 by 24 CSS pixels, or enough room around."""
    page = visit("folds", width=390)
    for control in page.locator(".codediff select, .codediff-copy").all():
        box = control.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 24
