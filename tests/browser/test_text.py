"""The text of a side is its code and one final newline, whatever the block looks like."""

from __future__ import annotations

import pytest

from .conftest import Site, Visit
from .probe import blocks, choose, codes, look, toggle_folds, views


def expected(site: Site, name: str) -> list[list[str]]:
    return [[f"{code}\n" for code in block] for block in site.codes(name)]


@pytest.mark.parametrize("name", ["modes", "unified", "copying"])
def test_text_is_the_code_in_every_view(visit: Visit, site: Site, name: str) -> None:
    """In each highlight mode, with and without line numbers, folded and not."""
    page = visit(name)
    wanted = expected(site, name)
    assert codes(page) == wanted
    for number in range(max(len(views(block)) for block in blocks(page))):
        for block in blocks(page):
            if number < len(views(block)):
                choose(block, views(block)[number])
        assert codes(page) == wanted


def test_text_is_the_code_where_folds_are_open(visit: Visit, site: Site) -> None:
    page = visit("modes")
    for block in blocks(page):
        if block.locator("details").count():
            toggle_folds(block, opened=True)
    assert codes(page) == expected(site, "modes")


def test_every_line_of_every_mode_is_shown(visit: Visit, site: Site) -> None:
    page = visit("modes")
    for block, codes_of_block in zip(blocks(page), site.codes("modes"), strict=True):
        if block.locator("details").count():
            toggle_folds(block, opened=True)
        for side, code in zip(look(block), codes_of_block, strict=True):
            assert [line.text for line in side.seen if not line.is_summary and not line.is_gap] == (
                code.split("\n")
            )


def test_what_cannot_be_seen_is_a_symbol_and_reorders_nothing(visit: Visit) -> None:
    shown = visit("copying").locator("#hidden")
    symbols = shown.locator("bdi[data-character]").evaluate_all(
        """all => all.map(one => {
          const { content } = getComputedStyle(one, "::before");
          return [content, one.getBoundingClientRect().width > 20];
        })"""
    )
    names = ["202E", "2066", "2069", "2066", "200B", "00AD", "001B", "007F"]
    assert symbols == [[f'"U+{name}"', True] for name in names]
    places = shown.locator("pre > *").evaluate_all(
        """lines => lines.map(line => {
          const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT), places = [];
          while (walker.nextNode())
            [...walker.currentNode.data].forEach((character, at) => {
              if (!/[ -~]/.test(character) || character === "\\x7f") return;
              const range = document.createRange();
              range.setStart(walker.currentNode, at);
              range.setEnd(walker.currentNode, at + 1);
              const { top, left } = range.getBoundingClientRect();
              places.push([top, left]);
            });
          return places;
        })"""
    )
    for line in places:
        assert line == sorted(line)
