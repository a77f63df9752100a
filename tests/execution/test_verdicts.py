"""Whether programs pass: as under stock Sphinx, and where this is stricter."""

import doctest
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from sphinx.ext import doctest as stock

from codediff.execution.data import Outcome, Piece, Program
from codediff.execution.runner import Runner

from .programs import Block, make, only

Run = Callable[..., Outcome]


TRACEBACK = "Traceback (most recent call last):\n  ...\n"

VERDICTS: dict[str, tuple[Block, ...]] = {
    "nothing": (),
    "silent": ("x = 1",),
    "unexpected output": ("print(1)",),
    "expected output": (("code", "print(1)", "1"),),
    "other output": (("code", "print(1)", "2"),),
    "missing output": (("code", "1", "2"),),
    "true is not one": (("code", "print(True)", "1"),),
    "ellipsis by default": (("code", "print('abc')", "a...c"),),
    "ellipsis off": (("code", "print('abc')", "a...c", {"ELLIPSIS": False}),),
    "whitespace": (("code", "print('a  b')", "a b"),),
    "whitespace normalised": (("code", "print('a  b')", "a b", {"NORMALIZE_WHITESPACE": True}),),
    "blank line marker in an output": (("code", "print()", "<BLANKLINE>"),),
    "blank line in an output": (("code", "print('a\\n\\nb')", "a\n\nb"),),
    "skipped": (("code", "1 / 0", "1", {"SKIP": True}),),
    "exception": ("1 / 0",),
    "expected exception": (("code", "1 / 0", TRACEBACK + "ZeroDivisionError: division by zero"),),
    "its detail is ignored": (("code", "1 / 0", TRACEBACK + "ZeroDivisionError: other"),),
    "its detail is not": (
        ("code", "1 / 0", TRACEBACK + "ZeroDivisionError: o", {"IGNORE_EXCEPTION_DETAIL": False}),
    ),
    "other exception": (("code", "1 / 0", TRACEBACK + "TypeError: division by zero"),),
    "no exception": (("code", "1", TRACEBACK + "TypeError: it"),),
    "expected exit": (("code", "raise SystemExit(3)", TRACEBACK + "SystemExit: 3"),),
    "exit": ("raise SystemExit(0)", "x = 1"),
    "syntax error": ("x = = 1",),
    "expected syntax error": (("code", "x = = 1", TRACEBACK + "SyntaxError: invalid syntax"),),
    "one namespace": ("x = 1", ("code", "print(x)", "1")),
    "code after a failure runs": ("1 / 0", "x = 1", ("code", "print(x)", "1")),
    "set-up": (("setup", "x = 1"), ("code", "print(x)", "1")),
    "failed set-up": (("setup", "1 / 0"), "x = 1"),
    "set-up that prints": (("setup", "print(1)"), "x = 1"),
    "clean-up": (("code", "x = 1"), ("cleanup", "del x")),
    "failed clean-up": ("x = 1", ("cleanup", "1 / 0")),
    "session": (("doctest", ">>> x = 1\n>>> x\n1\n\n>>> for i in 'ab':\n...     i\n'a'\n'b'"),),
    "failed session": (("doctest", ">>> 1\n2\n>>> 3\n3"),),
    "session with a blank line": (("doctest", ">>> print('a\\n\\nb')\na\n<BLANKLINE>\nb"),),
    "session with a traceback": (
        ("doctest", f">>> 1 / 0\n{TRACEBACK}ZeroDivisionError: division by zero"),
    ),
    "session, directive": (("doctest", ">>> print('a  b') # doctest: +NORMALIZE_WHITESPACE\na b"),),
    "session, flags": (
        ("doctest", ">>> print('a  b')\na b", None, {"NORMALIZE_WHITESPACE": True}),
    ),
    "session, two statements": (("doctest", ">>> x = 1; x\n1"),),
    "underscore": (("doctest", ">>> 5\n5\n>>> _ + 1\n6"),),
    "future statement": (
        "from __future__ import annotations",
        ("code", "def f(x: nowhere): ...\nprint(f.__annotations__)", "{'x': 'nowhere'}"),
    ),
    "class as under Sphinx": (("doctest", ">>> class A: ...\n>>> A\n<class 'A'>"),),
    "module as under Sphinx": (
        ("doctest", ">>> class A: ...\n>>> A.__module__ + '.A'\n'builtins.A'"),
    ),
    "first failure only": (
        ("doctest", ">>> 1\n2\n>>> 3\n4", None, {"REPORT_ONLY_FIRST_FAILURE": True}),
    ),
    "displayhook": (
        ("doctest", ">>> import sys; sys.displayhook = print\n>>> 1\n1"),
        ("doctest", ">>> None"),
    ),
}


