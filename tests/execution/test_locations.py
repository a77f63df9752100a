"""Failures name the line of the page, and tracebacks show it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from codediff.execution.data import Outcome

from .programs import only

TRACEBACK = "Traceback (most recent call last):\n  ...\n"
Run = Callable[..., Outcome]


@pytest.mark.parametrize(
    ("source", "kind", "text"),
    [
        ("x = 1\nx / 0\nx = 2", "exception", "x / 0"),
        ("def f():\n    return 1 / 0\n\n\nf()", "exception", "return 1"),
        ("import json\njson.loads(\n    '{'\n)", "exception", "json.loads"),
        ("x = 1\nx = = 1", "syntax", "x = = 1"),
        ("x = 1\nreturn x", "syntax", "return x"),
        ("def f(x):\n    if x:", "syntax", "if x:"),
        ("x = 1\nf(x", "syntax", "f(x"),
        ("x = 1\nif x:\n    print('a')", "output", "print"),
        ("def f():\n    f()\n\n\nf()", "exception", "    f()"),
        ("import sys\nsys.exit('no')", "exit", "sys.exit"),
        ("raise KeyboardInterrupt", "exception", "raise"),
        ("raise ExceptionGroup('g', [ValueError(1)])", "exception", "raise"),
    ],
)
@pytest.mark.parametrize("measure", [False, True], ids=["plain", "measured"])
def test_failure_names_the_line(
    run: Run, tmp_path: Path, source: str, kind: str, text: str, measure: bool
) -> None:
    failure = only(run("first = 1", source, "last = 1", measure=measure))
    page = (tmp_path / "page.rst").read_text().split("\n")
    assert (failure.kind, failure.title, failure.piece) == (kind, "Side 1", 1)
    assert text in page[failure.line - 1]
    assert Path("/", failure.file) == tmp_path / "page.rst"


def test_failure_in_a_function_of_an_earlier_piece(run: Run) -> None:
    failure = only(run("def f():\n    1 / 0", "f()"))
    assert (failure.line, failure.title, failure.piece) == (7, "Side 0", 1)


def test_line_of_wrong_output(run: Run) -> None:
    assert only(run(("code", "print(1)\n\nprint(2)", "1"))).line == 12  # that of the output
    three = ("code", "for x in 'abc':\n    print(x)", "a\nb\nd")
    assert only(run(three)).line == 13
    assert only(run(("code", "print('a b c d e')", "a ... d\nf"))).line == 10
    failure = only(run(("doctest", ">>> 1\n1\n>>> for x in 'ab':\n...     x\n'a'")))
    assert (failure.line, failure.expected, failure.got) == (10, "'a'\n", "'a'\n'b'\n")
    kinds = [failure.kind for failure in run("1 / 0", ("code", "print(1)", "2")).failures]
    assert kinds == ["exception", "output"]
    outcome = run(("doctest", ">>> print(1)\n1"), "print(1)")
    assert only(outcome).line == 11
    failure = only(run(("code", "x = 1\n1 / 0", TRACEBACK + "TypeError")))
    assert (failure.kind, failure.line) == ("exception", 7)
    assert failure.expected.endswith("TypeError\n")
    assert failure.got == failure.traceback


def test_line_of_a_malformed_session(run: Run) -> None:
    failure = only(run(("doctest", ">>> 1\n1\n>>>2\n2"), "x = 1"))
    assert (failure.kind, failure.line) == ("syntax", 8)


def test_traceback_shows_the_page(run: Run, tmp_path: Path) -> None:
    source = "import json\nx = 1 + json.loads(  'é' + '{')"
    failure = only(run(source, indent="\t  é > "))
    page, library, *_ = failure.traceback.split("  File ")[1:]
    assert page.replace("~", "^") == (  # as Python 3.13 marks operators
        f'"{tmp_path}/page.rst", line 7, in <module>\n'
        "    x = 1 + json.loads(  'é' + '{')\n"
        "            ^^^^^^^^^^^^^^^^^^^^^^^\n"
    )
    assert "/json/__init__.py" in library
    assert "codediff/execution" not in failure.traceback


def test_traceback_hides_frames_of_every_exception(run: Run) -> None:
    outcome = run(
        "try:\n    1 / 0\nexcept Exception as e:\n    kept = e\n    raise",
        "raise ExceptionGroup('g', [kept]) from kept",
    )
    shown = outcome.failures[1].traceback
    assert shown.count("1 / 0") == 2
    assert "codediff/execution" not in shown


def test_syntax_error_shows_the_page(run: Run) -> None:
    failure = only(run(("doctest", ">>> x = = 1")))
    assert failure.message == "SyntaxError: invalid syntax"
    assert failure.traceback.split("\n")[1:3] == ["    x = = 1", "        ^"]


def test_debugger_stops_on_the_line_of_the_page(run: Run, tmp_path: Path) -> None:
    source = (
        "import io, pdb\n\n\ndef f(x):\n    y = x\n    return y\n\n\n"
        "shown = io.StringIO()\n"
        "debugger = pdb.Pdb(stdin=io.StringIO('n\\nn\\nc\\n'), stdout=shown)\n"
        "debugger.runcall(f, 1)\nprint(shown.getvalue())"
    )
    for measure in (False, True):
        failure = only(run(source, measure=measure))
        stops = re.findall(r"> (.*)\((\d+)\)f\(\)(.*)\n-> (.*)", failure.got)
        page = str(tmp_path / "page.rst")
        assert stops == [
            (page, "10", "", "y = x"),
            (page, "11", "", "return y"),
            (page, "11", "->1", "return y"),
        ]


def test_a_missing_blank_line_marker_is_suggested(run: Run) -> None:
    failure = only(run(("doctest", ">>> print('a\\n\\nb')\na\n\n>>> 1\n1")))
    assert failure.message.endswith("; write <BLANKLINE> for the empty line in the output")


def test_an_empty_last_line_is_named(run: Run) -> None:
    failure = only(run(("code", "print('a\\n')", "a")))
    assert failure.message.endswith("; a page cannot show an empty last line, so print none")


@pytest.mark.parametrize("kind", ["code", "doctest"])
def test_source_and_types_of_what_a_page_defines_can_be_inspected(run: Run, kind: str) -> None:
    first = "class A:\n    x: 'B'\n\nclass B:\n    def f(self) -> A:\n        return A()"
    if kind == "doctest":
        first = "\n".join(
            f"{'...' if line[:1] in ('', ' ') else '>>>'} {line}".rstrip()
            for line in first.split("\n")
        )
    outcome = run(
        (kind, first),
        "import inspect, typing\n"
        "assert inspect.getsource(A) == \"class A:\\n    x: 'B'\\n\", inspect.getsource(A)\n"
        "assert 'return A()' in inspect.getsource(B.f)\n"
        "assert typing.get_type_hints(A) == {'x': B}\n"
        "assert typing.get_type_hints(B.f) == {'return': A}",
    )
    assert outcome.passed, outcome.failures[0]


def test_file_is_the_page(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("42")
    code = "from pathlib import Path\nprint(Path(__file__).with_name('data.txt').read_text())"
    assert run(("code", code, "42")).passed
