"""The doctree: ordinary captioned code blocks that stock doctest executes."""

from __future__ import annotations

import pytest
from docutils import nodes
from test_options import MYST_COUNTS_LINES

from codediff.directive.nodes import codediff
from conftest import Built

SAME_PAGES = [
    "two_sides",
    "two_sides_myst",
    "two_sides_colon",
    "two_sides_notebook",
    "two_sides_ipynb",
]


def blocks(pages: Built, page: str) -> list[codediff]:
    return list(pages.doctree(page).findall(codediff))


def code_blocks(pages: Built, page: str) -> list[nodes.literal_block]:
    return [code for block in blocks(pages, page) for code in block.findall(nodes.literal_block)]


@pytest.mark.parametrize("page", SAME_PAGES)
def test_each_side_is_a_captioned_literal_block(pages: Built, page: str) -> None:
    (block,) = blocks(pages, page)
    assert len(block) == 2
    for side, title in zip(block, ["No Dropout", "With Dropout"], strict=True):
        assert isinstance(side, nodes.container)
        assert side["literal_block"]
        caption, code = side
        assert isinstance(caption, nodes.caption)
        assert isinstance(code, nodes.literal_block)
        assert caption.astext() == title
        assert code["groups"] == [title]
        assert code["testnodetype"] == "testcode"
        assert code.rawsource == code.astext()


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("two_sides", [7, 14]),
        pytest.param("two_sides_myst", [6, 13], marks=MYST_COUNTS_LINES),
        ("two_sides_colon", [9, 15]),
        ("two_sides_notebook", [17, 23]),
    ],
)
def test_each_side_knows_the_file_and_line_of_its_first_line(
    pages: Built, page: str, lines: list[int]
) -> None:
    suffix = "rst" if page == "two_sides" else "md"
    for code, line in zip(code_blocks(pages, page), lines, strict=True):
        assert code.source == str(pages.srcdir / f"{page}.{suffix}")
        assert code.line == line


def test_marked_lines_are_those_the_highlighter_knows(pages: Built) -> None:
    code, marked = code_blocks(pages, "markers")
    assert "hl_lines" not in code["highlight_args"]
    assert marked["highlight_args"]["hl_lines"] == [1, 2, 3, 5]


def test_skipped_and_foreign_sides_are_not_tests(pages: Built) -> None:
    left, right = code_blocks(pages, "older_spelling")
    assert "testnodetype" in left
    assert "testnodetype" not in right
    assert all("testnodetype" not in code for code in code_blocks(pages, "options"))


def test_sync_is_kept_for_later(pages: Built) -> None:
    assert blocks(pages, "older_spelling")[0]["sync"] is True
    assert blocks(pages, "two_sides")[0]["sync"] is False
