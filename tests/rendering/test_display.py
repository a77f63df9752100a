"""How a block is shown: rows, changes, views, folds, and code from files."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup, Tag
from docutils import nodes

from codediff.directive.nodes import codediff
from conftest import Build, Built, code_of


def block(pages: Built, page: str, number: int = 0) -> Tag:
    return pages.html(page).select(".codediff-block")[number]


def rows(block: Tag) -> list[list[str]]:
    """Return the lines of each side, as ``tag.class text``."""

    def line(element: Tag) -> str:
        classes = "".join(f".{name}" for name in element.get("class", []))
        return f"{element.name}{classes} {element.get_text().rstrip()}".rstrip()

    return [
        [line(one) for one in pre.select(":is(.cd-e, .cd-d) > *")] for pre in block.select("pre")
    ]


def test_sides_have_the_same_rows_and_gaps_are_empty(pages: Built) -> None:
    assert rows(block(pages, "changes")) == [
        [
            "span import os",
            'span.cd-c value = compute(1, "a < b")',
            "span same = True",
            "del gone = 1",
            "span last = 0",
            "i",
        ],
        [
            "span import os",
            'span.cd-c value = compute(2, "a < b")',
            "span same = True",
            "i",
            "span last = 0",
            "ins fresh_name = [1]",
        ],
    ]


def chunks(block: Tag) -> list[list[str]]:
    """Return the chunks of each side: their classes, and how many lines they have."""
    return [
        [f"{'/'.join(one.get('class', []))} {len(one.get_text().splitlines())}" for one in pre]
        for pre in block.select(".codediff-side pre")
    ]


def test_sides_have_chunks_or_their_places_in_the_order_of_the_unified_view(pages: Built) -> None:
    first, second = chunks(block(pages, "changes"))
    assert first == ["cd-e 1", "cd-d 1", " 0", "cd-e 1", "cd-d 1", " 0", "cd-e 1", "cd-d 0", " 0"]
    assert second == ["cd-e 1", " 0", "cd-d 1", "cd-e 1", " 0", "cd-d 0", "cd-e 1", " 0", "cd-d 1"]


def test_wrapped_lines_know_their_indentation(build: Build) -> None:
    code = "   def f():\n       if x:\n         y = 1\n"
    page = f"Page\n====\n\n.. codediff::\n   :title: A, B\n\n{code}   ---\n   x = 1\n"
    lines = build(index_rst=page).sides()[0].select(".cd-d > *")
    assert [line.get("class", []) for line in lines] == [[], ["cd-i4"], ["cd-c", "cd-i6"]]


def test_changed_words_are_insertions_and_deletions(pages: Built) -> None:
    old, new = block(pages, "changes").select(".codediff-side")
    assert [word.get_text() for word in old.select(".cd-c del")] == ["1"]
    assert [word.get_text() for word in new.select(".cd-c ins")] == ["2"]
    assert old.select_one(".cd-c del > span.mi")


def test_hand_made_blank_lines_are_absorbed(pages: Built) -> None:
    old, new = rows(block(pages, "changes", 4))
    assert old == ["span a = 1", "span.cd-b", "span.cd-b", "span b = 2"]
    assert new == ["span a = 1", "ins.hll c = 3", "ins.hll d = 4", "span b = 2"]


@pytest.mark.parametrize(
    ("number", "marked", "changed"),
    [(0, 0, True), (1, 1, True), (2, 0, False), (3, 0, True), (4, 2, False)],
)
def test_highlight_chooses_between_markers_and_changes(
    pages: Built, number: int, marked: int, changed: bool
) -> None:
    shown = block(pages, "changes", number)
    assert len(shown.select(".hll")) == marked
    assert bool(shown.select(".codediff-changes")) is changed
    assert bool(shown.select("pre ins ins, pre .cd-c ins, pre .cd-c del")) is changed


@pytest.mark.parametrize(("mode", "changed"), [("none", False), ("both", True)])
def test_highlight_has_a_default_in_the_configuration(
    build: Build, mode: str, changed: bool
) -> None:
    page = "Page\n====\n\n.. codediff::\n   :title: A, B\n\n   a  #!\n   ---\n   b\n"
    html = build(index_rst=page, conf=f"codediff_highlight = {mode!r}").html("index")
    assert bool(html.select(".codediff-changes")) is changed
    assert bool(html.select(".hll")) is changed


def test_a_block_says_its_first_view_and_what_it_is_tied_to(pages: Built) -> None:
    views = [part.get("data-first-view") for part in pages.html("views").select(".codediff-block")]
    assert views == ["1", "unified", ""]
    assert [
        part.has_attr("data-sync") for part in pages.html("views").select(".codediff-block")
    ] == [*(True, False, False)]


def test_long_equal_runs_are_folded_in_every_side(pages: Built) -> None:
    for side in block(pages, "folds").select(".codediff-side"):
        first, second = side.select("pre > details")
        assert first.summary["data-show"] == "Show 3 equal lines"
        assert first.summary["data-hide"] == "Hide"
        assert first.get_text() == "line_1\nline_2\nline_3\n"
        assert second.get_text() == "line_14\nline_15\n"
        assert code_of(side).count("\n") == 18
        assert side.select("pre [data-line='14']")[0].get_text() == "line_14\n"


def test_a_block_without_changes_is_not_folded(pages: Built) -> None:
    assert block(pages, "folds", 1).select("details") == []


def test_code_comes_from_files(pages: Built) -> None:
    sides = [code_of(side) for side in pages.sides("files")]
    assert sides[0] == 'class Greeter:\n    def greet(self):\n        return "Hello"\n'
    assert (
        sides[1] == 'class Greeter:\n    def greet(self, name):\n        return f"Hello, {name}"\n'
    )
    assert sides[2:4] == [
        "def main():\n    print(os.sep)\n",
        'def main():\n    print(pathlib.Path("/"))\n',
    ]
    assert sides[4] == 'def greet(self, name):\n    return f"Hello, {name}"\n'
    assert sides[6:] == [
        '"""The older way."""\nimport os\n',
        '"""The newer way."""\nimport pathlib\n',
    ]
    assert block(pages, "files").select_one(".hll").get_text().strip() == (
        'return f"Hello, {name}"'
    )


def test_code_from_files_knows_its_place(pages: Built) -> None:
    codes = [
        code
        for part in pages.doctree("files").findall(codediff)
        for code in part.findall(nodes.literal_block)
    ]
    assert [code.source for code in codes[:2]] == [
        str(pages.srcdir / "code" / "old.py"),
        str(pages.srcdir / "code" / "new.py"),
    ]
    assert [code.line for code in codes[:4]] == [6, 6, 12, 12]


def test_a_changed_file_is_read_again(build: Build) -> None:
    page = "Page\n====\n\n.. codediff::\n   :title: A, B\n   :file: a.py, b.py\n"
    build(index_rst=page, a_py="a = 1\n", b_py="b = 1\n")
    built = build(index_rst=page, a_py="a = 1\n", b_py="b = 2\n")
    assert [code_of(side) for side in built.sides()] == ["a = 1\n", "b = 2\n"]


@pytest.mark.parametrize("page", ["two_sides", "changes", "folds"])
def test_text_of_every_side_is_its_code(pages: Built, page: str) -> None:
    codes = [
        code.astext() + "\n"
        for part in pages.doctree(page).findall(codediff)
        for code in part.findall(nodes.literal_block)
    ]
    assert [code_of(side) for side in pages.sides(page)] == codes


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ('x = "a & b"', ["c"]),
        ("call(one, <two>)", ["three"]),
    ],
)
def test_words_are_marked_inside_escaped_text(build: Build, code: str, words: list[str]) -> None:
    new = code.replace("b", "c").replace("<two>", "<three>")
    options = ":title: A, B\n   :language: text"
    page = f"Page\n====\n\n.. codediff::\n   {options}\n\n   {code}\n   ---\n   {new}\n"
    side = build(index_rst=page).sides()[1]
    assert code_of(side) == new + "\n"
    assert [word.get_text() for word in side.select(".cd-c ins")] == words


def test_the_page_offers_its_words_to_the_script(pages: Built) -> None:
    head = pages.html("changes").head
    assert isinstance(head, BeautifulSoup | Tag)
    assert head.select_one('meta[name="codediff"]')["content"] == (
        "Side by side|Unified|View|Copy|Copied"
    )
    assert [
        script
        for script in head.select("script:not([defer], [async])[src]")
        if "codediff" in script["src"]
    ]


def test_outputs_of_sides_in_an_environment_are_shown_beside_them(build: Build) -> None:
    page = (
        "Page\n====\n\n.. codediff::\n   :title: Old, New\n   :env: old, new\n\n"
        "   print(1)\n   ---\n   print(2)\n\n"
        ".. testoutput:: Old\n\n   1\n\n.. testoutput:: New\n\n   2\n"
    )
    environments = "codediff_environments = {'old': [], 'new': []}\n"
    built = build(index_rst=page, conf=environments)
    outputs = [side.select_one(".codediff-output pre").get_text() for side in built.sides()]
    assert outputs == ["1\n", "2\n"]
