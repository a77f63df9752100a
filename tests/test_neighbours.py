"""Blocks next to other extensions: they look and run as they do anywhere, and so do the others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codediff.directive.nodes import codediff, sides
from conftest import HERE, Build, Built, build_set, code_of, run_pytest

pytestmark = pytest.mark.site
SOURCE = HERE / "neighbours"
PLACES = {  # of the blocks with these titles
    "card": ("index", ".sd-card > .sd-card-body"),
    "tab": ("index", ".sd-tab-set > .sd-tab-content li"),
    "dropdown": ("index", "details.sd-dropdown:not([open]) > .sd-summary-content"),
    "note": ("index", ".admonition.dropdown"),
    "toggle": ("index", ".toggle"),
    "panel": ("index", ".sphinx-tabs > .sphinx-tabs-panel[hidden]"),
    "only": ("index", "#containers"),
    "ifconfig": ("index", "#containers"),
    "included": ("index", "#containers"),
    "glossary": ("index", "dl.glossary > dd"),
    "footnote": ("index", "aside.footnote"),
    "module": ("api", "#module-library"),
    "argument": ("api", "dl.class dl.field-list > dd"),
    "example": ("api", "dl.class > dd"),
    "twice": ("api", "dl.function > dd"),
    "fenced": ("markdown", ".admonition.note"),
    "colons": ("markdown", ".sd-tab-content"),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(SOURCE, tmp_path_factory.mktemp("neighbours") / "docs")


@pytest.fixture(scope="module")
def built(source: Path) -> Built:
    return build_set(source, source.parent / "build")


def test_all_neighbours_together_give_no_warning(built: Built) -> None:
    assert built.warnings == []


@pytest.mark.parametrize("title", PLACES)
def test_a_block_is_where_it_is_put(built: Built, title: str) -> None:
    page, place = PLACES[title]
    found = built.html(page).select(f"{place} > .codediff-block > .codediff > .codediff-side")
    shown = {side.select_one(".codediff-title").get_text(): code_of(side) for side in found}
    assert shown[title] == "x = 1\n"
    assert shown[f"{title} B"] == f"x = 2\n{title} = 1 / 0\n"
    assert len(built.html(page).select(".codediff-block")) == len(
        list(built.doctree(page).findall(codediff))
    )


def test_each_side_runs_and_fails_on_its_line(source: Path) -> None:
    ran = run_pytest(source.parent, "--codediff", "docs", path=[str(source)])
    for title in PLACES:
        (place,) = (
            f"{path.relative_to(source.parent)}:{at}"
            for path in source.glob("*.*")
            for at, line in enumerate(path.read_text("utf-8").split("\n"), 1)
            if line.strip() == f"{title} = 1 / 0"
        )
        assert f"\n{place}: ZeroDivisionError: division by zero  (side '{title} B')" in ran.stdout
    assert f"{len(PLACES)} failed, {len(PLACES) + 8} passed" in ran.stdout


LINKED = {  # words that are marked as changed are not recognized as names
    "A": ["library", "model", "model.train"],
    "B": ["library", "model", "model.train"],
    "C": ["library", "Model", "Model", "Model"],
    "D": ["library", "Model", "make", "Model", "Model", "Model"],
    "E": [],
    "F": [],
    "G": ["library", "library.Model"],
    "H": ["library", "library.make"],
}


def test_codeautolink_links_names_in_sides(built: Built) -> None:
    page = built.html("autolink")
    ordinary, *others = page.select("div > pre")
    assert [link.get_text() for link in ordinary.select("a")] == ["library", "library.make"]
    assert {
        side.select_one(".codediff-title").get_text(): [
            link.get_text() for link in side.select("pre a.sphinx-codeautolink-a[href*='#']")
        ]
        for side in page.select(".codediff-side")
    } == LINKED
    codes = [
        code for block in built.doctree("autolink").findall(codediff) for *_, code in sides(block)
    ]
    assert [pre.get_text() for pre in others] == [f"{code.astext()}\n" for code in codes]


HIDDEN = """
Page
====

