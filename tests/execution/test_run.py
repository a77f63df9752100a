"""Running programs: verdicts, places, measured lines, isolation, and programs that misbehave."""

import doctest
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from sphinx.ext import doctest as stock

from codediff.execution import run as run_module
from codediff.execution.data import Failure, Outcome, Piece, Program
from codediff.execution.measure import statements
from codediff.execution.runner import Runner
from conftest import HAS_SITE

Block = str | tuple[str, str] | tuple[str, str, str | None] | tuple[str, str, str | None, dict]
Run = Callable[..., Outcome]


def make(root: Path, *blocks: Block, indent: str = "    ", name: str = "page.rst") -> Program:
    """Write a page of indented blocks, and return it as a program.

    A block is its code, or (kind, code), (kind, code, output) or (kind, code, output, flags).
    """
    lines, pieces = ["Page", "===="], []

    def put(text: str) -> int:
        lines.extend(["", ".. block::", ""])
        first = len(lines) + 1
        lines.extend(f"{indent}{line}" if line else "" for line in text.split("\n"))
        return first

    for at, block in enumerate(blocks):
        kind, source, output, flags = (
            *(("code", block) if isinstance(block, str) else block),
            None,
            {},
        )[:4]
        line = put(source)
        output_line = put(output) if output else 0
        pieces.append(
            Piece(kind, source, name, line, f"Side {at}", output, output_line, flags or {})
        )
    (root / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Program("page", "group", tuple(pieces))


def line_of(program: Program, root: Path, text: str) -> int:
    """Return the line of the page that holds a text."""
    page = (root / program.pieces[0].file).read_text(encoding="utf-8").split("\n")
    (line,) = (at for at, one in enumerate(page, 1) if text in one)
    return line


@pytest.fixture(scope="module")
def shared() -> Iterator[dict[bool, Runner]]:
    """One runner that measures and one that does not, for all tests with the same root."""
    with Runner(root=Path("/")) as plain, Runner(root=Path("/"), measure=True) as measuring:
        yield {False: plain, True: measuring}


@pytest.fixture
def run(shared: dict[bool, Runner], tmp_path: Path) -> Run:
    """Return a function that writes blocks to a page and runs them."""

    def go(
        *blocks: Block, timeout: float | None = 20, measure: bool = False, **keywords
    ) -> Outcome:
        name = str(tmp_path.relative_to("/") / "page.rst")
        program = make(Path("/"), *blocks, name=name, **keywords)
        outcome = shared[measure].run(program, timeout)
        # After whatever happened, the next program runs as if nothing had.
        assert shared[measure].run(Program("next", "next", (Piece("code", "1", "x", 1),))).passed
        return outcome

    return go


def only(outcome: Outcome) -> Failure:
    """Return the one failure there is."""
    assert not outcome.passed
    (failure,) = outcome.failures
    return failure


# --- Data ---


def test_data_survives_json() -> None:
    piece = Piece("code", "1", "a.rst", 3, "T", "1", 5, {"ELLIPSIS": True})
    program = Program("a", "T", (piece,), "old", ("SKIP",))
    assert Program.from_json(json.loads(json.dumps(program.to_json()))) == program
    failure = Failure("signal", "m", "a.rst", 3, "T", 0, "t", "e", "g")
    outcome = Outcome(False, (failure,), 0.5, "out", {"a.rst": [1]}, {"jax": "1"}, "3.13.0")
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


# --- Verdicts ---

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
    "exception after output": (("code", "print(1); 1 / 0", TRACEBACK + "ZeroDivisionError: x"),),
    "expected exit": (("code", "raise SystemExit(3)", TRACEBACK + "SystemExit: 3"),),
    "exit": ("raise SystemExit(0)", "x = 1"),
    "syntax error": ("x = = 1",),
    "expected syntax error": (("code", "x = = 1", TRACEBACK + "SyntaxError: invalid syntax"),),
    "one namespace": ("x = 1", ("code", "print(x)", "1")),
    "code after a failure runs": ("1 / 0", "x = 1", ("code", "print(x)", "1")),
    "set-up first": (("code", "print(x)", "1"), ("setup", "x = 1")),
    "failed set-up": (("setup", "1 / 0"), "x = 1"),
    "set-up that prints": (("setup", "print(1)"), "x = 1"),
    "clean-up last": (("cleanup", "del x"), ("code", "x = 1")),
    "failed clean-up": ("x = 1", ("cleanup", "1 / 0")),
    "session": (("doctest", ">>> x = 1\n>>> x\n1\n\n>>> for i in 'ab':\n...     i\n'a'\n'b'"),),
    "failed session": (("doctest", ">>> 1\n2\n>>> 3\n3"),),
    "session with a blank line": (("doctest", ">>> print('a\\n\\nb')\na\n<BLANKLINE>\nb"),),
    "session with a traceback": (("doctest", f">>> 1 / 0\n{TRACEBACK}ZeroDivisionError: x"),),
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
    assert failure.message == "this line has no prompt, and is no output of a line above it"
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
                "<class '__main__.A'> ['page']",
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


# --- Places ---


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
    failure = only(run(("doctest", ">>> 1\n1\n>>> for x in 'ab':\n...     x\n'a'")))
    assert (failure.line, failure.expected, failure.got) == (8, "'a'\n", "'a'\n'b'\n")
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
        "    é > x = 1 + json.loads(  'é' + '{')\n"
        "                ^^^^^^^^^^^^^^^^^^^^^^^\n"
    )
    assert "/json/__init__.py" in library
    assert "doctest.py" not in failure.traceback
    assert "codediff/run.py" not in failure.traceback


