"""``codediff-defaults``: options for the blocks below on the same page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from docutils import nodes

from codediff.directive.nodes import codediff
from conftest import Build, Built

RST = """
Page
====

.. codediff::
   :title: First, Second

   a
   ---
   b

.. codediff-defaults::
   :title: ``old``, New
   :sync:
   :env: old,
   :language: python
   :highlight: both

Text.

.. codediff::

   c = 1
   ---
   d = 1

.. codediff::
   :title-left: Own, one
   :title-right: B
   :highlight: none
   :env: , new
   :language: yaml

   e: 1
   ---
   f: 1

.. codediff-defaults::
   :title: X, Y

.. codediff::

   g = 1
   ---
   h = 1
"""
MARKDOWN = """# Page

```{codediff-defaults}
:title: "`old`, New"
:sync:
```

:::{note}
```{codediff}
c = 1
---
d = 1
```
:::
"""
CONF = "\ncodediff_environments = {'old': ['a'], 'new': ['b']}\nhighlight_language = 'text'\n"


def summary(built: Built, page: str = "index") -> list[object]:
    return [
        (block["titles"], block["sync"], block.get("highlight"), code["language"])
        for block in built.doctree(page).findall(codediff)
        for code in list(block.findall(nodes.literal_block))[:1]
    ]


def test_defaults_hold_for_the_blocks_below_and_give_way_to_their_own_options(build: Build) -> None:
    built = build(index_rst=RST, other_rst=RST.partition(".. codediff-defaults")[0], conf=CONF)
    assert summary(built) == [
        (["First", "Second"], False, None, "text"),
        (["old", "New"], True, "both", "python"),
        (["Own, one", "B"], True, "none", "yaml"),
        (["X", "Y"], False, None, "text"),
    ]
    assert summary(built, "other") == [(["First", "Second"], False, None, "text")]
    environments = [
        code.get("environment") for code in built.doctree("index").findall(nodes.literal_block)
    ]
    assert environments == [None, None, "old", *[None] * 5]
    assert "Text." in built.html("index").get_text()


def notebook(text: str) -> str:
    cells = [
        {"cell_type": "markdown", "id": str(number), "metadata": {}, "source": cell}
        for number, cell in enumerate(text.split("\n\n"))
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize(
    ("suffix", "text"), [("md", MARKDOWN), ("ipynb", notebook(MARKDOWN))], ids=["md", "ipynb"]
)
def test_defaults_hold_in_markdown_and_in_notebooks(build: Build, suffix: str, text: str) -> None:
    built = build(**{f"page_{suffix}": text})
    assert summary(built, "page") == [(["old", "New"], True, None, "default")]
    assert built.html("page").select_one(".codediff-title code").get_text() == "old"


def test_pages_that_are_read_in_parallel_have_their_own_defaults(
    build: Build, tmp_path: Path
) -> None:
    from conftest import build_set

    page = ":orphan:\n\nPage\n====\n\n{}.. codediff::\n   :title: A, B\n\n   a\n   ---\n   b\n"
    defaults = ".. codediff-defaults::\n   :sync:\n\n"
    pages = {f"p{n}_rst": page.format(defaults if n % 2 else "") for n in range(8)}
    source = build(**pages).srcdir
    built = build_set(source, tmp_path / "parallel", parallel=2)
    for number in range(8):
        (block,) = built.doctree(f"p{number}").findall(codediff)
        assert block["sync"] is bool(number % 2)
