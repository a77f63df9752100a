"""What there is to see of a block, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

MINUS = "\N{MINUS SIGN}"

# Engines lay out in 60ths or 64ths of a pixel, with noise in the last digits of a float. Tenths
# hide it, as none of these fractions is close to where this rounding goes up.
SIDES = """block => {
  const round = (length) => Math.floor(length * 10 + 0.5037) / 10;
  const isVisible = (element) =>
    element.checkVisibility() && element.getBoundingClientRect().height > 0;
  const origin = block.getBoundingClientRect().top;
  return [...block.querySelectorAll(".codediff-side")].map((side) => {
    const lines = [...side.querySelector("pre").children]
      .flatMap((chunk) => [...chunk.children])
      .map((line) => {
        const { top, bottom, left, right } = line.getBoundingClientRect();
        const range = document.createRange();
        range.selectNodeContents(line);
        const [first] = range.getClientRects();
        const { content } = getComputedStyle(line, "::before");
        const sign = content.match(/[+\\u2212~\\u25b8]/)?.[0] ?? "";
        return {
          text: line.textContent.replace(/\\n$/, ""),
          is_summary: line.tagName === "SUMMARY",
          is_gap: line.tagName !== "SUMMARY" && line.textContent === "",
          visible: isVisible(line),
          top: round(top - origin), bottom: round(bottom - origin),
          left: round(left), right: round(right), sign,
          text_top: first ? round(first.top - origin) : null,
        };
      });
    const { top, bottom, left, right } = side.getBoundingClientRect();
    const visible = isVisible(side);
    return { lines, visible, top: top - origin, bottom: bottom - origin, left, right };
  });
}"""


@dataclass(frozen=True)
class Line:
    """A line of a side, a gap in it, or what stands for a fold.

    Lengths are CSS pixels, heights are counted from the top of the block.

    Attributes:
        text: Without its line end.
        sign: What the gutter shows, other than a number.
        text_top: Where the text itself begins, None if there is none to see.
    """

    text: str
    is_summary: bool
    is_gap: bool
    visible: bool
    top: float
    bottom: float
    left: float
    right: float
    sign: str
    text_top: float | None

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True)
class Side:
    """A side of a block as it is laid out."""

    lines: list[Line]
    visible: bool
    top: float
    bottom: float
    left: float
    right: float

    @property
    def seen(self) -> list[Line]:
        return [line for line in self.lines if line.visible]

    @property
    def texts(self) -> list[str]:
        """The lines that can be read, from top to bottom."""
        return [line.text for line in self.seen if not line.is_summary]


def parse(found: list[dict[str, Any]]) -> list[Side]:
    """Return the sides that the script ``SIDES`` has found."""
    return [Side(**(side | {"lines": [Line(**line) for line in side["lines"]]})) for side in found]


def look(block: Locator) -> list[Side]:
    """Return the sides of a block as they are laid out now."""
    return parse(block.evaluate(SIDES))


def seen(block: Locator) -> list[list[Line]]:
    """Return what can be seen of each side, and where."""
    return [side.seen if side.visible else [] for side in look(block)]


def blocks(page: Page) -> list[Locator]:
    return page.locator(".codediff-block").all()


def block(page: Page, name: str) -> Locator:
    """Return the block with a given ``:name:``."""
    return page.locator(f".codediff-block#{name}")


def choose(block: Locator, view: str) -> None:
    """Choose a view as a reader does, who has scrolled there."""
    block.scroll_into_view_if_needed()
    select = block.get_by_role("combobox")
    if select.count():
        select.select_option(label=view)
    else:
        block.get_by_role("radio", name=view, exact=True).check()


def chosen(block: Locator) -> str:
    """Return the view that the block says it shows, in both of its controls."""
    labels = block.locator(".cd-controls").evaluate(
        """controls => [controls.querySelector("select").selectedOptions[0].label,
          controls.querySelector(":checked + span").textContent]"""
    )
    assert labels[0] == labels[1]
    return labels[0]


def views(block: Locator) -> list[str]:
    return block.locator("option").all_text_contents()


def toggle_folds(block: Locator, *, opened: bool) -> None:
    """Open or close every fold from the last side that shows them; all sides have to follow."""
    sides = block.locator(".codediff-side", has=block.page.locator("summary:visible")).all()
    assert sides, "no fold to be opened or closed"
    for fold in sides[-1].locator("details").all():
        if (fold.get_attribute("open") is not None) != opened:
            fold.locator("summary").click()
    total = block.locator("details").count()
    expect(block.locator("details[open]")).to_have_count(total if opened else 0)


def codes(page: Page) -> list[list[str]]:
    """Return ``pre.textContent`` of each side of each block."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".codediff-block")].map((block) =>
          [...block.querySelectorAll(".codediff-side pre")].map((pre) => pre.textContent))"""
    )


def sideways(page: Page) -> int:
    """Return by how many pixels the page scrolls sideways."""
    return page.evaluate(
        "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    )


def frames(page: Page) -> None:
    """Wait until the browser has painted what there is."""
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def rectangle(locator: Locator) -> dict[str, Any]:
    return locator.evaluate("element => element.getBoundingClientRect().toJSON()")