def test_traceback_hides_frames_of_every_exception(run: Run) -> None:
    outcome = run(
        "try:\n    1 / 0\nexcept Exception as e:\n    kept = e\n    raise",
        "raise ExceptionGroup('g', [kept]) from kept",
    )
    told = outcome.failures[1].traceback
    assert told.count("1 / 0") == 2
    assert "doctest.py" not in told
    assert "codediff/run.py" not in told


def test_syntax_error_shows_the_page(run: Run) -> None:
    failure = only(run(("doctest", ">>> x = = 1")))
    assert failure.message == "SyntaxError: invalid syntax"
    assert failure.traceback.split("\n")[1:3] == ["    >>> x = = 1", "            ^"]


def test_debugger_stops_on_the_line_of_the_page(run: Run, tmp_path: Path) -> None:
    source = (
        "import io, pdb\n\n\ndef f(x):\n    y = x\n    return y\n\n\n"
        "told = io.StringIO()\n"
        "debugger = pdb.Pdb(stdin=io.StringIO('n\\nn\\nc\\n'), stdout=told)\n"
        "debugger.runcall(f, 1)\nprint(told.getvalue())"
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


def test_source_of_a_page_can_be_inspected(run: Run) -> None:
    assert run(
        "import inspect\ndef f():\n    return 1\n\nassert 'return 1' in inspect.getsource(f)"
    ).passed


# --- Measured lines ---

STATEMENTS = '''\
"""A docstring."""
from __future__ import annotations
import os
@property
@staticmethod
def f(
    x,
):
    """Another."""
    global y
    ...
    if x:
        pass
    elif y:  # pragma: no cover
        y = 2
    else:
        y = 3
    try:
        z = [
            1,
        ]
    except ValueError:  # pragma: no cover
        z = 4
    except TypeError:
        z = 5
    else:  # pragma: no cover
        z = 6
    finally:
        z = 7
    match z:
        case 1:  # pragma: no cover
            z = 8
        case _:
            z = "# not a pragma"; z = 9

    def g():
        nonlocal z
        return 1
    return g

class A:  # pragma: no cover
    def f(self):
        return 1

if not y:  # pragma: no cover
    y = 1
else:
    y = 2
for x in y:
    break
else: y = 3
with a, \\
    b:  # pragma: no cover
    y = 4
match y:  # pragma: no cover
    case 1:
        y = 5
y = (  # pragma: no cover
    1
)
while y: y = 0
'''
COUNTED = {3, 4, 12, 13, 17, 18, 19, 25, 29, 30, 34, 36, 38, 39, 48, 49, 50, 51, 61}


def test_statements() -> None:
    source = STATEMENTS.rstrip()
    marked = [at for at, line in enumerate(source.split("\n")) if "# pragma" in line]
    piece = Piece("code", source, "page.rst", 101, no_cover=tuple(marked))
    counted, excluded = statements(piece)
    assert counted == {line + 100 for line in COUNTED}
    assert {101 + at for at in marked if "if not y" in source.split("\n")[at]} <= excluded
    assert counted | excluded == statements(replace(piece, no_cover=()))[0]
    session = ">>> x = 1\n>>> if x:\n...     x = (2 +\n...       3)\n... else:\n...     4\n>>> x\n5"
    assert statements(Piece("doctest", session, "page.rst", 11)) == ({11, 12, 13, 17}, set())
    assert statements(Piece("code", "x = = 1", "page.rst", 1)) == (set(), set())
    assert statements(Piece("doctest", ">>>1", "page.rst", 1)) == (set(), set())


def test_what_runs_is_measured(run: Run, tmp_path: Path) -> None:
    source = (
        "def f(x):\n    'Docstring.'\n    if x:\n        return 1\n    return 2\n\n"
        "class A:\n    'Docstring.'\n    y: int = 1\n\n"
        "assert f.__doc__ == A.__doc__ == 'Docstring.'\nf(1)"
    )
    outcome = run(
        ("setup", "z = 1"), source, ("doctest", ">>> f(1)\n1\n>>> if 0:\n...     3"), measure=True
    )
    assert outcome.passed
    (lines,) = outcome.lines.values()
    assert lines == [6, 10, 12, 13, 16, 18, 20, 21, 25, 27]
    assert run("z = 1").lines == {}


def test_all_that_can_run_is_all_that_runs(
    run: Run, shared: dict[bool, Runner], tmp_path: Path
) -> None:
    source = '''\
"""Docstring."""
import functools, enum

@functools.cache
def f(x):
    global y
    y = x
    def g():
        nonlocal x
        x = 1
        async def h():
            yield 1
        return h
    return g().__name__

class A(enum.Enum):
    B = 1
    C = enum.auto()

    def __str__(self): return self.name

for __x in A:
    try:
        if __x is A.B: raise ValueError
        str(__x), f(__x)
    except ValueError:
        pass
    finally:
        del __x
with open("/dev/null") as file: file.read()
match 3:
    case int(): z = 3
'''
    program = make(tmp_path, source.rstrip(), name=str(tmp_path / "page.rst"))
    outcome = shared[True].run(program)
    assert outcome.passed, outcome
    async_body = line_of(program, tmp_path, "yield 1")
    ran = set(outcome.lines[program.pieces[0].file]) | {async_body}
    assert ran >= statements(program.pieces[0])[0]
    only_decorated = {line for line in ran if line - 1 in ran}
    assert ran - statements(program.pieces[0])[0] <= only_decorated


# --- Isolation ---

LEAKS = {
    "environment": (
        "import os\nos.environ['LEAK'] = '1'",
        "import os\nassert 'LEAK' not in os.environ",
    ),
    "directory": ("import os\nos.chdir('/')", "import os\nassert os.getcwd() != '/'"),
    "modules": (
        "import sys\nsys.modules['json'] = None",
        "import sys\nassert sys.modules.get('json', 1)",
    ),
    "attributes": ("import math\nmath.pi = 3", "import math\nassert math.pi > 3"),
    "random state": (
        "import random\nrandom.seed(1)\nrandom.random()",
        "import random\nassert random.random() != 0.8474337369372327",
    ),
    "arguments": (
        "import sys\nsys.argv.append(1)\nsys.path.clear()",
        "import sys\nassert len(sys.argv) == 1\nassert sys.path",
    ),
    "builtins": ("import builtins\nbuiltins.print = None", ("code", "print(1)", "1")),
    "names": ("leak = 1", "assert 'leak' not in globals()"),
}
if HAS_SITE:
    LEAKS |= {
        "configuration of jax": (
            "import jax\njax.config.update('jax_enable_x64', True)\njax.numpy.ones(3)",
            "import jax\nassert jax.numpy.ones(3).dtype == 'float32'",
        ),
        "open figures": (
            "import matplotlib.pyplot as plt\nplt.figure()",
            "import matplotlib.pyplot as plt\nassert plt.get_fignums() == []",
        ),
        "random state of numpy": (
            "import numpy\nnumpy.random.seed(1)",
            "import numpy\nassert round(numpy.random.rand(), 6) != 0.417022",
        ),
    }


@pytest.mark.parametrize("name", LEAKS)
def test_nothing_reaches_another_program(run: Run, name: str) -> None:
    leaking, checking = LEAKS[name]
    for block in (checking, leaking, checking):
        outcome = run(block)
        assert outcome.passed, outcome


def test_the_order_of_imports_is_that_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text("import sys\nFIRST = 'second' not in sys.modules\n")
    (tmp_path / "second.py").write_text("")
    programs = [
        make(tmp_path, "import first, second\nassert first.FIRST", name="a.rst"),
        make(tmp_path, "import second, first\nassert not first.FIRST", name="b.rst"),
    ]
    with Runner(root=tmp_path, path=[str(tmp_path)]) as runner:
        for program in [*programs, *reversed(programs)]:
            assert runner.run(program).failures == ()


@pytest.mark.parametrize("seed", range(3))
def test_what_leaks_does_not_matter_in_any_order(tmp_path: Path, seed: int) -> None:
    blocks = [block for pair in LEAKS.values() for block in pair]
    programs = [make(tmp_path, block, name=f"{at}.rst") for at, block in enumerate(blocks)]
    random.Random(seed).shuffle(programs)
    with Runner(root=tmp_path) as runner:
        failed = [program for program in programs if not runner.run(program).passed]
    assert failed == []


def test_working_directory_is_the_callers(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("import os", ("code", "print(os.getcwd())", str(Path.cwd()))).passed
    monkeypatch.chdir(tmp_path)
    assert run("import os", ("code", "print(os.getcwd())", str(tmp_path))).passed


def test_standard_input_is_empty_and_signals_are_as_new(run: Run) -> None:
    assert run(
        "import sys\nassert sys.stdin.read() == ''\n",
        "import signal\nassert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL\n"
        "assert signal.set_wakeup_fd(-1) == -1",
        "import os\nassert os.getpgrp() == os.getpid()\n"
        "assert os.getpgid(os.getppid()) == os.getppid()\n"
        "assert open('/proc/self/oom_score_adj').read() == '1000\\n'",
    ).passed


def test_path_comes_first(tmp_path: Path) -> None:
    (tmp_path / "wave.py").write_text("mine = 1")
    program = make(tmp_path, "import wave\nwave.mine")
    with Runner(root=tmp_path, path=[str(tmp_path)]) as runner:
        assert runner.run(program).failures == ()


def test_versions_of_what_is_imported(run: Run) -> None:
    import sphinx

    outcome = run(
        "import os, sphinx.util as u", ("doctest", ">>> from yaml import load\n>>> import nowhere")
    )
    assert (
        outcome.versions["Sphinx" if "Sphinx" in outcome.versions else "sphinx"]
        == sphinx.__version__
    )
    assert {name.lower() for name in outcome.versions} == {"sphinx", "pyyaml"}
    assert outcome.python == ".".join(map(str, sys.version_info[:3]))


# --- What is imported once ---


@pytest.fixture
def counted(tmp_path: Path) -> Path:
    """Return a folder with modules that write a line to `count` when they are imported."""
    for name, text in {
        "heavy": "",
        "loud": "print('loud')",
        "threaded": "from threading import *\nThread(target=Event().wait, daemon=True).start()",
        "deadly": "import os\nos.kill(os.getpid(), 9)",
        "endless": "import time\nwhile True: time.sleep(1)",
        "broken": "1 / 0",
    }.items():
        path = tmp_path / "count"
        (tmp_path / f"{name}.py").write_text(f"open({str(path)!r}, 'a').write('{name} ')\n{text}\n")
    return tmp_path


def test_leading_imports_are_executed_once(counted: Path) -> None:
    late = "import os\nos.environ['FLAG'] = '1'\nimport heavy"
    with Runner(root=counted, path=[str(counted)]) as runner:
        for source in ["'''Docstring.'''\nimport heavy as h\nh.x = 1"] * 2 + [
            "import heavy\nheavy.x"
        ]:
            program = make(counted, "1", ("setup", source))
            outcome = runner.run(program)
        assert only(outcome).message == "AttributeError: module 'heavy' has no attribute 'x'"
        assert (counted / "count").read_text() == "heavy "
        for _ in range(2):
            assert runner.run(make(counted, late)).passed
        assert (counted / "count").read_text() == "heavy " * 3
        skipped = ">>> import loud  # doctest: +SKIP\n>>> 1\n1"
        assert runner.run(make(counted, ("doctest", skipped))).passed
        assert (counted / "count").read_text() == "heavy " * 3


def test_output_of_an_import_is_the_programs(counted: Path) -> None:
    with Runner(root=counted, path=[str(counted)]) as runner:
        for _ in range(2):
            assert runner.run(make(counted, ("code", "import loud", "loud"))).passed


def test_threads_of_an_import_are_alive(counted: Path) -> None:
    source = "import threaded, threading\nprint(threading.active_count())"
    with Runner(root=counted, path=[str(counted)]) as runner:
        for _ in range(2):
            assert runner.run(make(counted, ("code", source, "2"))).passed


def test_an_import_that_fails_fails_in_the_program(counted: Path) -> None:
    with Runner(root=counted, path=[str(counted)]) as runner:
        failure = only(runner.run(make(counted, "import heavy\nimport broken")))
        assert (failure.line, failure.message) == (7, "ZeroDivisionError: division by zero")
        failure = only(runner.run(make(counted, "import heavy\nimport deadly")))
        assert (failure.line, failure.message) == (7, "was killed by SIGKILL at line 7")
        begin = time.monotonic()
        failure = only(runner.run(make(counted, "import heavy\nimport endless"), 0.4))
        assert (failure.line, failure.kind) == (7, "timeout")
        assert time.monotonic() - begin < 5
        assert runner.run(make(counted, "import heavy")).passed


def test_few_servers_are_kept(tmp_path: Path) -> None:
    def servers() -> int:
        command = ["pgrep", "-P", str(os.getpid()), "-f", "run.py --serve"]
        return len(subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout.split())

    def parent(runner: Runner, module: str) -> str:
        source = f"import {module}, os, sys\nprint(os.getppid(), file=sys.stderr)"
        outcome = runner.run(make(tmp_path, source))
        assert outcome.passed
        return outcome.stdout

    before = servers()
    with Runner(root=tmp_path) as runner:
        often = [parent(runner, module) for module in ("abc", "ast", "bz2", "abc", "csv", "abc")]
        assert len({often[0], often[3], often[5]}) == 1
        parent(runner, "dis")
        assert servers() == before + 3
        assert parent(runner, "bz2") not in often
    assert servers() == before


# --- Programs that misbehave ---


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("import os\nos._exit(0)", "exit", "exited with status 0 before its end at line 7"),
        ("import sys\nsys.exit(3)", "exit", "exited with status 3 before its end at line 7"),
        (
            "import ctypes\nctypes.CDLL(None).exit(4)",
            "exit",
            "exited with status 4 before its end in the code that begins at line 6",
        ),
        (
            "import os\nos.execv('/bin/true', ['true'])",
            "exit",
            "exited with status 0 before its end in the code that begins at line 6",
        ),
        ("import ctypes\nctypes.string_at(0)", "signal", "was killed by SIGSEGV at line 7"),
        ("import os\nos.abort()", "signal", "was killed by SIGABRT at line 7"),
        ("import os\nos.kill(os.getpid(), 9)", "signal", "was killed by SIGKILL at line 7"),
        (
            "import signal\nsignal.raise_signal(signal.SIGTERM)",
            "signal",
            "was killed by SIGTERM at line 7",
        ),
        (
            "import os, subprocess\nos.kill(os.getpid(), 0)\n"
            "subprocess.run(['kill', '-9', str(os.getpid())])",
            "signal",
            "was killed by SIGKILL in the code that begins at line 6",
        ),
        (
            "import threading, ctypes\ndef f():\n    ctypes.string_at(0)\n"
            "t = threading.Thread(target=f)\nt.start()\nt.join()",
            "signal",
            "was killed by SIGSEGV at line 8",
        ),
    ],
)
def test_sudden_end(run: Run, source: str, kind: str, message: str) -> None:
    outcome = run(source)
    failure = only(outcome)
    assert (failure.kind, failure.message, failure.title) == (kind, message, "Side 0")
    assert failure.line == (6 if "begins" in message else 8 if "8" in message else 7)


