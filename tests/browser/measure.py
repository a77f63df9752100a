"""How long the browser works when all blocks of a page switch view, by its own trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

from .engines import Driver

CATEGORIES = ["toplevel", "devtools.timeline", "blink.user_timing", "__metadata"]
_WORK = {
    "scripting": {"EventDispatch", "FunctionCall", "FireAnimationFrame", "RunMicrotasks"},
    "style": {"UpdateLayoutTree", "RecalculateStyles"},
    "layout": {"Layout"},
}
_SWITCH = """([index, value]) => new Promise((done) => {
  const select = document.querySelectorAll(".codediff-block select")[index];
  requestAnimationFrame(() => setTimeout(() => {
    select.value = value;
    performance.mark("switch-begins");
    select.dispatchEvent(new Event("change", { bubbles: true }));
    requestAnimationFrame(() => requestAnimationFrame(() => {
      performance.mark("switch-ends");
      done();
    }));
  }));
})"""

_TIME = """value => new Promise((done) => {
  const select = document.querySelector(".codediff-block select");
  requestAnimationFrame(() => setTimeout(() => {
    const start = performance.now();
    select.value = value;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
  }));
})"""


def time_switch(driver: Driver, value: str) -> float:
    """Return the milliseconds from a change of view to the frame that shows it, in any engine."""
    return driver.js(_TIME, value)


def measure_switching(page: Page, value: str = "unified", block: int = 0) -> dict[str, float]:
    """Measure one switch of view, from the change event to the frame that shows it.

    Args:
        page: A page with synced blocks; it is left with the view chosen.
        value: The value of the option to choose: empty, ``unified`` or the number of a side.
        block: The number of the block whose select is used.

    Returns:
        Milliseconds of the main thread: ``scripting``, ``style`` and ``layout``, each without
        the others inside it; ``total``, their sum; ``tasks``, the whole of the tasks, with
        painting and what the browser does for itself.
    """
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=CATEGORIES)
    try:
        page.evaluate(_SWITCH, [block, value])
    finally:
        events = json.loads(browser.stop_tracing())["traceEvents"]
    marks = {event["name"]: event for event in events if event["name"].startswith("switch-")}
    begin, end = marks["switch-begins"], marks["switch-ends"]
    thread = [
        event
        for event in events
        if event["ph"] == "X"
        and (event["pid"], event["tid"]) == (begin["pid"], begin["tid"])
        and event["ts"] + event["dur"] > begin["ts"]
        and event["ts"] < end["ts"]
    ]
    for event in thread:  # what is within the two marks
        stop = min(event["ts"] + event["dur"], end["ts"])
        event["ts"] = max(event["ts"], begin["ts"])
        event["dur"] = stop - event["ts"]
    kinds = {name: kind for kind, names in _WORK.items() for name in names}
    figures = dict.fromkeys(_WORK, 0.0)
    for event, own in _own_times([event for event in thread if event["name"] in kinds]):
        figures[kinds[event["name"]]] += own / 1000
    tasks = [event for event in thread if event["name"].endswith("RunTask")]
    figures["total"] = sum(figures.values())
    figures["tasks"] = sum(own for _event, own in _own_times(tasks)) / 1000
    return {name: round(figure, 1) for name, figure in figures.items()}


def _own_times(events: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], float]]:
    """Yield nested events, each with its time less that of the events directly inside."""
    stack: list[tuple[dict[str, Any], float]] = []

    def close(until: float) -> Iterator[tuple[dict[str, Any], float]]:
        while stack and stack[-1][0]["ts"] + stack[-1][0]["dur"] <= until:
            event, inner = stack.pop()
            yield event, event["dur"] - inner
            if stack:
                stack[-1] = stack[-1][0], stack[-1][1] + event["dur"]

    for event in sorted(events, key=lambda event: (event["ts"], -event["dur"])):
        yield from close(event["ts"])
        stack.append((event, 0.0))
    yield from close(float("inf"))
