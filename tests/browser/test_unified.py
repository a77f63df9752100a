"""The unified view says what ``git diff`` says."""

from __future__ import annotations

import os
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from .conftest import Site, Visit
from .probe import MINUS, Line, blocks, choose, look, toggle_folds

SIGNS = {"+": "+", "-": MINUS, " ": ""}


def git_diff(folder: Path, codes: list[str]) -> list[tuple[str, str]]:
    """Return sign and text of each line of ``git diff``, with all of the context."""
    names = ["before", "after"]
    for name, code in zip(names, codes, strict=True):
        (folder / name).write_text(f"{code}\n", "utf-8")
    done = subprocess.run(
        ["git", "diff", "--no-index", "--no-color", "--unified=1000", *names],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    _head, lines = done.stdout.split("@@\n")
    return [(SIGNS[line[0]], line[1:]) for line in lines.splitlines()]


def seen_in_order(block: Locator) -> list[Line]:
    """Return the lines of all sides from top to bottom; none may lie on another."""
    lines = [line for side in look(block) for line in side.seen]
    lines.sort(key=lambda line: line.top)
    for upper, lower in pairwise(lines):
        assert abs(lower.top - upper.bottom) <= 1, (upper, lower)
    return lines


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("number", [0, 1, 3])
def test_lines_are_those_of_git_diff(
    visit: Visit, site: Site, tmp_path: Path, number: int, width: int
) -> None:
    page = visit("unified", width=width)
    block = blocks(page)[number]
    choose(block, "Unified")
    if block.locator("details").count():
        toggle_folds(block, opened=True)
    lines = [line for line in seen_in_order(block) if not line.is_summary]
    assert [(line.sign, line.text) for line in lines] == git_diff(
        tmp_path, site.codes("unified")[number]
    )


def test_folds_stay_folded(visit: Visit) -> None:
    page = visit("unified")
    block = blocks(page)[3]
    choose(block, "Unified")
    assert [(line.sign, line.text) for line in seen_in_order(block)] == [
        ("", ""),  # the summary of the fold
        ("", "tail = 4"),
        (MINUS, 'end = "left"'),
        ("+", 'end = "right"'),
    ]


def test_three_sides_follow_each_other_where_they_differ(visit: Visit) -> None:
    page = visit("unified")
    block = blocks(page)[2]
    choose(block, "Unified")
    assert [(line.sign, line.text) for line in seen_in_order(block)] == [
        ("", "same = 0"),
        (MINUS, "value = one"),
        ("+", "value = two"),
        ("+", "value = three"),
        ("", "same = 2"),
    ]


def test_lines_line_up_and_can_be_pointed_at(visit: Visit) -> None:
    """Sides lie on top of each other: none may cover the lines of another."""
    page = visit("unified")
    for block in blocks(page):
        choose(block, "Unified")
        assert len({(line.left, line.right) for line in seen_in_order(block)}) == 1
        block.scroll_into_view_if_needed()
        covered = block.evaluate(
            """block => [...block.querySelectorAll(".codediff-side pre > * > *")]
              .filter((line) => line.checkVisibility() && line.getBoundingClientRect().height)
              .filter((line) => {
                const { left, top, height } = line.getBoundingClientRect();
                const found = document.elementFromPoint(left + 60, top + height / 2);
                return !line.contains(found);
              })
              .map((line) => line.outerHTML)"""
        )
        assert covered == []


def test_titles_have_the_sign_of_their_lines_and_stand_above(visit: Visit) -> None:
    page = visit("unified")
    for block in blocks(page):
        choose(block, "Unified")
        titles = block.locator(".codediff-title")
        boxes = titles.evaluate_all("all => all.map((one) => one.getBoundingClientRect().toJSON())")
        origin = block.evaluate("block => block.getBoundingClientRect().top")
        for upper, lower in pairwise(boxes):
            assert upper["bottom"] <= lower["top"] + 1
        assert boxes[-1]["bottom"] <= origin + seen_in_order(block)[0].top + 1
        signs = titles.evaluate_all(
            "all => all.map((one) => getComputedStyle(one, '::before').content)"
        )
        assert MINUS in signs[0]
        assert all("+" in sign for sign in signs[1:])