@pytest.mark.parametrize("end", ["ctypes.string_at(0)", "sum(range(10**15))"])
def test_another_thread_is_not_blamed(run: Run, end: str) -> None:
    waiting = "import ctypes, threading\ndef f():\n    threading.Event().wait()"
    start = "threading.Thread(target=f, daemon=True).start()\n" * 2
    assert only(run(waiting, start + end, timeout=0.4)).line == 14


def test_failures_before_a_sudden_end_are_kept(run: Run) -> None:
    outcome = run("1 / 0", "import os\nos._exit(1)")
    assert [failure.kind for failure in outcome.failures] == ["exception", "exit"]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x = 1\nwhile True: pass", 7),
        ("while True:\n    try:\n        while True: x = 1\n    except BaseException: x = 2", None),
        (
            "import contextlib, time\nwhile True:\n    with contextlib.suppress(BaseException):\n"
            "        time.sleep(9)",
            9,
        ),
        ("def f():\n    sum(range(10**15))\nf()", 7),
        ("import threading\nthreading.Lock().acquire() and threading.Event().wait()", 7),
        (
            "import signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ntime.sleep(99)",
            8,
        ),
        ("import time\ntry: time.sleep(9)\nexcept BaseException: pass", 7),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", 7),
        ("import atexit, time\nwhile True: time.sleep(9)", 7),
    ],
)
def test_time_limit(run: Run, source: str, line: int | None) -> None:
    begin = time.monotonic()
    failure = only(run(source, "never = 1", timeout=0.4, measure=line == 7))
    assert time.monotonic() - begin < 5
    assert failure.kind == "timeout"
    assert failure.message.startswith(f"did not end within 0.4 s; it was at line {failure.line}")
    assert line in {failure.line, None}