def stock_verdict(program: Program, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return what `sphinx-build -b doctest` says."""
    builder = object.__new__(stock.DocTestBuilder)
    builder.opt = sum(doctest.OPTIONFLAGS_BY_NAME[name] for name in program.flags)
    builder.config = SimpleNamespace(doctest_fail_fast=False)
    builder._warn_out = lambda text: None
    for name in ("setup_runner", "test_runner", "cleanup_runner"):
        setattr(builder, name, stock.SphinxDocTestRunner(verbose=False, optionflags=builder.opt))
    monkeypatch.setattr(doctest, "compile", builder.compile, raising=False)
    kinds = {
        "setup": "testsetup",
        "code": "testcode",
        "doctest": "doctest",
        "cleanup": "testcleanup",
    }
    group = stock.TestGroup("group")
    for piece in program.pieces:
        flags = {doctest.OPTIONFLAGS_BY_NAME[name]: on for name, on in piece.flags.items()}
        group.add_code(
            stock.TestCode(piece.source, kinds[piece.kind], piece.file, piece.line, flags)
        )
        if piece.output is not None:
            group.add_code(stock.TestCode(piece.output, "testoutput", piece.file, 1, flags))
    builder.test_group(group)  # it says so itself only since Sphinx 9
    return not any(
        runner.failures
        for runner in (builder.setup_runner, builder.test_runner, builder.cleanup_runner)
    )


@pytest.mark.parametrize("name", VERDICTS)
@pytest.mark.parametrize("measure", [False, True], ids=["plain", "measured"])
def test_verdict_is_that_of_sphinx(
    shared: dict[bool, Runner],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    measure: bool,
) -> None:
    program = make(Path("/"), *VERDICTS[name], name=str(tmp_path / "page.rst"))
    outcome = shared[measure].run(program, 20)
    assert outcome.passed == stock_verdict(program, monkeypatch), outcome
    assert outcome.passed == (not outcome.failures)


@pytest.mark.parametrize("line", ["1 / 0", "three = 3", "    indented", "... x"])
def test_a_line_of_a_session_that_would_not_run_fails(run: Run, tmp_path: Path, line: str) -> None:
    outcome = run(("doctest", f">>> x = 1\n>>> x\n1\n\n# Then:\n>>> # Nothing.\n\n{line}"))
    (failure,) = outcome.failures
    assert failure.message == (
        "this line has no prompt, and is no output of a line above it; "
        "write <BLANKLINE> for an empty line in an output"
    )
    page = (tmp_path / "page.rst").read_text().split("\n")
    assert page[failure.line - 1].strip() == line.strip()


def test_a_program_may_replace_what_the_runner_uses(run: Run) -> None:
    code = "import functools, json, os\njson.dumps = functools.partial(json.dumps, indent=2)\n"
    assert run(f"{code}os.getpid = lambda: 42").passed


@pytest.mark.parametrize("session", ["prose", ">>> x = 1\n\nProse.\n\n>>> x\n1"])
def test_prose_in_a_session_of_the_page_itself_is_not_executed(
    tmp_path: Path, session: str
) -> None:
    piece = Piece("doctest", session, "page.rst", 1)
    with Runner(root=tmp_path) as runner:
        assert runner.run(Program("page", "group", (piece,))).passed


def test_a_program_is_a_script(run: Run) -> None:
    assert (
        run(
            "import pickle, sys\nclass A: ...\nassert type(pickle.loads(pickle.dumps(A()))) is A",
            (
                "code",
                "if __name__ == '__main__': print(A, sys.argv)",
                "<class '__main__.A'> [...page.rst']",
            ),
            "import multiprocessing\ncontext = multiprocessing.get_context('spawn')\n"
            "with context.Pool(1) as pool:\n    assert pool.map(abs, [-1]) == [1]",
            "import run\n",
        )
        .failures[0]
        .message
        == "ModuleNotFoundError: No module named 'run'"
    )


def test_clean_up_runs_after_a_failure(run: Run, tmp_path: Path) -> None:
    outcome = run("1 / 0", ("cleanup", f"open({str(tmp_path / 'clean')!r}, 'w').close()"))
    assert (tmp_path / "clean").exists()
    assert [failure.piece for failure in outcome.failures] == [0]


def test_code_after_an_interrupt_runs(run: Run) -> None:
    outcome = run("raise KeyboardInterrupt", "1 / 0")
    assert [failure.piece for failure in outcome.failures] == [0, 1]


def test_nothing_runs_after_failed_set_up(run: Run) -> None:
    outcome = run(("setup", "1 / 0"), ("setup", "undefined"), "1 / 0", ("cleanup", "1 / 0"))
    assert [failure.piece for failure in outcome.failures] == [0, 1]


# --- Stricter than Sphinx ---


@pytest.mark.parametrize(
    ("code", "output", "message"),
    [
        ("print(1)\n1 / 0", "1\n" + TRACEBACK + "ZeroDivisionError", None),
        (
            "print(1)\n1 / 0",
            TRACEBACK + "ZeroDivisionError",
            "printed something, though no output is shown",
        ),
        (
            "print(2)\n1 / 0",
            "1\n" + TRACEBACK + "ZeroDivisionError",
            "printed something else than expected",
        ),
        (
            "1 / 0",
            TRACEBACK + "ArithmeticError",
            "ZeroDivisionError: division by zero; expected ArithmeticError",
        ),
        ("int('x')", TRACEBACK + "ValueError: y", None),
        ("x = 1", TRACEBACK + "ValueError", "did not raise the expected ValueError"),
    ],
)
def test_output_before_an_exception_is_compared(
    run: Run, code: str, output: str, message: str | None
) -> None:
    failures = run(("code", code, output)).failures
    assert [failure.message for failure in failures] == ([message] if message else [])


def test_the_message_of_an_exception_is_compared_in_sessions(run: Run) -> None:
    session = f">>> int('x')\n{TRACEBACK}ValueError: invalid literal ... {{}}"
    assert run(("doctest", session.format("'x'"))).passed
    assert "expected ValueError" in only(run(("doctest", session.format("'y'")))).message
    ignored = ("doctest", session.format("'y'"), None, {"IGNORE_EXCEPTION_DETAIL": True})
    assert run(ignored).passed


def test_a_session_may_be_as_the_interpreter_prints_it(run: Run) -> None:
    session = "# Twice:\n>>> for i in range(2):\n...     print(i)\n...\n0\n1\n>>> i\n1"
    assert run(("doctest", session)).passed
    failure = only(run(("doctest", session.replace("0\n1", "0\n2"))))
    assert failure.line == 11


@pytest.mark.parametrize(
    ("session", "line"),
    [
        (">>> 1\n1\n>>> 2  # doctest: +ELIPSIS\n2", 8),
        (">>> 1\n1\n>>> print(\n...     2  # doctest: +ELIPSIS\n... )\n2", 9),
        (">>> 1\n1\n>>> # doctest: +ELLIPSIS\n", 8),
        (">>> print(  # doctest: +ELLIPSIS\n...     2  # doctest: +ELIPSIS\n... )\n2", 7),
    ],
)
def test_a_mistake_in_a_flag_is_on_its_line(run: Run, session: str, line: int) -> None:
    failure = only(run(("doctest", session)))
    assert (failure.kind, failure.line) == ("syntax", line)
    assert "option" in failure.message
