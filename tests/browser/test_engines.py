"""What differs between engines: ``pytest tests/browser/test_engines.py --engine webkit``."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import pairwise

import pytest

from .conftest import Site
from .engines import Driver, PlaywrightDriver
from .probe import SIDES, Side, parse
from .test_rows import assert_rows

BLOCK = 'document.querySelectorAll(".codediff-block")'
VIEWS = ["unified", "0", "1", ""]
CHOOSE = f"""([number, view]) => {{
  const select = {BLOCK}[number].querySelector("select");
  select.value = view;
  select.dispatchEvent(new Event("change", {{ bubbles: true }}));
}}"""
BOXES = """selector => [...document.querySelectorAll(selector)]
  .filter((element) => element.getClientRects().length)
  .map((element) => element.getBoundingClientRect().toJSON())"""
SETTLED = """() => new Promise((done) => {
  const look = () => (document.querySelector(".cd-far") ? setTimeout(look, 20) : done());
  requestAnimationFrame(() => requestAnimationFrame(look));
})"""
OPEN = """() => new Promise((done) => setTimeout(
  () => done(document.querySelectorAll("details[open]").length), 200))"""
HEIGHT = "() => document.documentElement.scrollHeight"


def look(driver: Driver, number: int) -> list[Side]:
    return parse(driver.js(f"number => ({SIDES})({BLOCK}[number])", number))


def count(driver: Driver, selector: str) -> int:
    return driver.js("selector => document.querySelectorAll(selector).length", selector)


@pytest.mark.parametrize("width", [390, 768, 1440, 1920])
def test_rows_stand_in_line(driver: Driver, site: Site, width: int) -> None:
    driver.open(site.address("rows", "sphinx_book_theme"), width)
    number = count(driver, ".codediff-block")
    for opened in (False, True):
        driver.js(
            "opened => document.querySelectorAll('details').forEach(one => one.open = opened)",
            opened,
        )
        for view in ["", *VIEWS]:
            for block in range(number):
                driver.js(CHOOSE, [block, view])
            driver.js(SETTLED)
            for block in range(number):
                sides = look(driver, block)
                shown = [side.visible for side in sides]
                if view in ("", "unified"):
                    assert all(shown)
                else:
                    assert [at for at, is_shown in enumerate(shown) if is_shown] == [int(view)]
                if view != "unified":
                    assert_rows(sides)
    assert driver.js("() => document.scrollingElement.scrollWidth <= innerWidth")
    assert driver.js("() => innerWidth") == width


def test_unified_lines_follow_each_other(driver: Driver, site: Site) -> None:
    driver.open(site.address("unified"), 1440)
    driver.js(CHOOSE, [2, "unified"])
    lines = [line for side in look(driver, 2) for line in side.seen]
    lines.sort(key=lambda line: line.top)
    assert [line.text for line in lines] == [
        *("same = 0", "value = one", "value = two", "value = three", "same = 2")
    ]
    assert all(abs(a.bottom - b.top) <= 1 for a, b in pairwise(lines))


@pytest.mark.parametrize(("start", "end"), [(0, 1), (1, 0)])
def test_a_selection_stays_in_its_side(
    driver: Driver, site: Site, start: int, end: int, engine: str
) -> None:
    driver.open(site.address("copying"), 1440)
    sides = look(driver, 0)
    top = driver.js(f"() => {BLOCK}[0].getBoundingClientRect().top")
    first, last = sides[start].seen[0], sides[end].seen[-1]
    driver.drag(
        (first.left + (30 if start < end else 100), top + first.top + 8),
        (last.left + 80, top + last.top + 8),
    )
    selected = driver.js("() => getSelection().toString()")
    names = ["left_", "right_"]
    if engine != "firefox" or start < end:  # it selects nothing while the mouse is before the side
        assert names[start] in selected
    for alien in [names[end], "Left", "Right", "Unified", "Show"]:
        assert alien not in selected


def test_a_button_copies_its_side_without_outputs(driver: Driver, site: Site) -> None:
    driver.open(site.address("outputs"), 1440)
    driver.js("""() => {
      const value = { writeText: async (text) => { window.copied = text; } };
      Object.defineProperty(navigator, "clipboard", { value });
    }""")
    driver.click(".codediff-copy")
    assert driver.js("() => copied") == site.codes("outputs")[0][0]


def test_folds_open_together_by_mouse_and_key(driver: Driver, site: Site) -> None:
    driver.open(site.address("folds"), 1440)
    driver.click("summary")
    assert driver.js(OPEN) == 2
    assert_rows(look(driver, 0))
    driver.js("() => document.querySelector('.codediff-side + .codediff-side summary').focus()")
    driver.press("Enter")
    assert driver.js(OPEN) == 0


def test_a_click_chooses_a_view(driver: Driver, site: Site) -> None:
    driver.open(site.address("folds", "sphinx_book_theme"), 1440)
    for view, value in [("unified", "unified"), ("1", "1"), ("", None)]:
        driver.click(f".cd-views input[value='{view}']")
        assert driver.js(f"() => {BLOCK}[0].dataset.view ?? null") == value


@pytest.mark.parametrize("view", VIEWS[:3])
def test_a_page_keeps_its_height_when_blocks_far_away_switch(
    driver: Driver, site: Site, view: str
) -> None:
    driver.open(site.address("many"), 1440)
    driver.js("() => localStorage.clear()")
    driver.js(CHOOSE, [3, view])
    driver.js("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    at_once = driver.js(HEIGHT)
    driver.js(SETTLED)
    laid_out = driver.js(HEIGHT)
    driver.js("() => localStorage.clear()")
    assert at_once == pytest.approx(laid_out, rel=0.05), "the page jumps"
    driver.js(
        "() => document.querySelectorAll('.codediff')"
        ".forEach(one => one.style.contentVisibility = 'visible')"
    )
    assert laid_out == pytest.approx(driver.js(HEIGHT), rel=0.05)


def test_a_link_leads_to_a_block_that_is_not_laid_out_yet(driver: Driver, site: Site) -> None:
    driver.open(site.address("many"), 1440)
    driver.js(CHOOSE, [0, "unified"])
    top = driver.js("""() => new Promise((done) => {
      location.hash = "#block-150";
      const check = () => document.querySelector(".cd-far") ? setTimeout(check, 50)
        : done(document.getElementById("block-150").getBoundingClientRect().top);
      setTimeout(check, 300);
    })""")
    assert -2 <= top <= 2


def test_controls_of_a_block_that_becomes_shorter_stay_in_sight(driver: Driver, site: Site) -> None:
    driver.open(site.address("tall"), 390)
    height = driver.js(f"() => {BLOCK}[0].getBoundingClientRect().height")
    driver.js(f"() => scrollTo({{ top: {0.8 * height}, behavior: 'instant' }})")
    driver.js(CHOOSE, [0, "0"])
    (controls,) = driver.js(BOXES, ".cd-controls")[:1]
    assert -1 <= controls["top"] <= 900


def test_titles_stick_below_the_header_of_the_theme(driver: Driver, site: Site) -> None:
    driver.open(site.address("tall", "sphinx_book_theme"), 1440)
    driver.js("() => scrollTo({ top: 900, behavior: 'instant' })")
    assert driver.js("""() => {
      const title = document.querySelector(".codediff-title");
      const { left, top, height } = title.getBoundingClientRect();
      return title.contains(document.elementFromPoint(left + 20, top + height / 2));
    }""")


def printed(driver: Driver, engine: str, option: str, **choice: str) -> str:
    """Return what ``pdftotext`` with an option finds in the printed page."""
    if not isinstance(driver, PlaywrightDriver):
        pytest.skip(f"{engine}: its driver does not print")
    if not (program := shutil.which("pdftotext")):
        pytest.skip("no pdftotext: install Debian's poppler-utils")
    pdf = driver.page.pdf(**choice)
    command = [program, option, "-", "-"]
    return subprocess.run(command, input=pdf, capture_output=True, check=True).stdout.decode()


def test_nothing_overlaps_on_paper(driver: Driver, site: Site, engine: str) -> None:
    driver.open(site.address("many"), 1440)
    text = printed(driver, engine, "-bbox", page_ranges="1-12")
    number = r'="([\d.]+)"'
    word = re.compile(rf"xMin{number} yMin{number} xMax{number} yMax{number}>([^<]{{3,}})<")
    for paper in text.split("<page ")[1:]:
        words = [(*map(float, found[:4]), found[4]) for found in word.findall(paper)]
        for left, top, right, bottom, text in words:
            covered = [
                other
                for x, y, stop, end, other in words
                if y > top and min(right, stop) - max(left, x) > 2 and min(bottom, end) - y > 4
            ]
            assert not covered, (text, covered)


def test_a_remembered_view_stands_in_the_first_frame(driver: Driver, site: Site) -> None:
    """Even if scripts of the theme take long."""
    driver.open(site.address("views"), 1440)
    driver.js(CHOOSE, [0, "1"])
    driver.open(site.address("views", "delayed"), 1440)
    view, state = driver.js("() => firstView")
    driver.js("() => localStorage.clear()")
    assert (view, state) in {("1", "loading"), ("1", "interactive")}


@pytest.mark.parametrize("view", VIEWS)
def test_titles_and_controls_of_tall_blocks_stay_in_sight(
    driver: Driver, site: Site, view: str
) -> None:
    driver.open(site.address("tall"), 1440)
    driver.js(CHOOSE, [0, view])
    driver.js("() => scrollTo({ top: 700, behavior: 'instant' })")
    shown = [".cd-controls"] if view == "unified" else [".cd-controls", ".codediff-title"]
    for selector in shown:
        boxes = driver.js(BOXES, selector)
        assert boxes
        assert all(-1 <= box["top"] <= 1 for box in boxes), (selector, boxes)
    driver.js("() => scrollTo({ top: 0, behavior: 'instant' })")
    first = min(line.top for side in look(driver, 0) for line in side.seen)
    top = driver.js(f"() => {BLOCK}[0].getBoundingClientRect().top")
    assert all(box["bottom"] <= top + first + 1 for box in driver.js(BOXES, ".codediff-title"))


def test_what_wraps_keeps_the_indentation_of_its_line(driver: Driver, site: Site) -> None:
    driver.open(site.address("tall"), 500)
    first, *others = driver.js("""() => {
      const line = [...document.querySelectorAll(".cd-i8")].pop();
      const range = document.createRange();
      const { childNodes } = line.querySelector(".s2");
      return [...line.querySelectorAll("span")].flatMap((span) => [...span.getClientRects()])
        .filter((box) => box.width > 1).map((box) => [Math.round(box.top), Math.round(box.left)]);
    }""")
    wrapped = [left for top, left in others if top > first[0] + 5]
    assert wrapped
    assert min(wrapped) > first[1]


def test_outputs_stand_below_their_sides(driver: Driver, site: Site) -> None:
    driver.open(site.address("outputs"), 1440)
    outputs = driver.js(BOXES, ".codediff-output")
    sides = driver.js(BOXES, ".codediff-side")
    assert len(outputs) == 3
    for output, side in zip(outputs[:2], sides[:2], strict=True):
        assert abs(output["left"] - side["left"]) <= 1.5
        assert abs(output["bottom"] - side["bottom"]) <= 1.5
    assert abs(outputs[0]["top"] - outputs[1]["top"]) <= 1
    assert outputs[2]["width"] > 1.9 * outputs[0]["width"]
    assert outputs[2]["top"] >= sides[3]["bottom"] - 1
    driver.js(CHOOSE, [0, "1"])
    texts = driver.js("""() => [...document.querySelectorAll(".codediff-output pre")]
      .filter((pre) => pre.getClientRects().length)
      .map((pre) => pre.textContent.split("\\n")[0])""")
    assert texts == ["new", "same"]
    driver.js(CHOOSE, [0, "unified"])
    first, second, _shared = driver.js(BOXES, ".codediff-output")
    assert first["bottom"] <= second["top"] + 1.5
    lines = [line.bottom for side in look(driver, 0) for line in side.seen]
    assert first["top"] >= max(lines)


@pytest.mark.parametrize("view", VIEWS)
def test_every_side_is_on_paper_whatever_was_chosen(
    driver: Driver, site: Site, view: str, engine: str
) -> None:
    driver.open(site.address("folds", "sphinx_book_theme"), 1440)
    driver.js(CHOOSE, [0, view])
    text = printed(driver, engine, "-layout")
    for title in ("Old", "New"):
        assert title in text.split()
    for code in site.codes("folds", "sphinx_book_theme")[0]:
        for line in code.split("\n"):
            assert line.split(" ")[0] in text, line
