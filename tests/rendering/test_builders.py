"""Builders that know nothing of blocks show ordinary captioned code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from conftest import HERE, ROOT, Build, build_set

BUILDERS = [
    *("html", "dirhtml", "singlehtml", "latex", "text", "man", "epub", "texinfo", "xml"),
    *("pseudoxml", "gettext"),
]

PAGE = """
Page
====

.. codediff::
   :title: No *Dropout*, With Dropout
   :caption: Adding a ``Dropout``
   :name: adding

   left = 1
   ---
   right = 1
   right = 2  #!

See :ref:`adding`.
"""


@pytest.fixture(scope="module")
def doctrees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("doctrees")


@pytest.mark.site
@pytest.mark.parametrize("builder", BUILDERS)
def test_every_builder_builds_the_site_without_a_warning(builder, tmp_path, doctrees) -> None:
    doctrees /= "gettext" if builder == "gettext" else "others"  # Sphinx wants it so.
    subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", builder),
            *("-c", ROOT, "-d", doctrees, "-D", "nb_execution_mode=off", ROOT / "docs", tmp_path),
        ],
        check=True,
    )


def test_text_has_a_unified_diff_under_both_titles(build: Build) -> None:
    text = build(builder="text", index_rst=PAGE).text(".txt")
    assert text == (
        'Page\n****\n\n**Adding a "Dropout"**\n\n   --- No Dropout\n   +++ With Dropout\n'
        "   -left = 1\n   +right = 1\n   +right = 2\n\nSee Adding a Dropout.\n"
    )


def test_text_has_a_diff_to_each_further_side(build: Build) -> None:
    page = "Page\n====\n\n.. codediff::\n   :title: A, B, C\n\n   a\n   ---\n   b\n   ---\n   c\n"
    text = build(builder="text", index_rst=page).text(".txt")
    assert "   --- A\n   +++ B\n   -a\n   +b\n\n   --- A\n   +++ C\n   -a\n   +c\n" in text


def test_latex_has_captioned_blocks_in_order_and_highlights_marked_lines(build: Build) -> None:
    built = build(builder="latex", index_rst=PAGE)
    (path,) = built.outdir.glob("*.tex")
    text = path.read_text("utf-8")
    captions = re.findall(r"\\sphinxSetupCaptionForVerbatim{(.*)}", text)
    assert captions == [r"No \sphinxstyleemphasis{Dropout}", "With Dropout"]
    assert r"\sphinxstylestrong{Adding a \sphinxcode{\sphinxupquote{Dropout}}}" in text
    assert r"\fvset{hllines={, 2,}}" in text
    changed = build(builder="latex", index_rst=PAGE, conf="codediff_highlight = 'changes'")
    text = next(changed.outdir.glob("*.tex")).read_text("utf-8")
    assert r"\fvset{hllines={, 1,}}" in text
    assert r"\fvset{hllines={, 1, 2,}}" in text
    assert r"\hyperref[\detokenize{index:adding}]" in text
    assert r"\label{\detokenize{index:adding}}" in text


def test_man_has_a_unified_diff_and_texinfo_captioned_code(build: Build) -> None:
    built = build(builder="man", index_rst=PAGE, conf="man_pages = [('index', 'page', '', [], 1)]")
    man = (built.outdir / "page.1").read_text("utf-8")
    assert r"\-\-\- No Dropout" in man
    assert man.index("With Dropout") < man.index(r"\-left = 1") < man.index("+right = 2")
    (path,) = build(builder="texinfo", index_rst=PAGE).outdir.glob("*.texi")
    assert "@caption{No `Dropout'}" in path.read_text("utf-8")


def test_epub_has_the_sides(build: Build) -> None:
    built = build(
        builder="epub", index_rst=PAGE, conf="version = '1'\ncopyright = '2026'\nlanguage = 'en'"
    )
    assert built.warnings == []
    html = BeautifulSoup((built.outdir / "index.xhtml").read_text("utf-8"), "html5lib")
    assert len(html.select(".codediff > .codediff-side")) == 2


def test_parallel_and_serial_builds_are_the_same(tmp_path) -> None:
    serial = build_set(HERE / "pages", tmp_path / "serial")
    parallel = build_set(HERE / "pages", tmp_path / "parallel", parallel=2)
    assert parallel.warnings == []
    names = sorted(path.name for path in serial.outdir.glob("*.html"))
    assert len(names) > 5
    for name in names:
        assert (serial.outdir / name).read_text() == (parallel.outdir / name).read_text()


def test_an_edited_page_alone_is_built_again_and_as_if_fresh(build: Build, tmp_path) -> None:
    conf = "extensions = ['codediff']"  # What others add is theirs to keep the same.
    build(index_rst=PAGE, conf=conf, other_rst=PAGE.replace("adding", "other"))
    edited = PAGE.replace("right = 1", "right = 3")
    built = build(index_rst=edited, conf=conf, other_rst=PAGE.replace("adding", "other"))
    assert ", 1 changed, " in built.output
    again = built.text(".html")
    fresh = build_set(tmp_path / "source", tmp_path / "fresh")
    assert again == fresh.text(".html")
    assert 'right</span> <span class="o">=</span> <span class="mi">3' in again
