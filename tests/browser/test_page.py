"""A page with blocks stays put: it neither scrolls sideways nor shifts as it loads."""

from __future__ import annotations

import pytest

from .conftest import BLOCKS, Visit
from .probe import blocks, choose, frames, sideways, toggle_folds, views

_SHIFTS = """() => new Promise((done) => {
  new PerformanceObserver((list) => done(list.getEntries().map(({ value, sources }) => ({
    value,
    sources: sources.map(({ node }) => (node?.outerHTML ?? `${node?.nodeValue}`).slice(0, 200)),
    ours: sources.some(({ node }) => document.querySelector("article")?.contains(node)),
  })))).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => done([])));
})"""

_HEIGHTS = """() => {
  const { body } = document;
  const measure = () => body.getBoundingClientRect().height;
  const heights = [measure()];
  body.style.display = "none";
  measure();
  body.style.display = "";
  return [...heights, measure()];
}"""


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("name", ["rows", "unified", "copying"])
def test_no_view_makes_the_page_scroll_sideways(visit: Visit, name: str, width: int) -> None:
    """A window of 320 pixels is one of 1280 at 400 % zoom."""
    page = visit(name, theme="sphinx_book_theme", width=width)
    assert sideways(page) == 0
    for block in blocks(page):
        if block.locator("details").count():
            toggle_folds(block, opened=True)
    for block in blocks(page):
        for view in views(block):
            choose(block, view)
            assert sideways(page) == 0, view


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_is_as_long_as_its_content_after_switching(visit: Visit, width: int) -> None:
    """Else it is cut off, or jumps away from under the mouse at the next click."""
    page = visit("unified", theme="sphinx_book_theme", width=width)
    for block in blocks(page):
        for view in [*views(block)[1:], views(block)[0]]:
            choose(block, view)
            frames(page)
            now, laid_out_anew = page.evaluate(_HEIGHTS)
            assert now == pytest.approx(laid_out_anew, abs=1), view


_COVERED = """element => {
  const range = document.createRange();
  const boxes = [...element.querySelectorAll(".codediff-title .caption-text")].flatMap((title) => {
    range.selectNodeContents(title);
    return [...range.getClientRects()].filter((box) => box.width);
  });
  const controls = [...element.querySelectorAll("select, button")]
    .filter((control) => control.checkVisibility())
    .map((control) => control.getBoundingClientRect());
  const frame = element.querySelector(".codediff").getBoundingClientRect();
  return boxes.filter((box) => box.right > frame.right + 1 || controls.some((control) =>
    box.right > control.left + 1 && box.left < control.right - 1
    && box.bottom > control.top + 1 && box.top < control.bottom - 1)).length;
}"""


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
@pytest.mark.parametrize("theme", ["alabaster", "sphinx_book_theme"])
def test_titles_are_never_under_controls(visit: Visit, theme: str, width: int) -> None:
    page = visit("titles", theme=theme, width=width)
    for block in blocks(page):
        assert block.evaluate(_COVERED) == 0
        has_controls = block.locator(".cd-controls :is(select, label):visible").count()
        for view in views(block) if has_controls else []:  # in a table there is no room
            choose(block, view)
            assert block.evaluate(_COVERED) == 0, view


@pytest.mark.parametrize("width", [390, 320])
def test_no_line_is_cut_in_a_narrow_window(visit: Visit, width: int) -> None:
    page = visit("rows", theme="sphinx_book_theme", width=width)
    wide = page.locator(".codediff pre, .codediff pre *").evaluate_all(
        """(elements) => elements
          .filter((element) => element.checkVisibility() && element.clientWidth)
          .filter((element) => element.scrollWidth > element.clientWidth)
          .map((element) => element.textContent)"""
    )
    assert wide == []


@pytest.mark.needs_chromium("it does not report layout shifts")
@pytest.mark.parametrize(
    ("theme", "width", "view"),
    [
        ("alabaster", 390, ""),
        ("alabaster", 1440, "unified"),
        ("sphinx_book_theme", 390, "1"),
        ("sphinx_book_theme", 1440, ""),
        ("sphinx_book_theme", 1440, "unified"),
    ],
)
def test_nothing_shifts_while_200_blocks_load(
    visit: Visit, theme: str, width: int, view: str
) -> None:
    """Not even with a remembered view. The book theme's own header shifts; the article must not."""
    remember = f"localStorage.setItem('codediff: No Dropout, With Dropout', '{view}')"
    page = visit("many", theme=theme, width=width, script=remember)
    assert len(blocks(page)) == BLOCKS
    assert page.locator(f'[data-view="{view}"]').count() == (BLOCKS if view else 0)
    frames(page)
    shifts = page.evaluate(_SHIFTS)
    assert [shift for shift in shifts if shift["ours"] or theme == "alabaster"] == []
