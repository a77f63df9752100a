"""Whole pages that nobody would write: nothing raises, and nothing is lost on the way to HTML.

Each test makes a few hundred pages; with ``--hypothesis-profile=nightly``, ten thousand. What
failed once is kept in ``tests/corpus``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sphinx.testing.util import SphinxTestApp
from test_sides import without_marker

from codediff.directive.codediff import OF_FILES, OPTIONS
from codediff.directive.sides import MARKER
from codediff.programs import collect
from codediff.programs.downloads import script
from conftest import Built, code_of, warnings

CONF = """
extensions = ["codediff", "myst_nb"]
nb_execution_mode = "off"
html_theme = "basic"
html_copy_source = False
show_warning_types = True
smartquotes = False  # else titles are not what was written
trim_doctest_flags = False  # nor sessions
myst_enable_extensions = ["colon_fence"]
codediff_environments = {"old": ["pydantic<2"]}
"""
# What docutils takes for the end of a line; and NUL, which HTML cannot have.
ENDS = "\0\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
ANYTHING = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=f"{ENDS}\t"))
NASTY = st.sampled_from(
    [
        *("", "  ", "x = 1", "    y = 2  # two", "def f(): pass", ">>> 1 + 1", "2", '"""', "'''"),
        *("---", "--- ", " ---", "===", "----", "#!", "x = 1  #!", "'#!'", "#!/bin/sh", "  #!  "),
        *(
            ":title: A, B",
            ":sync:",
            ":x",
            "::",
            "..",
            ".. codediff::",
            ".. code-block:: c",
            "|",
            "\\",
        ),
        *("```", "````", "~~~", ":::", "```{codediff}", "+++", "% x", "(x)=", "[x]: y", "{{ x }}"),
        *("<script>hit()</script>", "</pre>", "<!--", "&lt;", "&#60;", "]]>", "<b", "`a`_", "*a*"),
        *(
            "# doctest: +SKIP",
            "\x1b[0m",
            "\u202e",
            "a\u200bb",
            "日本",
            "😀" * 9,
        ),
        *("\ufeff", "\xa0", "x" * 999, "\x1f", "\x7f", "é", "e\u0301", "\ufffe", "\U000e0001"),
    ]
)
LINES = NASTY | ANYTHING
WORDS = (
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters=","))
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)
FORMS = st.sampled_from(["rst", "md"])


@dataclass
class Bench:
    """A documentation set of one page, which is written anew for each example."""

    app: SphinxTestApp

    def make(self, text: str, suffix: str) -> Built:
        """Read and write the page as Sphinx does, without all that a whole build does besides."""
        app, name = self.app, f"page_{suffix}"
        path = Path(app.srcdir, f"{name}.{suffix}")
        path.write_text(text, "utf-8", newline="")
        app.warning.seek(0)
        app.warning.truncate()
        app.env.project.discover()
        app.env.found_docs.add(name)
        app.events.emit("env-purge-doc", app.env, name)
        app.env.clear_doc(name)
        app.env._pickled_doctree_cache.clear()  # and what is kept for one build
        collect._lines_of.cache_clear()
        app.registry.css_files.clear()  # to which each page adds
        app.registry.js_files.clear()
        app.builder.read_doc(name)
        app.builder.prepare_writing({name})
        doctree = app.env.get_and_resolve_doctree(name, app.builder, tags=app.tags)
        app.builder.write_doc(name, doctree)
        return Built(app.srcdir, app.outdir, app.env, 0, "", warnings(app))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    source = tmp_path_factory.mktemp("fuzzing") / "source"
    source.mkdir()
    (source / "conf.py").write_text(CONF)
    (source / "index.rst").write_text("Index\n=====\n")
    app = SphinxTestApp("html", srcdir=source)
    app.build()
    yield Bench(app)
    app.cleanup()


def directive(lines: list[str], form: str) -> str:
    """Return a page with a block of these lines, which begins on its sixth."""
    if form == "rst":
        body = "\n".join(f"   {line}" for line in lines)
        return f":orphan:\n\nPage\n====\n\n.. codediff::\n{body}\n\nThe rest of the page.\n"
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    body = "\n".join(lines)
    return (
        f"---\norphan: true\n---\n\n# Page\n{fence}{{codediff}}\n{body}\n{fence}\n\n"
        "The rest of the page.\n"
    )


def escaped(title: str) -> str:
    """Return a title in which no character is markup, in either form."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", title)


def stripped(lines: list[str]) -> list[str]:
    """Return the lines without blank ones at either end."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def is_code(line: str) -> bool:
    return line.rstrip() != "---" and not line.rstrip().endswith(MARKER)


