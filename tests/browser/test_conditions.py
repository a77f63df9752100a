"""Right-to-left pages, forced colours and readers who want nothing to move."""

from __future__ import annotations

import pytest

from .conftest import Visit
from .probe import MINUS, blocks, choose, look, views
from .test_rows import assert_rows, is_split

_LEFT_ALIGNED = """block => [...block.querySelectorAll(".codediff-side pre > * > *")]
  .filter((line) => line.checkVisibility() && line.textContent.trim())
  .map((line) => {
    const range = document.createRange();
    range.selectNodeContents(line);
    const [first] = range.getClientRects();
    const { left, right } = line.getBoundingClientRect();
    const { direction, textAlign } = getComputedStyle(line);
    return { direction, textAlign, indent: first.left - left, room: right - first.left };
  })"""


@pytest.mark.parametrize("theme", ["alabaster", "sphinx_book_theme"])
def test_code_stays_left_to_right_on_a_right_to_left_page(visit: Visit, theme: str) -> None:
    page = visit("unified", theme=theme)
    plain = [block.evaluate(_LEFT_ALIGNED) for block in blocks(page)]
    page.evaluate("document.documentElement.dir = 'rtl'")
    for block, before in zip(blocks(page), plain, strict=True):
        now = block.evaluate(_LEFT_ALIGNED)
        assert [line["indent"] for line in now] == pytest.approx(
            [line["indent"] for line in before], abs=1
        )
        assert {line["direction"] for line in now} == {"ltr"}
        assert is_split(look(block))
        assert_rows(look(block))


def test_the_first_side_is_on_the_right_of_a_right_to_left_page(visit: Visit) -> None:
    page = visit("unified")
    page.evaluate("document.documentElement.dir = 'rtl'")
    first, second = look(blocks(page)[0])
    assert first.left > second.left


@pytest.mark.parametrize("view", ["Side by side", "Unified"])
def test_signs_are_shown_in_forced_colours(visit: Visit, view: str) -> None:
    page = visit("unified", forced_colors="active")
    block = blocks(page)[0]
    choose(block, view)
    left, right = look(block)
    assert {line.sign for line in left.seen} >= {MINUS}
    assert {line.sign for line in right.seen} >= {"+"}
    colours = block.locator("ins, del, .cd-c").evaluate_all(
        """lines => lines.filter((line) => line.checkVisibility()).map((line) => {
          const { color, opacity, visibility } = getComputedStyle(line, "::before");
          return color !== getComputedStyle(line).backgroundColor
            && opacity > 0.5 && visibility === "visible";
        })"""
    )
    assert colours
    assert all(colours)


def test_marks_gaps_and_the_divider_are_drawn_in_forced_colours(visit: Visit) -> None:
    """By borders: shadows, gradients and most backgrounds are dropped there."""
    page = visit("modes", forced_colors="active")
    drawn = page.locator(".codediff-block").first.evaluate(
        """block => Object.fromEntries(
          [".hll", ".cd-d > :is(i, .cd-b)", ".codediff-side + .codediff-side"].map((selector) => {
            const style = getComputedStyle(block.querySelector(selector));
            return [selector, [style.borderLeftStyle, parseFloat(style.borderLeftWidth) >= 1]];
          }))"""
    )
    assert list(drawn.values()) == [["solid", True], ["dotted", True], ["solid", True]]
    assert "\u25b8" in {line.sign for side in look(blocks(page)[0]) for line in side.seen}


def test_controls_are_seen_in_forced_colours(visit: Visit) -> None:
    """Backgrounds are dropped there: a button has to be drawn by borders or text."""
    page = visit("folds", forced_colors="active")
    button = page.locator(".codediff-copy").first
    drawn = button.evaluate(
        """button => ["", "::before", "::after"].some((part) => {
          const style = getComputedStyle(button, part || undefined);
          return style.borderStyle !== "none" && parseFloat(style.borderWidth) > 0
            && style.borderColor !== "rgba(0, 0, 0, 0)";
        })"""
    )
    assert drawn


@pytest.mark.parametrize("theme", ["alabaster", "sphinx_book_theme"])
def test_nothing_moves_for_readers_who_want_less_motion(visit: Visit, theme: str) -> None:
    page = visit("folds", theme=theme, reduced_motion="reduce")
    (block,) = blocks(page)
    for view in views(block):
        choose(block, view)
        moving = page.locator(".codediff-block, .codediff-block *").evaluate_all(
            """elements => elements.filter((element) => ["", "::before", "::after"].some((part) => {
              const style = getComputedStyle(element, part || undefined);
              return style.animationName !== "none"
                || style.transitionDuration.split(",").some((time) => parseFloat(time) > 0.01);
            })).map((element) => element.outerHTML.slice(0, 100))"""
        )
        assert moving == []
        assert page.evaluate("document.getAnimations().length") == 0
