"""The HTML that tests, themes and style sheets rely on."""

from __future__ import annotations

import pytest

from conftest import Build, Built, code_of

SAME_PAGES = [
    "two_sides",
    "two_sides_myst",
    "two_sides_colon",
    "two_sides_notebook",
    "two_sides_ipynb",
]


@pytest.mark.parametrize("page", SAME_PAGES)
def test_sides_have_titles_and_exactly_their_code(pages: Built, page: str) -> None:
    sides = pages.sides(page)
    titles = [side.select_one(".codediff-title .caption-text").get_text() for side in sides]
    assert titles == ["No Dropout", "With Dropout"]
    assert [code_of(side) for side in sides] == [
        "keys = split(root, 2)\n\nif keys:\n\n    print(keys)\n",
        "keys = split(root, 3)\n",
    ]


def test_no_page_of_well_formed_blocks_warns(pages: Built) -> None:
    assert pages.warnings == []


def test_a_block_is_a_labelled_group(pages: Built) -> None:
    (block,) = pages.html("two_sides").select(".codediff-block")
    assert block["role"] == "group"
    assert block["aria-label"] == "No Dropout, With Dropout"


def test_marked_lines_have_the_highlighters_own_class(pages: Built) -> None:
    code, marked = pages.sides("markers")
    assert code.select(".hll") == []
    assert code_of(code) == (
        '#!/usr/bin/env python3\ntext = """\nin a string #!\n"""\nsame = "#!"\n'
    )
    assert [line.get_text() for line in marked.select(".hll")] == [
        "one = 1  # a comment\n",
        "two = [\n",
        '    "#!",\n',
        "three = 3\n",
    ]
    assert code_of(marked) == 'one = 1  # a comment\ntwo = [\n    "#!",\n]\nthree = 3\n'


def test_code_keeps_tabs_indentation_and_every_character(pages: Built) -> None:
    assert [code_of(side) for side in pages.sides("tabs")] == [
        "def f():\n\treturn 1\n",
        "def f():\n\treturn\t2\n",
    ]
    assert [code_of(side) for side in pages.sides("unusual_code")] == [
        'name = "Zoë"  # naïve — “quotes”\n😀 = "<script>alert(\'&amp;\')</script>"\n',
        "    indented = 1\n\n  less = 2\n",
    ]


def test_the_separator_can_be_code(pages: Built) -> None:
    left, right = pages.sides("older_spelling")
    assert left.select_one(".caption-text").get_text() == "Left, with a comma"
    assert code_of(left) == 'left = """\n---\n"""\n'
    assert code_of(right) == "right = 1/0\n"


def test_titles_have_inline_markup_and_commas_inside_literals(pages: Built) -> None:
    first, second = pages.html("options").select(".codediff-title")[:2]
    assert first.select_one("code").get_text() == "a, b"
    assert second.select_one("em").get_text() == "B"


def test_numbers_are_beside_the_code_and_not_in_it(pages: Built) -> None:
    left, right = pages.sides("options")[:2]
    assert [line["data-line"] for line in left.select("pre [data-line]")] == ["41", "42"]
    assert [line["data-line"] for line in right.select("pre [data-line]")] == ["41"]
    assert code_of(left) == "let x = [1,\n  2]\n"


def test_numbers_appear_only_where_asked_for(pages: Built) -> None:
    assert pages.html("two_sides").select("[data-line]") == []


def test_language_comes_from_the_option_or_from_the_page(pages: Built) -> None:
    html = pages.html("options")
    assert len(html.select(".codediff-side > .highlight-javascript")) == 2
    assert len(html.select(".codediff-side > .highlight-yaml")) == 2
    assert html.select(".highlight-javascript .kd")[0].get_text() == "let"


def test_caption_name_and_class(pages: Built) -> None:
    html = pages.html("options")
    block = html.select_one("#a-target")
    assert {"codediff", "one", "two"} <= set(block.select_one(".codediff")["class"])
    caption = block.select_one(".code-block-caption")
    assert caption.select_one("em").get_text() == "caption"
    assert caption.select_one("a.headerlink")["href"] == "#a-target"
    links = html.select("p > a.internal[href='#a-target']")
    assert [link.get_text() for link in links] == ["The caption", "this one"]


