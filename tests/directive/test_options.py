"""Options: docutils and MyST-Parser read them, and lines of code stay exact below them."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from docutils import nodes

from conftest import Build, code_of

# Before, it counted lines from the wrong one where a file is included, or where a fence ends in a
# blank line, and gave no line for an option.
MYST_COUNTS_LINES = pytest.mark.skipif(
    int(version("myst-parser").partition(".")[0]) < 5, reason="needs MyST-Parser 5"
)
RST = "Page\n====\n\n.. codediff::\n{}\n\n   a = 1\n   ---\n   b = 1\n\nThe rest of the page.\n"
MARKDOWN = "# Page\n\n```{{codediff}}\n{}\n\na = 1\n---\nb = 1\n```\n\nThe rest of the page.\n"
BAD = {
    "synch": "",
    "highlight": "loud",
    "context": "-1",
    "lineno-start": "two",
    "class": "123",
    "groups": "",
}


@pytest.mark.parametrize(("name", "value"), BAD.items())
def test_a_bad_option_is_an_error_of_docutils(build: Build, name: str, value: str) -> None:
    built = build(index_rst=RST.format(f"   :title: A, B\n   :{name}: {value}"))
    assert built.warnings[0].startswith('index.rst:4: ERROR: Error in "codediff" directive:')
    assert name in built.warnings[1]
    assert "The rest of the page." in built.html("index").get_text()


@MYST_COUNTS_LINES
@pytest.mark.parametrize(("name", "value"), BAD.items())
def test_a_bad_option_is_a_warning_of_myst_on_its_line(build: Build, name: str, value: str) -> None:
    built = build(page_md=MARKDOWN.format(f":title: A, B\n:{name}: {value}"))
    (warning,) = (line for line in built.warnings if "myst" in line)
    assert warning.startswith("page.md:5: WARNING: 'codediff': ")
    assert repr(name) in warning
    assert [code_of(side) for side in built.sides("page")] == ["a = 1\n", "b = 1\n"]


@pytest.mark.parametrize("separator", ["-", "_"])
def test_older_options_have_two_spellings(build: Build, separator: str) -> None:
    options = [":title-left: A", ":title-right: B", ":skip-test: B", ":code-sep: ---"]
    spelled = [option.replace("-", separator, option[:-3].count("-")) for option in options]
    built = build(
        index_rst=RST.format("\n".join(f"   {option}" for option in spelled)),
        page_md=MARKDOWN.format("\n".join(spelled)),
    )
    assert [line for line in built.warnings if "toctree" not in line] == []
    for page in ("index", "page"):
        first, second = built.doctree(page).findall(nodes.literal_block)
        assert (first["groups"], second["groups"]) == (["A"], ["B"])
        assert "testnodetype" in first
        assert second["skipped"]


TITLE = "``nn.compact``, B"
FENCES = {
    "fence.md": "# Page\n\n```{{codediff}}\n:title: {}\n:sync:\n\na = 1\n---\nb = 1\n```\n",
    "colons.md": "# Page\n\n:::{{codediff}}\n:title: {}\n\na = 1\n---\nb = 1\n:::\n",
    "yaml.md": "# Page\n\n```{{codediff}}\n---\ntitle: {}\n---\na = 1\n---\nb = 1\n```\n",
    "nested.md": "# Page\n\n- :::{{codediff}}\n  :title: {}\n\n  a = 1\n  ---\n  b = 1\n  :::\n",
    "cell.md": (
        "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n# Page\n\n+++\n\n"
        "```{{codediff}}\n:title: {}\na = 1\n---\nb = 1\n```\n"
    ),
}


@pytest.mark.parametrize("form", FENCES)
def test_titles_may_begin_with_a_back_quote_in_markdown(build: Build, form: str) -> None:
    text = FENCES[form].format(TITLE)
    built = build(page_md=text)
    first, second = built.doctree("page").findall(nodes.literal_block)
    assert (first["groups"], second["groups"]) == (["nn.compact"], ["B"])
    assert built.html("page").select_one(".codediff-title code").get_text() == "nn.compact"
    lines = [line.strip() for line in text.split("\n")]
    assert [lines[code.line - 1] for code in (first, second)] == ["a = 1", "b = 1"]


@MYST_COUNTS_LINES
def test_lines_are_exact_in_included_files(build: Build) -> None:
    built = build(
        index_rst="Page\n====\n\n.. include:: more.txt\n",
        more_txt="Text\n\n.. codediff::\n   :title: A,\n     B\n\n   a\n   ---\n   b\n",
        page_md="# Page\n\n```{include} part.txt\n```\n",
        part_txt="Text\n\n```{codediff}\n:title: A, B\n\na\n---\nb\n```\n",
    )
    for page, file, lines in (("index", "more.txt", [7, 9]), ("page", "part.txt", [6, 8])):
        found = list(built.doctree(page).findall(nodes.literal_block))
        assert [code.line for code in found] == lines
        assert all(code.source.endswith(file) for code in found)


def test_a_language_that_conf_py_adds_is_known(build: Build) -> None:
    conf = (
        "\nfrom pygments.lexers import TextLexer\n"
        "def setup(app): app.add_lexer('own-language', TextLexer)\n"
    )
    built = build(index_rst=RST.format("   :title: A, B\n   :language: own-language"), conf=conf)
    assert built.warnings == []
    assert len(built.html("index").select(".highlight-own-language")) == 2