def test_time_limit_shows_where(run: Run, tmp_path: Path) -> None:
    failure = only(run("def f():\n    while True: pass", "f()", timeout=0.4))
    assert (failure.line, failure.piece, failure.title) == (7, 1, "Side 0")
    assert failure.traceback == (
        "Traceback (most recent call last):\n"
        f'  File "{tmp_path}/page.rst", line 11, in <module>\n    f()\n'
        f'  File "{tmp_path}/page.rst", line 7, in f\n    while True: pass\n'
    )


@pytest.mark.parametrize("swallow", ["", "except BaseException: pass"])
def test_nothing_runs_after_the_time_limit(run: Run, tmp_path: Path, swallow: str) -> None:
    mark = tmp_path / "mark"
    endless = f"import time\ntry: time.sleep(9)\n{swallow or 'finally: pass'}"
    only(run(endless, f"open({str(mark)!r}, 'w')", timeout=0.4))
    assert not mark.exists()


LESS_MEMORY = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 28, -1))\n"


@pytest.mark.parametrize(
    "source",
    [
        "x = bytearray(1 << 40)",
        f"{LESS_MEMORY}x = bytearray(1 << 29)",
        f"{LESS_MEMORY}x = []\nwhile True: x.append(bytes(999))",
    ],
)
def test_exhausted_memory(run: Run, source: str) -> None:
    failure = only(run(source))
    assert (failure.kind, failure.message) == ("exception", "MemoryError")
    assert failure.line == 6 + source.count("\n")