@given(
    form=FORMS,
    written=st.lists(
        st.tuples(WORDS, st.lists(LINES.filter(is_code), min_size=1, max_size=6)),
        min_size=2,
        max_size=4,
    ),
)
def test_titles_and_code_come_out_as_they_went_in(
    bench: Bench, form: str, written: list[tuple[str, list[str]]]
) -> None:
    lines = [f":title: {', '.join(escaped(title) for title, _code in written)}", ""]
    for number, (_title, code) in enumerate(written):
        lines += ["---", *code] if number else code
    built = bench.make(directive(lines, form), form)
    page = f"page_{form}"
    if form == "rst":  # docutils takes blanks off the ends of lines
        written = [(title, [line.rstrip() for line in code]) for title, code in written]
    if not any(line.strip() for _title, code in written for line in code):
        written = []
    expected = [stripped(code) for _title, code in written]
    shown = built.sides(page)
    titles = [side.select_one(".codediff-title .caption-text").get_text() for side in shown]
    assert titles == [title for title, _code in written]
    assert [code_of(side).removesuffix("\n").split("\n") for side in shown] == [
        code or [""] for code in expected
    ]
    assert "The rest of the page." in built.html(page).get_text()
    source = directive(lines, form).split("\n")
    for program in collect.page_of(built.env, page).programs:
        assert script(program)
        for piece in program.pieces:
            first = piece.source.split("\n")[0]
            assert source[piece.line - 1].strip().startswith(first.strip())


VALUES = st.sampled_from(
    [
        *("", "A, B", "A, B, C", "`a, b`", "``", "0", "-1", "99", "1-2", "python", "none", "x"),
        *("both", "unified", "old", "nowhere", "old, , old", "KeyError, ", "None", "'a'", "> x"),
        *('"A, B"', "|", "[a](b)", "<b>", "*a", "|x|", ":ref:`x`", "{doc}`x`", "x_", "A\\, B"),
    ]
)
NAMES = st.sampled_from([*(name for name in OPTIONS if name not in ("file", "code-sep")), "nope"])
WAYS = st.sampled_from([":{}: {}", ":{}:   {}  ", ":{}:\n   {}", "  :{}: {}"])
GIVEN = st.lists(st.tuples(NAMES, VALUES | WORDS, WAYS), max_size=6)
MESSAGE = re.compile(r"(?P<file>[^:]*):(?P<line>\d*): \w+: .*\[(?P<type>[\w.-]+)\]$")


def check_warnings(built: Built, form: str, lines: int) -> None:
    """See that each warning has a type, and a place inside a block of so many lines."""
    for warning in built.warnings:
        match = MESSAGE.match(warning)
        assert match, warning
        assert match["file"] == f"page_{form}.{form}", warning
        assert 6 <= int(match["line"]) <= 6 + lines, warning


@given(
    form=FORMS,
    given=GIVEN,
    separator=st.sampled_from(["---", "==="]),
    code=st.lists(LINES, max_size=12),
    nested=st.booleans(),
)
def test_whatever_is_written_is_shown_in_order_and_warnings_have_a_place(
    *,
    bench: Bench,
    form: str,
    given: list[tuple[str, str, str]],
    separator: str,
    code: list[str],
    nested: bool,
) -> None:
    options = [f":code-sep: {separator}"]
    for name, value, way in given:
        options += (way if value else ":{}: {}").format(name, value).split("\n")
    text = directive([*options, "", *code], form)
    if nested and form == "rst":
        head, block, rest = re.split(r"(?=\.\. codediff::\n   :code-sep)|(?=\nThe rest of)", text)
        text = f"{head}- " + block.replace("\n", "\n  ") + rest
    built = bench.make(text, form)
    wanted = [line for line in code if line.rstrip() != separator]
    shown = [line for side in built.sides(f"page_{form}") for line in code_of(side).split("\n")]
    assert [one for one in map(without_marker, shown) if one] == [
        one for one in map(without_marker, wanted) if one
    ]
    check_warnings(built, form, len(options) + len(code) + 2)
    for program in collect.page_of(built.env, f"page_{form}").programs:
        assert script(program)


FILES = {
    "plain.py": b"import math\n\n\ndef f():\n    return 1\n\n\nclass A:\n    def b(self): ...\n",
    "windows.py": b"\xef\xbb\xbfx = 1\r\n\r\ny = 2\r\n",
    "latin.py": b"name = '\xe9'\n",
    "odd.py": "a = '\u2028'\x0c\n\tb = 2  #!\x00\n---\n".encode(),
    "empty.py": b"",
}
PATHS = st.sampled_from([*FILES, "missing.py", ".", "/", "", "~", "*", "a b.py", "`plain.py`"])
PICKS = st.sampled_from(
    [
        *("f", "A.b", "A", "nothing", "", "1", "1-", "-2", "2,1", "1,1", "99", "0", "a-b", "3-1"),
        *("def", "return", "1", "-1", "x", ",", "f, A", "é", "\N{ZERO WIDTH SPACE}"),
    ]
)


@given(
    form=FORMS,
    paths=st.lists(PATHS | WORDS, min_size=1, max_size=3),
    given=st.lists(st.tuples(st.sampled_from(OF_FILES), PICKS | WORDS), max_size=3),
)
def test_whatever_is_asked_of_files_is_answered_by_a_warning_with_a_place(
    bench: Bench, form: str, paths: list[str], given: list[tuple[str, str]]
) -> None:
    for name, content in FILES.items():
        Path(bench.app.srcdir, name).write_bytes(content)
    options = [":title: A, B", f":file: {', '.join(paths)}"]
    options += [f":{name}: {value}" for name, value in given]
    built = bench.make(directive(options, form), form)
    check_warnings(built, form, len(options) + 2)
    assert "The rest of the page." in built.html(f"page_{form}").get_text()
