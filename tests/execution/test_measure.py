"""Which lines have to run, and which did."""

from dataclasses import replace
from pathlib import Path

from codediff.execution.data import Outcome, Piece, Program
from codediff.execution.measure import Lines
from codediff.execution.runner import Runner

from .programs import line_of, make

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
COUNTED = {2, 3, 4, 12, 13, 17, 18, 19, 24, 25, 29, 30, 33, 34, 36, 38, 39, 48, 49, 50, 51, 61}


def test_lines_that_have_to_run() -> None:
    source = STATEMENTS.rstrip()
    marked = [at for at, line in enumerate(source.split("\n")) if "# pragma" in line]
    piece = Piece("code", source, "page.rst", 101, no_cover=marked)
    lines = Lines(piece)
    assert lines.statements == {line + 100 for line in COUNTED}
    assert {101 + at for at in marked if "if not y" in source.split("\n")[at]} <= lines.excluded
    assert lines.statements | lines.excluded == Lines(replace(piece, no_cover=())).statements
    session = ">>> x = 1\n>>> if x:\n...     x = (2 +\n...       3)\n... else:\n...     4\n>>> x\n5"
    assert Lines(Piece("doctest", session, "page.rst", 11)).statements == {11, 12, 13, 17}
    assert Lines(Piece("code", "x = = 1", "page.rst", 1)).statements == set()
    assert Lines(Piece("doctest", ">>>1", "page.rst", 1)).statements == set()


def missing(program: Program, outcome: Outcome) -> set[int]:
    """Return the statements that have to run and did not."""
    found = set()
    for lines in map(Lines, program.pieces):
        ran = {lines.first.get(line) for line in outcome.lines[program.pieces[0].file]}
        found |= lines.statements - ran
    return found


def test_what_runs_is_measured(shared: dict[bool, Runner], tmp_path: Path) -> None:
    source = (
        "def f(x):\n    'Docstring.'\n    if x:\n        return 1\n    return 2\n\n"
        "class A:\n    'Docstring.'\n    y: int = 1\n\n"
        "assert f.__doc__ == A.__doc__ == 'Docstring.'\nf(\n  1)"
    )
    session = ("doctest", ">>> f(1)\n1\n>>> if not f(1):\n...     f(3)")
    program = make(tmp_path, ("setup", "z = 1"), source, session, name=str(tmp_path / "page.rst"))
    outcome = shared[True].run(program)
    assert outcome.passed
    assert missing(program, outcome) == {
        line_of(program, tmp_path, "return 2"),
        line_of(program, tmp_path, "f(3)"),
    }
    assert shared[False].run(program).lines == {}


def test_all_that_can_run_is_counted(shared: dict[bool, Runner], tmp_path: Path) -> None:
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
    assert missing(program, outcome) == {line_of(program, tmp_path, "yield 1")}
