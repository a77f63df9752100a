"""What a reader chooses, where the choice reaches, and how long it lasts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .conftest import Site, Visit
from .probe import block, blocks, choose, chosen, look, views

NAMES = ["synced", "synced-too", "not-synced", "other-titles"]
NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("denied", "SecurityError"); },
});"""
FULL_STORAGE = """Storage.prototype.setItem = () => {
  throw new DOMException("full", "QuotaExceededError");
};"""


def shown(page: Page) -> dict[str, str]:
    """Return the view of each block without one of its own, by the block's name."""
    return {name: chosen(block(page, name)) for name in NAMES}


def expect_views(page: Page, **others: str) -> None:
    wanted = dict.fromkeys(NAMES, "Side by side")
    assert shown(page) == wanted | {n.replace("_", "-"): view for n, view in others.items()}


def test_a_block_offers_its_views(visit: Visit) -> None:
    page = visit("views")
    assert views(block(page, "synced")) == [
        "Side by side",
        "Unified",
        "No Dropout",
        "With Dropout",
    ]
    assert views(block(page, "starts-with-second"))[2:] == ["First", "Second", "Third"]


def test_each_view_shows_what_it_says(visit: Visit) -> None:
    page = visit("views")
    pair = block(page, "synced")
    for view, visible in [
        ("With Dropout", [False, True]),
        ("No Dropout", [True, False]),
        ("Unified", [True, True]),
        ("Side by side", [True, True]),
    ]:
        choose(pair, view)
        assert [side.visible for side in look(pair)] == visible
        assert chosen(pair) == view


def test_the_first_view_is_the_authors(visit: Visit) -> None:
    page = visit("views")
    expect_views(page)
    assert chosen(block(page, "starts-with-second")) == "Second"
    sides = look(block(page, "starts-with-second"))
    assert [side.visible for side in sides] == [False, True, False]
    assert chosen(block(page, "starts-unified")) == "Unified"


def test_a_choice_reaches_synced_blocks_with_the_same_titles(visit: Visit) -> None:
    page = visit("views")
    choose(block(page, "synced-too"), "With Dropout")
    expect_views(page, synced="With Dropout", synced_too="With Dropout")
    choose(block(page, "other-titles"), "Unified")
    choose(block(page, "not-synced"), "No Dropout")
    expect_views(
        page,
        synced="With Dropout",
        synced_too="With Dropout",
        not_synced="No Dropout",
        other_titles="Unified",
    )


def test_a_choice_is_kept_for_other_pages_and_visits(visit: Visit, site: Site) -> None:
    page = visit("views")
    choose(block(page, "synced"), "With Dropout")
    choose(block(page, "not-synced"), "Unified")
    choose(block(page, "starts-with-second"), "Third")
    choose(block(page, "starts-unified"), "Minus")
    page.goto(site.address("elsewhere"))
    assert chosen(block(page, "elsewhere-synced")) == "With Dropout"
    assert chosen(block(page, "elsewhere-not-synced")) == "Side by side"
    page.close()
    page = page.context.new_page()
    page.goto(site.address("views"))
    expect_views(page, synced="With Dropout", synced_too="With Dropout")
    assert chosen(block(page, "starts-with-second")) == "Third"
    assert chosen(block(page, "starts-unified")) == "Unified"
    choose(block(page, "synced"), "Side by side")
    choose(block(page, "starts-with-second"), "Side by side")
    page.reload()
    expect_views(page)
    assert chosen(block(page, "starts-with-second")) == "Side by side"


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ("With+Dropout", "With Dropout"),
        ("With%20Dropout", "With Dropout"),
        ("unified", "Unified"),
    ],
)
def test_a_link_can_carry_the_view(visit: Visit, site: Site, query: str, view: str) -> None:
    page = visit("views", query=f"?codediff={query}")
    for name in ["synced", "synced-too", "not-synced"]:
        assert chosen(block(page, name)) == view
    other = "Unified" if query == "unified" else "Side by side"
    assert chosen(block(page, "other-titles")) == other
    choose(block(page, "synced"), "No Dropout")
    page.goto(site.address("views", query=f"?codediff={query}"))
    assert chosen(block(page, "synced")) == view, "a link says more than an earlier choice"


def test_a_link_can_name_a_title_with_markup(visit: Visit) -> None:
    page = visit("views", query="?codediff=Second")
    assert chosen(block(page, "starts-with-second")) == "Second"
    expect_views(page)


def test_a_link_can_name_a_title_as_it_is_written(visit: Visit) -> None:
    page = visit("titles", query="?codediff=Don't")
    assert chosen(block(page, "curled")) == "Don\u2019t"


def test_a_choice_made_after_following_a_link_is_remembered(visit: Visit) -> None:
    page = visit("views", query="?codediff=unified&other=1#synced")
    choose(blocks(page)[0], "With Dropout")
    assert page.url.endswith("views.html?other=1#synced")
    page.reload()
    assert blocks(page)[0].locator("select").evaluate("select => select.value") == "1"


@pytest.mark.parametrize("query", ["No+Such+Title", "", "1", "%"])
def test_a_link_with_an_unknown_view_is_ignored(visit: Visit, query: str) -> None:
    page = visit("views", query=f"?codediff={query}")
    expect_views(page)
    assert chosen(block(page, "starts-with-second")) == "Second"


@pytest.mark.parametrize("script", [NO_STORAGE, FULL_STORAGE])
def test_views_work_where_nothing_can_be_stored(visit: Visit, script: str) -> None:
    page = visit("views", script=script)
    assert chosen(block(page, "starts-with-second")) == "Second"
    choose(block(page, "synced"), "With Dropout")
    expect_views(page, synced="With Dropout", synced_too="With Dropout")
    page.reload()
    expect_views(page)


def test_what_is_stored_may_be_out_of_date(visit: Visit) -> None:
    """Titles change; then no choice of old may hide a side or break a page."""
    page = visit("views")
    choose(block(page, "synced"), "With Dropout")
    page.evaluate("for (const key of Object.keys(localStorage)) localStorage[key] = '17'")
    page.reload()
    expect_views(page)


@pytest.mark.needs_chromium("Playwright waits for ever for a page that is shown again")
def test_the_back_button_keeps_blocks_and_their_selects_together(visit: Visit, site: Site) -> None:
    """Browsers restore form controls on their own."""
    page = visit("views")
    choose(block(page, "not-synced"), "With Dropout")
    page.goto(site.address("elsewhere"))
    page.go_back()
    expect(page.locator(".codediff-block select")).to_have_count(len(blocks(page)))
    pair = block(page, "not-synced")
    visible = [side.visible for side in look(pair)]
    assert (
        visible
        == {
            "With Dropout": [False, True],
            "Side by side": [True, True],
        }[chosen(pair)]
    )


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_controls_do_not_cover_titles(visit: Visit, width: int, direction: str) -> None:
    page = visit("copying", theme="sphinx_book_theme", width=width)
    page.evaluate("direction => { document.documentElement.dir = direction }", direction)
    for pair in blocks(page):
        covered = pair.evaluate(
            """block => {
              const hits = [];
              for (const title of block.querySelectorAll(".codediff-title .caption-text")) {
                const range = document.createRange();
                range.selectNodeContents(title);
                for (const control of block.querySelectorAll("select, button")) {
                  const one = control.getBoundingClientRect();
                  for (const two of range.getClientRects())
                    if (one.left < two.right && two.left < one.right &&
                        one.top < two.bottom && two.top < one.bottom)
                      hits.push(`${control.tagName} covers ${title.textContent}`);
                }
              }
              return hits;
            }"""
        )
        assert covered == []
