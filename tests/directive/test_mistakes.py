"""Mistakes: one located, typed warning each, and nothing lost.

Beside each page in ``mistakes`` lies what it should give: its warnings, then the code of
each side after a line of equals signs. ``corpus`` has, in the same form, what generated pages
once made fail.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import HERE, Build, Built, build_set, code_of

EXPECTED = sorted((HERE / "mistakes").glob("*.expected"))
CORPUS = sorted((HERE / "corpus").glob("*.expected"))


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_set(HERE / "mistakes", tmp_path_factory.mktemp("mistakes"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_set(HERE / "corpus", tmp_path_factory.mktemp("corpus"))


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_a_mistake_gives_one_located_warning_and_loses_nothing(mistakes, expected) -> None:
    check(mistakes, expected)


@pytest.mark.parametrize("expected", CORPUS, ids=lambda path: path.stem)
def test_what_failed_once_does_no_more(corpus: Built, expected: Path) -> None:
    check(corpus, expected)


def check(built: Built, expected: Path) -> None:
    """See that a page gives the warnings and the code that it should."""
    warnings, *code = re.split(r"^====\n", expected.read_text("utf-8"), flags=re.MULTILINE)
    page = expected.stem
    files = ("included.txt:",) if page == "in_an_included_file" else (f"{page}.rst:", f"{page}.md:")
    assert [line for line in built.warnings if line.startswith(files)] == warnings.splitlines()
    assert [code_of(side) for side in built.sides(page)] == code
    assert "The rest of the page." in built.html(page).get_text()


def test_warnings_alone_do_not_fail_a_build(mistakes: Built) -> None:
    assert mistakes.status == 0
    assert len(mistakes.warnings) == sum(
        len(path.read_text().partition("====")[0].splitlines()) for path in EXPECTED
    )


def test_a_type_of_warning_can_be_silenced(build: Build) -> None:
    page = (HERE / "mistakes" / "no_title.rst").read_text()
    assert build(index_rst=page).warnings
    assert build(index_rst=page, conf="suppress_warnings = ['codediff.titles']").warnings == []
