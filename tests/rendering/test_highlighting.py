"""Highlighting is what Pygments makes of a side, whatever the other side is."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name

from codediff.rendering.highlighting import _lex
from conftest import HERE, Build

LINES = {
    "python": [
        *("", "x = 1", "def f():", '    """Doc', '    """', "text = '''", "'''", "    return x"),
        *("y = [", "]", "# comment", "@dec", "s = f'{x!r} {y:>{x}}'", "if x: \\", "match x:", "?"),
    ],
    "javascript": ["", "/* a", "*/", "let x = `a ${b", "}`;", "// c", "function f() {", "}"],
    "html": ["<p>", "<script>", "let x = 1", "</script>", "<!-- a", "-->", "</p>", ""],
    "bash": ["cat <<EOF", "EOF", "echo 'a", "b'", "if true; then", "fi", ""],
}


@pytest.mark.parametrize("language", LINES)
@given(st.data())
def test_what_another_side_taught_changes_nothing(language: str, data: st.DataObject) -> None:
    lines = st.lists(st.sampled_from(LINES[language]), max_size=12)
    lexer, memo = get_lexer_by_name(language), {}
    for _side in range(3):
        source = "\n".join(data.draw(lines)) + "\n"
        alone = _lex(lexer, source, {}, strict=False)
        assert _lex(lexer, source, memo, strict=False) == alone
        assert "".join("".join(t for _, t in line) + "\n" for line in alone) == source


def test_lines_that_two_sides_have_alike_are_lexed_once() -> None:
    lexer, memo = get_lexer_by_name("python"), {}
    first = _lex(lexer, "a = 1\nb = 2\nc = 3\n", memo, strict=True)
    second = _lex(lexer, "a = 1\nd = 4\nc = 3\nb = 2\n", memo, strict=True)
    assert second[0] is first[0]
    assert second[3] is first[1]


@pytest.mark.parametrize("language", ["python", "pycon", "yaml", "default", "none"])
def test_a_side_looks_like_a_code_block(build: Build, language: str) -> None:
    code = (HERE / "conftest.py").read_text("utf-8").rstrip("\n")
    body = "\n".join(f"   {line}".rstrip() for line in code.split("\n"))
    page = (
        f"Page\n====\n\n.. codediff::\n   :title: A, B\n   :highlight: none\n"
        f"   :language: {language}\n\n{body}\n   ----\n   x\n\n"
        f".. code-block:: {language}\n\n{body}\n"
    ).replace("----", "---")
    built = build(index_rst=page)

    def spans(pre: BeautifulSoup) -> list[tuple[str, str]]:
        found = [(" ".join(span["class"]), span.get_text()) for span in pre.select("span[class]")]
        return [pair for pair in found if pair[1].strip("\n")]

    side, _other, block = built.html("index").select("pre")
    assert side.get_text() == block.get_text()
    assert spans(side) == spans(block)


def test_code_that_cannot_be_lexed_is_shown_and_warned_about_as_usual(build: Build) -> None:
    page = (
        "Page\n====\n\n.. codediff::\n   :title: A, B\n   :language: {}\n\n   a = ?\n   ---\n   b\n"
    )
    built = build(index_rst=page.format("python"))
    assert [line for line in built.warnings if "[misc.highlighting_failure]" in line]
    assert built.warnings[0].startswith("index.rst:8: WARNING: Lexing literal_block")
    assert built.sides()[0].select_one("pre").get_text() == "a = ?\n"
    assert build(index_rst=page.format("default")).warnings == []