def test_closed_files_do_not_matter(run: Run) -> None:
    assert run("import os\nos.closerange(0, 256)").passed
    assert only(run("import os\nos.closerange(0, 256)\n1 / 0")).line == 8


def test_closed_output_does_not_keep_the_server_busy(run: Run) -> None:
    def ticks(pid: int) -> int:
        return sum(
            map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])
        )

    source = "import os, sys, time\nprint(os.getppid(), file=sys.stderr)\n"
    server = int(run(source).stdout)
    before = ticks(server)
    assert run(source + "os.closerange(0, 256)\ntime.sleep(0.5)").passed
    assert ticks(server) - before < 0.3 * os.sysconf("SC_CLK_TCK")


def test_floods(run: Run) -> None:
    outcome = run(
        "import os\nfor _ in range(100):\n    os.write(1, b'\\xff' * (1 << 20))\n"
        "os.write(2, b'end')"
    )
    assert outcome.passed
    assert len(outcome.stdout) < 200_000
    assert outcome.stdout.startswith("\ufffd")
    assert outcome.stdout.endswith("end")
    assert "bytes left out" in outcome.stdout
    failure = only(run("print('x' * 100_000_000)"))
    assert failure.line == 6
    assert len(failure.got) < 70_000


def test_output_that_no_encoding_can_write(run: Run) -> None:
    failure = only(run("print('\\ud800')\nraise ValueError('\\ud800')"))
    failure.message.encode()
    assert "\\ud800" in failure.message


