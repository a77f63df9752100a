"""What crosses to the process that executes a program, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

Location = tuple[str, int]
"""A file, spelled as in its piece, and a line of it, counted from 1."""


@dataclass(frozen=True)
class Piece:
    """One block of code on a page."""

    kind: Literal["setup", "code", "doctest", "cleanup"]  # "doctest" is a ``>>>`` session
    source: str  # the code as shown, without a final newline
    file: str  # the file it is written in, absolute or relative to the runner's root
    line: int  # line of that file, counted from 1, that holds the first line of the code
    title: str = ""  # of the side that the block is
    output: str | None = None  # what "code" must print; None and "" are nothing at all
    output_line: int = 0  # where that output begins, 0 if there is none
    output_file: str = ""  # file of that line; "" is the file of the code
    flags: Mapping[str, bool] = field(default_factory=dict)  # doctest's option flags by name
    no_cover: Sequence[int] = ()  # indices of the lines marked ``# pragma: no cover``
    lines: Sequence[int] = ()  # line of the file for each line of code, if some are left out

    @property
    def line_numbers(self) -> Sequence[int]:
        """Line of the file for each line of the code."""
        return self.lines or range(self.line, self.line + self.source.count("\n") + 1)


@dataclass(frozen=True)
class Program:
    """All the code of one group on one page: set-up, code and sessions, clean-up."""

    page: str  # its path, absolute or relative to the runner's root; the program's ``__file__``
    group: str  # name of the doctest group
    pieces: Sequence[Piece]
    environment: str = ""  # name of the environment it needs; the caller chooses the interpreter
    # Names of doctest's option flags that hold unless a piece says otherwise.
    flags: Sequence[str] = ("ELLIPSIS", "IGNORE_EXCEPTION_DETAIL", "DONT_ACCEPT_TRUE_FOR_1")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the program that `dataclasses.asdict` was called on, or raise a TypeError."""
        return cls(**{**data, "pieces": [Piece(**piece) for piece in data["pieces"]]})


@dataclass(frozen=True)
class Failure:
    """One thing that went wrong."""

    # "output" is wrong output; "exit" and "signal" are an early end of the process.
    kind: Literal["exception", "output", "exit", "signal", "timeout", "syntax"]
    message: str  # one sentence, or the exception's type and message
    file: str  # the file of the line that failed, spelled as in its piece
    line: int  # counted from 1
    title: str  # of the piece that holds this line
    piece: int  # index of the piece that was running, which may be another one
    traceback: str = ""  # frames of the pages and of libraries, without those of this package
    expected: str = ""  # output that the page shows
    got: str = ""  # output or exception that came instead
    example: int = 0  # index of the example in that piece, if its output is wrong


@dataclass(frozen=True)
class Outcome:
    """The result of running a program."""

    passed: bool  # whether it ran to its end and nothing failed
    failures: Sequence[Failure] = ()  # in the order of time
    stdout: str = ""  # what was written to file descriptors 1 and 2, past ``sys.stdout``
    lines: Mapping[str, Sequence[int]] = field(default_factory=dict)  # that ran, by file, if asked
    # Versions of the distributions that the program itself imports, by name.
    versions: Mapping[str, str] = field(default_factory=dict)
    python: str = ""  # version of the interpreter, such as "3.13.0"


def make_failure(
    program: Program, index: int, kind: Any, message: str, location: Location | None, **others: Any
) -> Failure:
    """Return a failure with the title of the piece that holds its line.

    A location of None is the first line of the piece that was running, whose index is *index*.
    """
    running = program.pieces[index]
    file, line = location or (running.file, running.line)
    pieces = (running, *program.pieces)
    holding = (one for one in pieces if one.file == file and line in one.line_numbers)
    piece = next(holding, running)
    return Failure(kind, message, file, line, piece.title, index, **others)
