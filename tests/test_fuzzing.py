"""Generated pages: nothing raises, no line of code is lost, and every warning has a place.

Each test builds a few hundred pages; with ``--hypothesis-profile=nightly``, ten thousand. Pages
that failed once are kept in ``tests/corpus``.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from codediff.directive.options import OPTIONS
from codediff.directive.sides import MARKER
from conftest import Built, build_set, code_of

CONF = """
extensions = ["codediff", "myst_nb"]
nb_execution_mode = "off"
html_theme = "basic"
html_copy_source = False
show_warning_types = True
smartquotes = False  # else titles differ from what was written
trim_doctest_flags = False  # and so do sessions
codediff_environments = {"old": ["pydantic<2"]}
"""
# The ends of a line for docutils, and NUL, which HTML cannot have.
ENDS = "\0\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
ANYTHING = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=f"{ENDS}\t"))
LINES = ANYTHING | st.sampled_from(
    [
        *("", "  ", "x = 1", "    y = 2  # two", "def f(): pass", ">>> 1 + 1", "2", '"""', "'''"),
        *("---", "--- ", " ---", "===", "#!", "x = 1  #!", "'#!'", "#!/bin/sh", "|", "\\", "::"),
        *("..", ".. codediff::", "```", ":::", "```{codediff}", "+++", "% x", "(x)=", "{{ x }}"),
        *("<script>hit()</script>", "</pre>", "<!--", "&lt;", "]]>", "`a`_", "*a*", "\x1b[0m"),
        *("# doctest: +SKIP", "\u202e", "a\u200bb", "日本", "\ufeff", "\xa0", "e\u0301", "x" * 999),
    ]
)
VALUES = st.sampled_from(
    [
        *("A, B", "A, B, C", "`a, b`", "``", "0", "-1", "99", "1-2", "python", "none", "", "x_"),
        *("both", "unified", "old", "nowhere", "old, , old", "KeyError, ", "'a'", "> x", "|", "*a"),
        *('"A, B"', "[a](b)", "<b>", ":ref:`x`", "{doc}`x`", "A\\, B", "plain.py, empty.py"),
    ]
)
FORMS = st.sampled_from(["rst", "md"])
WORDS = (
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters=","))
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)


def make(text: str, form: str) -> Built:
    """Build a set of one page."""
    source = Path(tempfile.mkdtemp())
    files = {"conf.py": CONF, f"index.{form}": text, "plain.py": "x = 1\n", "empty.py": ""}
    for name, content in files.items():
        (source / name).write_text(content, "utf-8", newline="")
    return build_set(source, source / "build")


def page(options: list[str], code: list[str], form: str) -> str:
    """Return a page with a block."""
    lines = [*options, "", *code]
    if form == "rst":
        body = "\n".join(f"   {line}" for line in lines)
        return f"Page\n====\n\n.. codediff::\n{body}\n\nThe rest of the page.\n"
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    body = "\n".join(lines)
    return f"# Page\n\n{fence}{{codediff}}\n{body}\n{fence}\n\nThe rest of the page.\n"


def without_marker(line: str) -> str:
    return line.rstrip().removesuffix(MARKER).rstrip()


def shown(built: Built) -> list[str]:
    """Return the lines of all sides, without blank ones."""
    lines = (line.rstrip() for side in built.sides() for line in code_of(side).split("\n"))
    return list(filter(None, lines))


@given(
    form=FORMS,
    titles=st.lists(WORDS, min_size=2, max_size=3, unique=True),
    code=st.lists(LINES.filter(lambda line: line.rstrip() != "---"), min_size=1, max_size=6),
)
def test_titles_and_code_are_shown_as_written(
    form: str, titles: list[str], code: list[str]
) -> None:
    # No character of an escaped title is markup; quoted, none is YAML.
    written = ", ".join(re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", title) for title in titles)
    quoted = written if form == "rst" else "'{}'".format(written.replace("'", "''"))
    lines = [line for _title in titles for line in ("---", "first = 1", *code)][1:]
    built = make(page([f":title: {quoted}"], lines, form), form)
    captions = [side.select_one(".codediff-title .caption-text") for side in built.sides()]
    assert [caption.get_text() for caption in captions] == titles
    expected = [line.rstrip().removesuffix(MARKER).rstrip() for line in lines if line != "---"]
    assert [line.removesuffix(MARKER).rstrip() for line in shown(built)] == [
        *filter(None, expected)
    ]
    assert "The rest of the page." in built.html("index").get_text()


@given(
    form=FORMS,
    options=st.lists(st.tuples(st.sampled_from([*OPTIONS, "nope"]), VALUES | WORDS), max_size=5),
    code=st.lists(LINES, max_size=12),
)
def test_every_warning_has_a_type_and_a_place(
    form: str, options: list[tuple[str, str]], code: list[str]
) -> None:
    text = page([f":{name}: {value}" for name, value in options], code, form)
    built = make(text, form)
    for warning in built.warnings:
        if "[codediff." in warning:
            place = re.match(rf"index\.{form}:(\d+): WARNING: .*\[codediff\.[\w-]+\]$", warning)
            assert place, warning
            assert (4 if form == "rst" else 3) <= int(place[1]) <= text.count("\n")
    assert "The rest of the page." in built.html("index").get_text()