def test_deep_recursion(run: Run) -> None:
    failure = only(run("def f(x):\n    return g(x)\n\ndef g(x):\n    return f(x)\n\nf(1)"))
    assert failure.message.startswith("RecursionError")
    assert failure.line in {7, 10}


def test_a_fork_does_not_report(run: Run) -> None:
    source = "import os\nif os.fork() == 0:\n    {}\nos.wait()"
    for last in ("1 / 0", "os._exit(3)", "pass"):
        assert run(source.format(last)).passed or last == "1 / 0"
    outcome = run("import os\npid = os.fork()", "1 / 0")
    assert len(outcome.failures) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess\nsubprocess.Popen(['sleep', '60'])",
        "import os, time\nif os.fork() == 0:\n    time.sleep(60)",
        "import threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()",
        "from threading import *\nThread(target=Event().wait, daemon=True).start()",
        "import subprocess\nsubprocess.Popen(['sleep', '20'], start_new_session=True)",
        "import atexit, time\natexit.register(time.sleep, 60)",
    ],
)
def test_what_is_left_behind_does_not_hold_up(run: Run, source: str) -> None:
    begin = time.monotonic()
    assert run(source).passed
    assert time.monotonic() - begin < 10


def test_left_processes_are_killed(run: Run) -> None:
    outcome = run(
        "import subprocess, sys\nchild = subprocess.Popen(['sleep', '60'])\n"
        "print(child.pid, file=sys.stderr)"
    )
    state, deadline = Path(f"/proc/{outcome.stdout.strip()}/stat"), time.monotonic() + 5
    # It is gone, or dead and waits for process 1 to notice.
    while state.exists() and " Z " not in state.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert time.monotonic() < deadline


