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
