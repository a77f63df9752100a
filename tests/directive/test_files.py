"""Sides that are read from files."""

from __future__ import annotations

import pytest
from docutils import nodes

from conftest import Build, code_of


@pytest.mark.parametrize(
    "option",
    [
        *("pyobject: nothing", "lines: x", "lines: 7-9", "lines: 1-9"),
        *("start-after: nothing", "end-before: nothing", "dedent: 8"),
    ],
)
def test_a_part_of_a_file_that_is_not_there_is_warned_about(build: Build, option: str) -> None:
    page = f"Page\n====\n\n.. codediff::\n   :title: A, B\n   :file: a.py, b.py\n   :{option}\n"
    built = build(index_rst=page, a_py="a = 1\n", b_py="b = 1\n")
    for file, warning in zip(("a.py", "b.py"), built.warnings, strict=True):
        assert warning.startswith(f"index.rst:4: WARNING: cannot show {file!r}: ")
        assert warning.endswith(" [codediff.file]")


def test_a_dedent_of_nothing_takes_nothing(build: Build) -> None:
    options = "   :title: A, B\n   :file: a.py, a.py\n   :lines: 2\n   :dedent:{}\n"
    page = f"Page\n====\n\n.. codediff::\n{options}"
    code = "if True:\n    a = 1\n"
    kept = build(index_rst=page.format(" 0"), a_py=code)
    assert code_of(kept.sides()[0]) == "    a = 1\n"
    assert code_of(build(index_rst=page.format(""), a_py=code).sides()[0]) == "a = 1\n"


def test_each_line_knows_its_number_in_the_file(build: Build) -> None:
    text = "Page\n====\n\n.. codediff::\n   :title: A, B\n   :file: a.py, a.py\n   :lines: {}\n"
    file = "\n".join(f"line_{number} = 1" for number in range(1, 10))
    for lines, numbers in (("2,4,7-8", [2, 4, 7, 8]), ("3-5", [3, 4, 5])):
        built = build(index_rst=text.format(lines), a_py=file)
        for code in built.doctree("index").findall(nodes.literal_block):
            assert code.source == str(built.srcdir / "a.py")
            assert (code.line, code["lines"]) == (numbers[0], numbers)
            assert code.astext() == "\n".join(f"line_{number} = 1" for number in numbers)


def test_a_page_is_read_again_when_a_file_changes(build: Build) -> None:
    text = "Page\n====\n\n.. codediff::\n   :title: A, B\n   :file: a.py, b.py\n"
    build(index_rst=text, a_py="a = 1\n", b_py="b = 1\n")
    built = build(index_rst=text, a_py="a = 1\n", b_py="b = 22\n")
    assert [code_of(side) for side in built.sides()] == ["a = 1\n", "b = 22\n"]