def test_exit_functions_run(run: Run, tmp_path: Path) -> None:
    left = tmp_path / "left"
    assert run(f"import atexit, pathlib\natexit.register(pathlib.Path({str(left)!r}).touch)").passed
    assert left.exists()


def test_a_killed_server_fails_one_program(run: Run) -> None:
    failure = only(run("import os\nos.kill(os.getppid(), 9)\nwhile True: pass"))
    assert failure.kind == "signal"


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    # The caller's time-out, such as pytest-timeout's, comes as an exception in the middle of it.
    def stop(*_: object) -> None:
        raise TimeoutError

    told = tmp_path / "pid"
    endless = f"import os\nopen({str(told)!r}, 'w').write(str(os.getpid()))\nwhile True: pass"
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with Runner(root=tmp_path) as runner:
            with pytest.raises(TimeoutError):
                runner.run(make(tmp_path, endless))
            assert not Path("/proc", told.read_text()).exists()
            assert runner.run(make(tmp_path, "1")).passed
    finally:
        signal.signal(signal.SIGALRM, before)


def test_interpreter_that_cannot_run_programs(tmp_path: Path) -> None:
    with (
        Runner("/bin/false", root=tmp_path) as runner,
        pytest.raises(RuntimeError, match="/bin/false"),
    ):
        runner.run(Program("p", "g", ()))
    with (
        Runner("/nowhere/python", root=tmp_path) as runner,
        pytest.raises(OSError, match="nowhere"),
    ):
        runner.run(Program("p", "g", ()))