.. testsetup::

   import math

.. only:: latex

   .. codediff::
      :title: Paper, Other

      math.e
      ---
      math.pi
"""


def test_code_that_only_other_builders_show_is_executed(build: Build) -> None:
    built = build(builder="codediff-programs", index_rst=HIDDEN)
    (found,) = json.loads(built.text(".json", "programs"))["pages"]
    programs = {one["group"]: [two["source"] for two in one["pieces"]] for one in found["programs"]}
    assert programs == {"Other": ["import math", "math.pi"], "Paper": ["import math", "math.e"]}


@pytest.fixture
def _enchant() -> None:
    """Skip without the library that spelling is checked with; fail in continuous integration."""
    try:
        import enchant

        if enchant.dict_exists("en_US"):
            return
        reason = "enchant has no dictionary: install Debian's hunspell-en-us"
    except ImportError:
        reason = "no enchant: install Debian's libenchant-2-2"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


MISSPELT = """
Page
====

.. codediff::
   :title: Lefft, After
   :caption: A captionn

   nme = "sde"  # wrds
   ---
   x = 1
"""


@pytest.mark.usefixtures("_enchant")
def test_spelling_is_checked_in_titles_and_captions_but_not_in_code(build: Build) -> None:
    conf = "extensions += ['sphinxcontrib.spelling']\nspelling_lang = 'en_US'"
    markdown = "# M\n\n```{codediff}\n:title: A, Aftr\n\nnme = 1\n---\nx = 1\n```\n"
    built = build(builder="spelling", index_rst=MISSPELT, page_md=markdown, conf=conf)
    reports = [path.read_text("utf-8") for path in sorted(built.outdir.glob("*.spelling"))]
    assert [line.rpartition("/")[2] for line in "".join(reports).splitlines()] == [
        "index.rst:5: (captionn)  A captionn",
        "index.rst:5: (Lefft)  Lefft",
        "page.md:3: (Aftr)  Aftr",
    ]


TRANSLATED = """
Page
====

.. codediff::
   :title: Old, New
   :caption: A caption
   :view: New

   x = 1
   ---
   x = 2
"""


def test_titles_and_captions_are_translated_and_programs_stay(build: Build, tmp_path: Path) -> None:
    conf = "locale_dirs = ['locale']\n"
    as_written = build(builder="codediff-programs", index_rst=TRANSLATED, conf=conf)
    source = as_written.srcdir
    messages = build_set(source, tmp_path / "messages", "gettext").outdir
    update = ["-m", "sphinx_intl", "update", "-p", str(messages), "-l", "de"]
    subprocess.run([sys.executable, *update], cwd=source, check=True)
    catalogue = source / "locale/de/LC_MESSAGES/index.po"
    text = catalogue.read_text("utf-8")
    for old, new in {"Old": "Alt", "New": "Neu", "A caption": "Unterschrift"}.items():
        assert f'msgid "{old}"\nmsgstr ""\n' in text
        text = text.replace(f'msgid "{old}"\nmsgstr ""', f'msgid "{old}"\nmsgstr "{new}"')
    catalogue.write_text(text, "utf-8")
    german = f"{conf}language = 'de'\n"
    built = build(index_rst=TRANSLATED, conf=german)
    assert built.warnings == []
    shown = built.html("index")
    assert [one.get_text() for one in shown.select(".caption-text")] == [
        "Unterschrift",
        "Alt",
        "Neu",
    ]
    assert shown.select_one(".codediff-block")["data-first-view"] == "1"
    translated = build(builder="codediff-programs", index_rst=TRANSLATED, conf=german)
    old, new = (
        json.loads(one.text(".json", "programs"))["pages"][0] for one in (as_written, translated)
    )
    assert old["sides"] == new["sides"] == {"Old": 1, "New": 1}
    assert old["digests"] == new["digests"]
