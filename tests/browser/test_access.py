"""Everyone can read the site: axe finds nothing, and all of the code has enough contrast."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from conftest import ROOT

from .probe import frames

pytestmark = pytest.mark.needs_chromium("Playwright does not emulate colour schemes there")
DOCS = ROOT / "docs"
SOURCES = [path for path in sorted(DOCS.rglob("*")) if path.suffix in (".rst", ".md")]
NAMES = [str(path.relative_to(DOCS).with_suffix("")) for path in SOURCES]
PAGES = [*(name for name in NAMES if "/examples/" not in name), "genindex", "search"]
GUIDES = [name for name in PAGES if name.startswith("guides/") and "cheat_sheet" not in name]
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # lists of what has passed would take twice the time
}
SCHEMES = ["light", "dark"]

# The contrast of each text with what is behind it, as WCAG 2.2 defines it, from the styles in
# force: backgrounds are laid over each other from the page down, opacity included.
CONTRASTS = """() => {
  const parse = (text) => {
    const numbers = text.match(/[\\d.e-]+/g).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    const [r, g, b, alpha = 1] = numbers;
    return { rgb: [r, g, b].map((part) => part * scale), alpha };
  };
  const over = (top, alpha, below) => top.map((part, i) => part * alpha + below[i] * (1 - alpha));
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, two) => {
    const [low, high] = [luminance(one), luminance(two)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const lineage = (element) => {
    const found = [];
    for (let part = element; part; part = part.parentElement) found.unshift(part);
    return found;
  };
  const seen = new Map();
  const measure = (element, pseudo, text) => {
    let background = [255, 255, 255];
    for (const part of lineage(element)) {
      const { rgb, alpha } = parse(getComputedStyle(part).backgroundColor);
      background = over(rgb, alpha, background);
    }
    const style = getComputedStyle(element, pseudo);
    const { rgb, alpha } = parse(style.color);
    const value = ratio(over(rgb, alpha * Number(style.opacity), background), background);
    const what = `${element.tagName}.${element.className}${pseudo ?? ""} ${style.color}`;
    if (!seen.has(what) || seen.get(what)[0] > value) seen.set(what, [value, text]);
  };
  for (const block of document.querySelectorAll(".codediff-block")) {
    const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { parentElement, data } = walker.currentNode;
      if (data.trim() && parentElement.checkVisibility()) measure(parentElement, null, data);
    }
    for (const line of block.querySelectorAll("pre > * > *"))
      if (!/^(none|normal|"")/.test(getComputedStyle(line, "::before").content))
        measure(line, "::before", line.textContent);
    for (const button of block.querySelectorAll("button, select")) measure(button, null, "");
  }
  return [...seen].map(([what, [value, text]]) => [what, value, text]);
}"""

CHOOSE = """(selects, view) => selects.forEach((select) => {
  select.value = view;
  select.dispatchEvent(new Event("change", { bubbles: true }));
})"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site, built with its notebook as it is."""
    target = tmp_path_factory.mktemp("site")
    subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-q", "-c", ROOT, "-d", target / "doctrees"),
            *("-D", "nb_execution_mode=off", ROOT / "docs", target),
        ],
        check=True,
    )
    return target


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    # In a window in which the whole page is to be seen, axe takes half the time.
    with browser.new_context(viewport={"width": 1440, "height": 20_000}) as context:
        context.set_default_timeout(60_000)
        yield context.new_page()


def visit(page: Page, path: Path) -> None:
    """Open a page as a new reader, without the views that an earlier test has chosen."""
    page.goto("about:blank")
    page.goto(path.as_uri(), wait_until="load")
    stored = "Object.keys(localStorage).filter((name) => name.startsWith('codediff'))"
    if page.evaluate(f"{stored}.map((name) => localStorage.removeItem(name)).length"):
        page.reload(wait_until="load")


def schemes(page: Page) -> Iterator[str]:
    """Show the page in each colour scheme."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        frames(page)  # transitions have begun
        page.wait_for_function(
            "document.getAnimations().every((one) => one.playState != 'running')"
        )
        yield scheme


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(page: Page, pages: Path, name: str) -> None:
    visit(page, pages / f"{name}.html")
    for scheme in schemes(page):
        results = Axe().run(page, options=OPTIONS)
        assert results.violations_count == 0, f"{scheme}: {results.generate_report()}"


@pytest.mark.parametrize("name", ["guides/dropout", "codediff/options", "codediff/testing"])
def test_all_text_in_blocks_has_enough_contrast(page: Page, pages: Path, name: str) -> None:
    visit(page, pages / f"{name}.html")
    for view in ("", "unified", "1"):
        page.locator(".cd-controls select").evaluate_all(CHOOSE, view)
        page.wait_for_function("!document.querySelector('.cd-far')")
        for scheme in schemes(page):
            found = page.evaluate(CONTRASTS)
            assert len(found) > 10
            assert [one for one in found if one[1] < 4.5] == [], (scheme, view)


@pytest.mark.parametrize("name", GUIDES)
def test_both_sides_of_the_guides_fit_a_window_of_1440(page: Page, pages: Path, name: str) -> None:
    visit(page, pages / f"{name}.html")
    tops = page.locator(".codediff").evaluate_all(
        "all => all.map((one) => [...one.querySelectorAll('.codediff-side')]"
        ".map((side) => side.getBoundingClientRect().top))"
    )
    assert all(left == right for left, right in tops)
    heights = page.locator(".codediff pre > * > :not(i)").evaluate_all(
        "lines => lines.map((line) => line.getBoundingClientRect().height).filter(Boolean)"
    )
    assert max(heights) < 1.5 * min(heights)