def test_without_fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with Runner(root=tmp_path, path=[str(tmp_path)], measure=True) as runner:
        program = make(tmp_path, ("code", "print(1)", "1"))
        assert runner.run(program, 20).lines == {"page.rst": [6]}
        assert runner.run(program, 20).passed
        assert only(runner.run(make(tmp_path, "x = 1\n1 / 0"))).line == 7
        assert only(runner.run(make(tmp_path, "import os\nos._exit(0)"))).line == 7
        assert only(runner.run(make(tmp_path, "while True: pass"), 3)).line == 6
        swallow = "import time\nwhile True:\n    try: time.sleep(9)\n    except BaseException: pass"
        assert only(runner.run(make(tmp_path, swallow), 3)).line == 8


def test_file_needs_the_standard_library_alone() -> None:
    # -I and -S: neither this folder nor an installed package can be imported.
    code = f"import runpy; runpy.run_path({run_module.__file__!r})"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def test_memory_stays_flat(tmp_path: Path) -> None:
    program = make(tmp_path, ("code", "print(1)", "1"))
    with Runner(root=tmp_path) as runner:
        sizes = []
        for _ in range(3):
            for _ in range(60):
                assert runner.run(program).passed
            (connection,) = runner._connections.values()
            status = Path(f"/proc/{connection.process.pid}/status").read_text()
            sizes.append(int(status.split("VmRSS:")[1].split()[0]))
            fds = len(list(Path(f"/proc/{connection.process.pid}/fd").iterdir()))
    assert sizes[2] - sizes[0] < 400
    assert fds < 12


def test_jax_is_imported_once_and_forked_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("flax")
    imports = "import jax, flax\nimport os, sys\nprint(os.getppid(), file=sys.stderr)\n"
    use = imports + "print(jax.numpy.ones(1).dtype)"
    change = imports + "jax.config.update('jax_enable_x64', True)\nprint(jax.numpy.ones(1).dtype)"
    with Runner(root=tmp_path) as runner:
        outcomes = [
            runner.run(make(tmp_path, ("code", source, output)), 60)
            for source, output in ((use, "float32"), (change, "float64"), (use, "float32"))
        ]
        (connection,) = runner._connections.values()
    assert [outcome.passed for outcome in outcomes] == [True] * 3
    # Nothing but the parent's number, which is that of the server with jax: no warning.
    assert [outcome.stdout for outcome in outcomes] == [f"{connection.process.pid}\n"] * 3
    assert set(outcomes[0].versions) == {"jax", "flax"}
    assert not runner._unshared
