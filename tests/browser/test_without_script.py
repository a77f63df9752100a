"""Pages keep their promise without scripts, and under a policy that forbids inline ones."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import POLICY, Site, Visit
from .probe import blocks, choose, chosen, codes, frames, look, toggle_folds
from .test_rows import assert_rows, is_split

VIOLATIONS = """window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));"""


@pytest.mark.parametrize(("width", "split"), [(390, False), (1440, True)])
@pytest.mark.parametrize("theme", ["sphinx_book_theme", "strict"])
def test_without_a_script_sides_align_or_are_stacked(
    visit: Visit, site: Site, theme: str, width: int, split: bool
) -> None:
    page = visit("rows", theme=theme, width=width, java_script_enabled=False)
    for block in blocks(page):
        assert is_split(look(block)) == split
        assert_rows(look(block))
    assert codes(page) == [[f"{code}\n" for code in block] for block in site.codes("rows")]
    expect(page.locator(".codediff-block :is(select, button)")).to_have_count(0)


def test_the_server_does_send_the_policy(visit: Visit, site: Site) -> None:
    page = visit("rows", theme="strict")
    response = page.goto(site.address("views", "strict"))
    assert response
    assert response.header_value("content-security-policy") == POLICY


def test_nothing_is_blocked_under_a_strict_policy(visit: Visit) -> None:
    page = visit("unified", theme="strict", script=VIOLATIONS)
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.reload()
    for block in blocks(page):
        for view in ["Unified", "Side by side"]:
            choose(block, view)
            assert chosen(block) == view
        assert_rows(look(block))
    toggle_folds(blocks(page)[3], opened=True)
    blocks(page)[0].get_by_role("button").first.click()
    expect(blocks(page)[0].get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("violations") == []
    assert messages == []


def test_the_policy_test_would_notice(visit: Visit) -> None:
    page = visit("unified", theme="strict", script=VIOLATIONS)
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    frames(page)
    assert len(page.evaluate("violations")) == 1