def test_only_pages_with_a_block_load_the_style_sheet(pages: Built) -> None:
    def loads(page: str) -> bool:
        return "codediff.css" in str(pages.html(page).head)

    assert loads("two_sides")
    assert not loads("index")
    assert (pages.outdir / "_static" / "codediff.css").is_file()


def test_nothing_is_inline(pages: Built) -> None:
    for page in [*SAME_PAGES, "options"]:
        for block in pages.html(page).select(".codediff-block"):
            assert block.select("script, style, [style], [onclick]") == []


def test_5000_lines_and_50_sides_are_ordinary(build: Build) -> None:
    long = "\n".join(f"   x{number} = {number}" for number in range(5000))
    titles = ", ".join(f"T{number}" for number in range(50))
    many = "\n   ---\n".join(f"   y = {number}" for number in range(50))
    built = build(
        index_rst=(
            "Big\n===\n\n"
            f".. codediff::\n   :title: A, B\n\n{long}\n   ---\n   x = 1\n\n"
            f".. codediff::\n   :title: {titles}\n\n{many}\n"
        )
    )
    assert built.warnings == []
    sides = built.sides()
    assert len(sides) == 52
    assert code_of(sides[0]) == "".join(f"x{number} = {number}\n" for number in range(5000))
    assert code_of(sides[51]) == "y = 49\n"


@pytest.mark.parametrize("suffix", ["rst", "md"])
def test_dos_line_ends_are_ordinary(build: Build, suffix: str) -> None:
    page = {
        "rst": (
            "Page\n====\n\n.. codediff::\n   :title: A, B\n\n"
            "   a = 1  #!\n\n   b = 2\n   ---\n   c = 3\n"
        ),
        "md": "# Page\n\n```{codediff}\n:title: A, B\n\na = 1  #!\n\nb = 2\n---\nc = 3\n```\n",
    }[suffix]
    built = build(**{f"page_{suffix}": page.replace("\n", "\r\n")})
    assert [line for line in built.warnings if "toctree" not in line] == []
    assert [code_of(side) for side in built.sides("page")] == ["a = 1\n\nb = 2\n", "c = 3\n"]
    assert built.html("page").select_one(".hll").get_text() == "a = 1\n"


def test_a_caption_has_a_number_and_titles_have_none(build: Build) -> None:
    block = ".. codediff::\n   :title: A, B\n{}\n\n   1\n   ---\n   2\n\n"
    own = ".. code-block:: python\n   :caption: Own\n   :name: own\n\n   3\n\n"
    page = f"Page\n====\n\n{block.format('   :caption: C')}{block.format('')}{own}:numref:`own`\n"
    built = build(index_rst=page, conf="\nnumfig = True\n")
    assert built.warnings == []
    html = built.html("index")
    numbers = [number.text.strip() for number in html.select(".caption-number")]
    assert numbers == ["Listing 1", "Listing 2"]
    assert html.select_one(".std-numref").text == "Listing 2"


STAMPED = """
from codediff.directive.nodes import codediff

def stamp(app, doctree, docname):
    for block in doctree.findall(codediff):
        block["stamp"] = {"text": "Executed with <a> & b", "date": "2026-11-22"}

def setup(app):
    app.connect("doctree-resolved", stamp)
"""


def test_a_stamp_has_its_text_and_a_date_in_the_language_of_the_page(build: Build) -> None:
    page = "Page\n====\n\n.. codediff::\n   :title: A, B\n\n   1\n   ---\n   2\n"
    built = build(index_rst=page, conf=f"language = 'de'\n{STAMPED}")
    (stamp,) = built.html("index").select(".codediff-block > p.codediff-stamp")
    assert stamp.get_text() == "Executed with <a> & b, 22.11.2026"
    assert stamp.time["datetime"] == "2026-11-22"
    assert build(index_rst=page).html("index").select(".codediff-stamp") == []
