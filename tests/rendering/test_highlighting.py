"""A side is highlighted as a plain code block is, whatever the other sides contain."""

from __future__ import annotations

import pytest
from bs4 import Tag

from conftest import HERE, Build

# Tokens that span lines, and code that begins one and never ends it.
CODES = {
    "python": ['x = """a', "", "b", '"""', "s = f'{x!r} {y:>{x}}'", "if x: \\", "    pass", "@dec"],
    "javascript": ["/* a", "*/", "let x = `a ${b", "}`;", "// c", "function f() {", "}", "/* d"],
    "html": ["<p>", "<script>", "let x = 1", "</script>", "<!-- a", "-->", "</p>", "<!-- b"],
    "bash": ["cat <<EOF", "EOF", "echo 'a", "b'", "if true; then", "fi", "cat <<X"],
}


def spans(pre: Tag) -> list[tuple[str, str]]:
    """Return classes and text of the highlighted parts of a block that can be seen."""
    found = [(" ".join(span["class"]), span.get_text()) for span in pre.select("span[class]")]
    return [pair for pair in found if pair[1].strip("\n") and not pair[0].startswith("cd-")]


def split_lines(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Cut texts at line ends, as a block does whose lines are elements."""
    return [(classes, part) for classes, text in pairs for part in text.split("\n") if part]


@pytest.mark.parametrize("language", CODES)
def test_a_side_is_highlighted_as_if_it_were_alone(build: Build, language: str) -> None:
    code = CODES[language]
    sides = [code, [*code[2:], *code], code[:3], code]
    bodies = ["\n".join(f"   {line}".rstrip() for line in side).strip("\n") for side in sides]
    page = f"Page\n====\n\n.. highlight:: {language}\n   :force:\n\n"
    page += ".. codediff::\n   :title: A, B, C, D\n   :highlight: none\n\n"
    page += "\n   ---\n".join(bodies)
    page += "".join(f"\n\n.. code-block:: {language}\n   :force:\n\n{body}" for body in bodies)
    found = build(index_rst=f"{page}\n").html("index").select("pre")
    for side, block in zip(found[:4], found[4:], strict=True):
        assert split_lines(spans(side)) == split_lines(spans(block))
        assert side.get_text() == block.get_text()


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
