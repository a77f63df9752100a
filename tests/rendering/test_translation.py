"""Readers see no word of the extension's own in a language that is not that of their pages."""

from __future__ import annotations

import json
import re
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from bs4 import BeautifulSoup

from codediff.rendering.html import CATALOGUES
from conftest import ROOT, Build, build_set, run_pytest

LANGUAGES = ("de", "es", "fr", "ja", "zh_CN")
PAGE = """
Page
====

.. codediff::
   :title: Alt, Neu
   :caption: *Zwei* Teile
   :name: teile
   :context: 0

   a = 1
   b = 2
   c = 3
   ---
   a = 1
   b = 2
   c = 4
"""
UNTITLED = """
.. codediff::

   import docutils; print(1)
   ---
   import docutils.nodes; print(1)

.. testoutput:: Side 1, Side 2

   1
"""
TRANSLATED = {"*Zwei* Teile": "*Two* parts", "Alt": "Old", "Neu": "New"}
FIELD = re.compile(r"{\w*}")


def folder(language: str) -> Path:
    return CATALOGUES / language / "LC_MESSAGES"


def words() -> set[str]:
    """Return every message of the extension, from its code."""
    found = extract_from_dir(ROOT / "sphinx_ext" / "codediff")
    return {message for _file, _line, message, _comments, _context in found}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_all_words_and_is_compiled(language: str) -> None:
    with (folder(language) / "codediff.po").open("rb") as file:
        written = read_po(file)
    with (folder(language) / "codediff.mo").open("rb") as file:
        compiled = read_mo(file)
    translated = {message.id: message.string for message in written if message.id}
    assert translated == {message.id: message.string for message in compiled if message.id}
    assert translated.keys() == words()
    for message, translation in translated.items():
        assert translation != message
        assert sorted(FIELD.findall(translation)) == sorted(FIELD.findall(message))


def shown(page: BeautifulSoup) -> set[str]:
    """Return what a page says, digits apart, that is not the author's."""
    (meta,) = page.select("meta[name=codediff]")
    found = meta["content"].split("|")
    for block in page.select(".codediff-block"):
        for element in [*block.select(".codediff-block pre"), *block.select("time")]:
            found += [tag["aria-label"] for tag in element.select("[aria-label]")]
            found += [tag["data-hide"] for tag in element.select("[data-hide]")]
            element.decompose()
        found += block.stripped_strings
        found += [tag["title"] for tag in block.select("[title]")]
        found += block["aria-label"].split(", ")
    written = {"Alt", "Neu", "Zwei", "Teile", "¶", ","}
    return {as_shown(text) for text in found} - {as_shown(text) for text in written}


def as_shown(text: str) -> str:
    """Return a text without what stands in its fields."""
    return re.sub(r"{\w*}|docutils|\d|\W", "", text)


def test_no_english_word_is_left(build: Build, tmp_path: Path) -> None:
    pages = {"index_rst": PAGE, "untitled_rst": f":orphan:\n\nPage\n====\n{UNTITLED}"}
    conf = "codediff_results = 'results.json'\n"
    build(conf=conf, **pages)
    run_pytest(tmp_path, "--codediff", "source")
    for language in LANGUAGES:
        built = build(conf=f"{conf}language = {language!r}\n", **pages)
        with (folder(language) / "codediff.mo").open("rb") as file:
            translate = GNUTranslations(file).gettext
        found = shown(built.html("index")) | shown(built.html("untitled"))
        assert found == {as_shown(translate(word)) for word in words()}


def test_titles_and_captions_are_translated_and_groups_are_not(
    build: Build, tmp_path: Path
) -> None:
    pages = {"index_rst": PAGE.replace(":name:", ":view: Neu\n   :name:")}
    source = build(**pages).srcdir
    template = build_set(source, tmp_path / "gettext", "gettext").text(".pot")
    assert re.findall(r'^msgid "(.+)"', template, re.MULTILINE) == ["Page", *TRANSLATED]
    for german, english in TRANSLATED.items():
        template = template.replace(f'"{german}"\nmsgstr ""', f'"{german}"\nmsgstr "{english}"')
    catalogue = source / "locale" / "en" / "LC_MESSAGES" / "index.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(template, "utf-8")
    conf = "language = 'en'\nlocale_dirs = ['locale']\n"
    (block,) = build(conf=conf, **pages).html("index").select(".codediff-block")
    assert [title.get_text() for title in block.select(".codediff-title")] == ["Old", "New"]
    assert block.select_one(".code-block-caption em").get_text() == "Two"
    assert (block["aria-label"], block["data-first-view"]) == ("Old, New", "1")
    programs = json.loads(
        build(builder="codediff-programs", conf=conf, **pages).text(".json", "programs")
    )
    groups = [one["group"] for page in programs["pages"] for one in page["programs"]]
    assert groups == ["Alt", "Neu"]
