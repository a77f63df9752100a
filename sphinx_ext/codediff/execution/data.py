"""What crosses to the process that executes a program, and what comes back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Location = tuple[str, int]
"""A file, spelled as in its piece, and a line of it, counted from 1."""


@dataclass(frozen=True)
class _Record:
    def to_json(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the object that `to_json` was called on.

        Raises:
            TypeError: If a key is missing or unknown.
        """
        return cls(**data)


@dataclass(frozen=True)
class Piece(_Record):
    """One block of code on a page.

    Attributes:
        kind: What the block is for; a "doctest" is a ``>>>`` session, the others are plain code.
        source: The code as shown, without a final newline.
        file: The file it is written in, absolute or relative to the root given to `Runner`.
        line: Line of that file, counted from 1, that holds the first line of `source`.
        title: Title of the codediff side that the block is, or "".
        output: What "code" must print, as in a ``testoutput``; None and "" are nothing at all.
        output_line: Line where that output begins, 0 if there is none.
        output_file: File of that line; "" is `file`.
        flags: doctest's option flags by name, of the output or of the session.
        no_cover: Indices of the lines of `source` marked ``# pragma: no cover`` by the author.
        lines: Line of the file for each line of `source`, if they do not follow each other.
    """

    kind: Literal["setup", "code", "doctest", "cleanup"]
    source: str
    file: str
    line: int
    title: str = ""
    output: str | None = None
    output_line: int = 0
    output_file: str = ""
    flags: dict[str, bool] = field(default_factory=dict)
    no_cover: tuple[int, ...] = ()
    lines: tuple[int, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the piece that `to_json` was called on."""
        numbers = {name: tuple(data.get(name, ())) for name in ("no_cover", "lines")}
        return cls(**{**data, **numbers})

    @property
    def line_numbers(self) -> Sequence[int]:
        """Line of `file` for each line of `source`."""
        return self.lines or range(self.line, self.line + self.source.count("\n") + 1)


@dataclass(frozen=True)
class Program(_Record):
    """All the code of one group on one page.

    Attributes:
        page: Path of the page, absolute or relative to the root; the program's ``__file__``.
        group: Name of the doctest group.
        pieces: The code, in the order of the page.
        environment: Name of the environment it needs; the caller chooses the interpreter.
        flags: Names of doctest's option flags that hold unless a piece says otherwise.
    """

    page: str
    group: str
    pieces: tuple[Piece, ...]
    environment: str = ""
    flags: tuple[str, ...] = ("ELLIPSIS", "IGNORE_EXCEPTION_DETAIL", "DONT_ACCEPT_TRUE_FOR_1")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the program that `to_json` was called on."""
        pieces = tuple(map(Piece.from_json, data["pieces"]))
        return cls(**{**data, "pieces": pieces, "flags": tuple(data["flags"])})


@dataclass(frozen=True)
class Failure(_Record):
    """One thing that went wrong.

    Attributes:
        kind: "output" is wrong output; "exit" and "signal" are an early end of the process.
        message: One sentence, or the exception's type and message.
        file: File of the line that failed, spelled as in its piece.
        line: Line of that file, counted from 1.
        title: Title of the piece that holds this line.
        piece: Index of the piece that was running, which may be another one.
        traceback: Frames of the pages and of libraries, without those of this package.
        expected: Output that the page shows.
        got: Output or exception that came instead.
        example: Index of the example in that piece, if its output is wrong.
    """

    kind: Literal["exception", "output", "exit", "signal", "timeout", "syntax"]
    message: str
    file: str
    line: int
    title: str
    piece: int
    traceback: str = ""
    expected: str = ""
    got: str = ""
    example: int = 0


@dataclass(frozen=True)
class Outcome(_Record):
    """The result of running a program.

    Attributes:
        passed: Whether it ran to its end and nothing failed.
        failures: What went wrong, in order.
        seconds: Wall time of its process.
        stdout: What was written to file descriptors 1 and 2, past Python's ``sys.stdout``.
        lines: Lines that ran, by file, if they were to be measured and the end was reached.
        versions: Versions of the distributions that the program itself imports, by name.
        python: Version of the interpreter, such as "3.13.0".
    """

    passed: bool
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    stdout: str = ""
    lines: dict[str, list[int]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    python: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the outcome that `to_json` was called on."""
        return cls(**{**data, "failures": tuple(map(Failure.from_json, data["failures"]))})


def make_failure(
    program: Program, index: int, kind: Any, message: str, location: Location | None, **others: Any
) -> Failure:
    """Return a failure with the title of the piece that holds its line.

    Args:
        program: The program that failed.
        index: Index of the piece that was running.
        kind: As in `Failure`.
        message: As in `Failure`.
        location: Where it failed; None is the first line of the running piece.
        others: The other attributes of `Failure`.
    """
    if not program.pieces:
        return Failure(kind, message, program.page, 1, "", 0, **others)
    running = program.pieces[index]
    file, line = location or (running.file, running.line)
    candidates = (running, *program.pieces)
    holder = next(
        (one for one in candidates if one.file == file and line in one.line_numbers), running
    )
    return Failure(kind, message, file, line, holder.title, index, **others)
