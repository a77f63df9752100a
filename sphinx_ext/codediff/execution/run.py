"""Run programs, each in a process of its own, and say exactly where they fail.

A program is all the code of one group on one page. It is data, and nothing but the standard
library is needed to run it: no Sphinx, no pytest, none of this package. For that reason any
interpreter, also one of another virtual environment, can start this very file as a script:

    Runner.run ── JSON ──▶ server, which has imported what the program imports ── fork ──▶ child

The server (``python run.py --serve``) pays for heavy imports once, forks a child a program,
watches it, and tells what became of it. The child leaves what it has to say in shared memory,
so that nothing is lost when it is killed, closes its files or leaves processes behind.
"""

from __future__ import annotations

import ast
import atexit
import bdb
import builtins
import contextlib
import doctest
import faulthandler
import functools
import gc
import io
import json
import linecache
import mmap
import os
import pdb
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import types
import warnings
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    Place = tuple[str, int]
    Report = Callable[[dict[str, Any]], None]

GRACE = 0.5
"""Seconds that a program has after its time limit, before it is killed."""
SERVERS = 3
"""Servers that a `Runner` keeps."""
LIMIT = 1 << 16
"""Characters of one text, such as an output, that are reported; the middle of a longer one goes."""
HIDDEN = {sys._getframe().f_code.co_filename, doctest.__file__}
"""Files whose frames no traceback shows."""
BOARD = 1 << 26
"""Bytes of address space for what a child reports; only those written to take up memory."""
RESERVE = 1 << 23
"""Bytes of address space set aside, so that a program out of memory can still be reported."""
_dumps, _getpid = json.dumps, os.getpid  # which programs may replace
_BLANK = re.compile(r"\s*(?:(?:>>>|\.\.\.)(?: |$))?\s*(?:#|$)")

# --- Data ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Record:
    def to_json(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return what `to_json` was called on; a TypeError says which key is missing or unknown."""
        return cls(**data)


@dataclass(frozen=True)
class Piece(_Record):
    """One block of code on a page.

    Attributes:
        kind: what it is for; a "doctest" is a ``>>>`` session, the others are plain code.
        source: the code as shown, without a final newline.
        file: the file it is written in, absolute or relative to the root given to `Runner`.
        line: line of that file, counted from 1, that holds the first line of `source`.
        title: title of the codediff side that it is, or "".
        output: what "code" must print, as in a ``testoutput``; None and "" are nothing at all.
        output_line: line where that output begins, 0 if there is none.
        output_file: file of that line; "" is `file`.
        flags: doctest's option flags by name, of the output or of the session.
        no_cover: indices of the lines of `source` marked ``# pragma: no cover`` by the author.
        lines: line of the file for each line of `source`, if they do not follow each other.
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
        """Return what `to_json` was called on."""
        places = {name: tuple(data.get(name, ())) for name in ("no_cover", "lines")}
        return cls(**{**data, **places})

    @property
    def unmeasured(self) -> set[int]:
        """Lines of `file` that need not run."""
        return {self.places[at] for at in self.no_cover}

    @property
    def places(self) -> Sequence[int]:
        """Line of `file` for each line of `source`."""
        return self.lines or range(self.line, self.line + self.source.count("\n") + 1)


@dataclass(frozen=True)
class Program(_Record):
    """All the code of one group on one page.

    Attributes:
        page: name of the page; the program sees it as ``sys.argv[0]``.
        group: name of the doctest group.
        pieces: the code, in the order of the page.
        environment: name of the environment it needs; whoever makes a `Runner` heeds it.
        flags: names of doctest's option flags that hold unless a piece says otherwise.
    """

    page: str
    group: str
    pieces: tuple[Piece, ...]
    environment: str = ""
    flags: tuple[str, ...] = ("ELLIPSIS", "IGNORE_EXCEPTION_DETAIL", "DONT_ACCEPT_TRUE_FOR_1")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return what `to_json` was called on."""
        pieces = tuple(map(Piece.from_json, data["pieces"]))
        return cls(**{**data, "pieces": pieces, "flags": tuple(data["flags"])})


@dataclass(frozen=True)
class Failure(_Record):
    """One thing that went wrong.

    Attributes:
        kind: "output" is wrong output, "exit" and "signal" are ends before the program's own.
        message: one sentence, or the exception's type and message.
        file: file of the place that failed, spelled as in its piece.
        line: line of that file, counted from 1.
        title: title of the piece that holds this line.
        piece: index of the piece that was running, which may be another one.
        traceback: frames of the pages and of libraries, none of doctest or of this file.
        expected: output that the page promises.
        got: output or exception that came instead.
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


@dataclass(frozen=True)
class Outcome(_Record):
    """What became of a program.

    Attributes:
        passed: whether it came to its end and nothing failed.
        failures: what went wrong, in order.
        seconds: wall time of its process.
        stdout: what went past Python's ``sys.stdout``: file descriptors 1 and 2, ``sys.stderr``.
        lines: lines that ran, by file, if they were to be measured and the end was reached.
        versions: versions, by distribution, of what the program itself imports.
        python: version of the interpreter, such as "3.13.0".
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
        """Return what `to_json` was called on."""
        return cls(**{**data, "failures": tuple(map(Failure.from_json, data["failures"]))})


# --- Code and its places ------------------------------------------------------------------------


def _examples(piece: Piece) -> list[doctest.Example]:
    """Return a piece as doctest's examples; a ValueError means a malformed session."""
    flags = {doctest.register_optionflag(name): on for name, on in piece.flags.items()}
    if piece.kind == "doctest":
        examples = doctest.DocTestParser().get_examples(piece.source, piece.file)
        for example in examples:
            example.options = flags | example.options
        if piece.title:
            _check_session(piece, examples)
        return examples
    output = piece.output or ""
    raises = doctest.DocTestParser._EXCEPTION_RE.match(output)  # type: ignore[attr-defined]
    flags[doctest.DONT_ACCEPT_BLANKLINE] = True  # as in Sphinx: an output stands alone
    message = raises["msg"] if raises else None
    return [doctest.Example(piece.source, output, exc_msg=message, options=flags)]


def _check_session(piece: Piece, examples: list[doctest.Example]) -> None:
    """Raise a ValueError for a line that a side shows, and doctest would pass over."""
    known: set[int] = set()
    for one in examples:
        known.update(range(one.lineno, one.lineno + (one.source + one.want).count("\n")))
    for at, line in enumerate(piece.source.split("\n")):
        if at not in known and not _BLANK.match(line):
            raise ValueError(
                f"line {at + 1} of the docstring for {piece.file} has no prompt, and is no output "
                "of a line above it"
            )


def _leading_imports(program: Program) -> list[str]:
    """Return the imports before anything else happens, each as one statement without ``as``."""
    found: list[str] = []
    order = {"setup": 0, "code": 1, "doctest": 1, "cleanup": 2}
    for piece in sorted(program.pieces, key=lambda piece: order[piece.kind]):
        try:
            examples = [example for example in _examples(piece) if not _skips(example)]
            statements = [node for example in examples for node in ast.parse(example.source).body]
        except (SyntaxError, ValueError):
            return found
        for node in statements:
            match node:
                case ast.Import(names=names):
                    found += (f"import {alias.name}" for alias in names)
                case ast.ImportFrom(module=str(module), names=names, level=0):
                    found += (f"from {module} import {alias.name}" for alias in names)
                case ast.Expr(value=ast.Constant()):
                    pass
                case _:
                    return found
    return list(dict.fromkeys(found))


def _skips(example: doctest.Example) -> bool:
    return example.options.get(doctest.SKIP, False)


def skips(piece: Piece, flags: Collection[str]) -> bool:
    """Whether doctest's flag, among these *flags* or its own, keeps some of it from running."""
    with contextlib.suppress(ValueError):
        known = {doctest.SKIP: "SKIP" in flags}
        return any((known | one.options)[doctest.SKIP] for one in _examples(piece))
    return False


def statements(piece: Piece) -> tuple[set[int], set[int]]:
    """Return the lines of `piece.file` that have to run, and those that need not.

    Of each statement, the first line counts; a decorated function begins with its first
    decorator. Not among them are docstrings and other constants, ``global``, ``nonlocal`` and
    ``from __future__``. What the author marked need not run: the statement and, where it heads
    a block, the block. A piece that does not compile has none.
    """
    every: set[int] = set()
    counted: set[int] = set()
    try:
        for example in _examples(piece):
            tree = _parse(example.source, piece.file, piece.places[example.lineno :], "exec")
            every.update(_first(node) for _, node in _counted(tree, set()))
            counted.update(_first(node) for _, node in _counted(tree, piece.unmeasured))
    except (SyntaxError, ValueError):
        return set(), set()
    return counted, every - counted


def _parse(source: str, file: str, places: Sequence[int], mode: str, flags: int = 0) -> ast.Module:
    """Return a tree whose nodes, like the place of a SyntaxError, are on the lines *places*."""
    flags |= ast.PyCF_ONLY_AST
    if isinstance(places, range):  # warnings, too, are then on the right line
        padded = "\n" * (places.start - 1) + source
        tree: ast.Module = compile(padded, file, mode, flags, dont_inherit=True)
        return tree
    try:
        tree = compile(source, file, mode, flags, dont_inherit=True)
    except SyntaxError as error:
        error.lineno = places[min(error.lineno or 1, len(places)) - 1]
        error.end_lineno = error.lineno
        raise
    positioned: list[Any] = [node for node in ast.walk(tree) if hasattr(node, "end_col_offset")]
    for node in positioned:
        node.lineno, node.end_lineno = places[node.lineno - 1], places[node.end_lineno - 1]
        if node.end_lineno < node.lineno:  # lines that are shown out of order
            node.end_lineno, node.end_col_offset = node.lineno, node.col_offset
    return tree


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _clauses(node: ast.stmt) -> list[tuple[int, list[ast.stmt]]]:
    """Return the blocks of a compound statement, each with the line where its header begins."""
    clauses: list[tuple[int, list[ast.stmt]]] = []
    if body := getattr(node, "body", None):
        clauses.append((_first(node), body))
    clauses += ((one.lineno, one.body) for one in getattr(node, "handlers", ()))
    clauses += ((one.pattern.lineno, one.body) for one in getattr(node, "cases", ()))
    for name in ("orelse", "finalbody"):
        if block := getattr(node, name, None):
            clauses.append(((clauses[-1][1][-1].end_lineno or 0) + 1, block))
    return clauses


def _counted(tree: ast.Module, marked: set[int]) -> Iterator[tuple[list[ast.stmt], ast.stmt]]:
    """Yield each statement that counts, after the block that holds it."""

    def walk(block: list[ast.stmt]) -> Iterator[tuple[list[ast.stmt], ast.stmt]]:
        for node in tuple(block):
            clauses = _clauses(node)
            end = node.subject.end_lineno if isinstance(node, ast.Match) else node.end_lineno
            if clauses and not isinstance(node, ast.Match):
                end = max(_first(node), _first(clauses[0][1][0]) - 1)
            if not marked.isdisjoint(range(_first(node), (end or 0) + 1)):
                clauses = [] if isinstance(node, ast.Match) else clauses[1:]
            elif _counts(node):
                yield block, node
            for start, inner in clauses:
                if marked.isdisjoint(range(start, _first(inner[0]))):
                    yield from walk(inner)

    return walk(tree.body)


def _counts(node: ast.stmt) -> bool:
    match node:
        case ast.Global() | ast.Nonlocal() | ast.Expr(value=ast.Constant()):
            return False
        case ast.ImportFrom(module="__future__"):
            return False
    return True


def _compile(
    source: str, file: str, places: Sequence[int], mode: str, *, flags: int = 0, hit: str = ""
) -> types.CodeType:
    """Compile code as if the file held nothing else, at the lines and columns it has there.

    Args:
        source: the code, without the indentation it has in the file.
        file: absolute path, for tracebacks.
        places: line of the file for each line of the code.
        mode: "exec" or "single".
        flags: those of `compile`, such as the future statements that hold.
        hit: name of a built-in function to be called with lines before each statement.

    Raises:
        SyntaxError: with the place in the file.
    """
    # What stands before the code in each of its lines: indentation, a prompt, a quote mark.
    before = {}
    page = linecache.getlines(file)
    for at, text in zip(places, source.split("\n"), strict=False):
        if text and at <= len(page) and (column := page[at - 1].find(text)) > 0:
            before[at] = page[at - 1][:column]
    try:
        tree = _parse(source, file, places, mode, flags)
    except SyntaxError as error:
        shift = len(before.get(error.lineno or 0, ""))
        error.text = page[(error.lineno or 0) - 1] if shift else error.text
        error.offset = (error.offset or 0) + shift
        error.end_offset = max(error.end_offset or 0, 0) + shift
        raise
    bytes_before = {at: len(text.encode()) for at, text in before.items()}
    positioned: list[Any] = [node for node in ast.walk(tree) if hasattr(node, "end_col_offset")]
    for node in positioned:
        node.col_offset += bytes_before.get(node.lineno, 0)
        node.end_col_offset += bytes_before.get(node.end_lineno, 0)
    if hit:
        for block, node in list(_counted(tree, set())):
            block.insert(block.index(node), _call(hit, node))
        # In modules, coverage.py counts these as well.
        for node in positioned:
            if isinstance(node, ast.ExceptHandler):
                node.body.insert(0, _call(hit, node))
            for case in node.cases if isinstance(node, ast.Match) else ():
                case.body.insert(0, _call(hit, case.pattern))
        futures = [node for node in tree.body if getattr(node, "module", "") == "__future__"]
        after = tree.body.index(futures[-1]) + 1 if futures else 0
        tree.body[after:after] = [_call(hit, node) for node in futures]
    code: types.CodeType = compile(tree, file, mode, flags, dont_inherit=True)
    return code


def _call(name: str, node: Any) -> ast.stmt:
    """Return the statement that notes lines, at the very place of `node`, for tracebacks."""
    line, column = _first(node), node.col_offset
    # Those of decorators, and that of ``def`` itself.
    lines: list[ast.expr] = [ast.Constant(one) for one in range(line, node.lineno + 1)]
    at = {"lineno": line, "col_offset": column, "end_lineno": line, "end_col_offset": column + 1}
    call = ast.Call(ast.Name(name, ast.Load()), [ast.Tuple(lines, ast.Load())], [])
    return ast.fix_missing_locations(ast.Expr(call, **at))


# --- In the child -------------------------------------------------------------------------------


class _Late(BaseException):
    """The program's time is over; not an Exception, so that ``except Exception`` lets it pass."""


class _Checker(doctest.OutputChecker):
    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Compare; classes may be shown as under Sphinx's runner, where no module is ``__main__``.

        A program runs as the script that readers download would, so its classes are of
        ``__main__``, while those of a page under ``sphinx-build -b doctest`` are of ``builtins``.
        """
        spellings = (got, got.replace("__main__.", ""), got.replace("__main__.", "builtins."))
        return any(super(_Checker, self).check_output(want, one, optionflags) for one in spellings)


class _Printed(doctest._SpoofOut):  # type: ignore[name-defined,misc]
    """The captured output, which knows where the first of it was written."""

    def __init__(self, where: Callable[[types.FrameType], Place]) -> None:
        super().__init__()
        self.where = where
        self.place: Place | None = None

    def write(self, text: str) -> int:
        if text and self.place is None:
            self.place = self.where(sys._getframe(1))
        written: int = super().write(text)
        return written


class _Execution(doctest.DocTestRunner):
    """The run of one program by doctest itself, which reports each failure as it happens."""

    def __init__(self, request: Mapping[str, Any], report: Report) -> None:
        self.program = Program.from_json(request["program"])
        flags = (doctest.register_optionflag(name) for name in self.program.flags)
        super().__init__(_Checker(), verbose=False, optionflags=sum(set(flags)))
        self.report = report
        self.limit: float | None = request["timeout"]
        self.debug: bool = request["debug"]
        self.files = _files(self.program, request["root"])
        names = {path: f"__codediff_{at}__" for at, path in enumerate(self.files)}
        self.hits = names if request["measure"] else {}
        self.lines: dict[str, set[int]] = {path: set() for path in self.hits}
        for path, name in self.hits.items():
            setattr(builtins, name, self.lines[path].update)
        self.root = Path(request["root"])
        self.index = 0
        self.late = False
        self.raised: BaseException | None = None
        self.reserve = mmap.mmap(-1, RESERVE)
        self._fakeout = self.printed = _Printed(self.place_now)
        self.module = types.ModuleType("__main__")
        sys.modules["__main__"] = self.module
        doctest.compile = self.compile  # type: ignore[attr-defined]
        doctest._exception_traceback = self.format  # type: ignore[attr-defined]

    # Where ...

    @property
    def piece(self) -> Piece:
        return self.program.pieces[self.index]

    def where(self, frames: Iterable[tuple[types.FrameType, int | None]]) -> Place | None:
        """Return the first place in one of the program's files, frames being innermost first."""
        for frame, line in frames:
            if line and frame.f_code.co_filename in self.files:
                return self.files[frame.f_code.co_filename], line
        return None

    def place_now(self, frame: types.FrameType | None) -> Place:
        place = self.where(traceback.walk_stack(frame)) if frame else None
        return place or (self.piece.file, self.piece.line)

    def where_raised(self, error: BaseException) -> Place | None:
        place = self.where(reversed(list(traceback.walk_tb(error.__traceback__))))
        if place is None and isinstance(error, SyntaxError) and error.filename in self.files:
            place = self.files[error.filename], error.lineno or self.piece.line
        return place

    # ... and what

    def run_all(self) -> None:
        """Run set-up, code and clean-up in the order of Sphinx; failed set-up is the end of it."""
        kinds = [piece.kind for piece in self.program.pieces]
        setups = [at for at, kind in enumerate(kinds) if kind == "setup"]
        code = [at for at, kind in enumerate(kinds) if kind in {"code", "doctest"}]
        cleanups = [at for at, kind in enumerate(kinds) if kind == "cleanup"]
        failed = [at for at in setups if not self.run_piece(at)]
        for at in [] if failed else code + cleanups:
            self.run_piece(at)

    def run_piece(self, index: int) -> bool:
        """Run one piece and return whether it passed."""
        if self.late:
            raise _Late
        self.index = index
        self.report({"piece": index})
        try:
            examples = _examples(self.piece)
        except ValueError as error:  # such as "line 3 of the docstring for FILE has ..."
            found = re.match(r"line (\d+) of the docstring for .*? (?=has|lacks)", str(error))
            line = self.piece.places[int(found[1]) - 1] if found else self.piece.line
            message = str(error)[found.end() :] if found else str(error)
            self.fail("syntax", f"this line {message}", (self.piece.file, line))
            return False
        test = doctest.DocTest(examples, {}, self.program.group, None, None, None)
        test.globs = self.module.__dict__
        try:
            return not self.run(test, out=lambda _: None, clear_globs=False).failed
        except KeyboardInterrupt as error:
            self.fail_raised(error)
            return False

    def compile(self, source: str, name: str, mode: str, flags: int, _: bool) -> types.CodeType:
        """Stand in for `compile` in doctest, where an example is named ``<doctest GROUP[0]>``."""
        example = self.test.examples[int(name[name.rindex("[") + 1 : -2])]
        self.raised = self.printed.place = None
        mode = mode if self.piece.kind == "doctest" else "exec"
        file = str(self.root / self.piece.file)
        places = self.piece.places[example.lineno :]
        return _compile(source, file, places, mode, flags=flags, hit=self.hits.get(file, ""))

    def format(self, info: Any) -> str:
        """Stand in for doctest's traceback; doctest asks for it whenever an exception comes."""
        self.raised = info[1]
        self.reserve.close()
        return _clip("".join(_hide(traceback.TracebackException(*info)).format()))

    def report_failure(
        self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str
    ) -> None:
        """Report output, or an exception, other than expected."""
        texts = {"expected": example.want, "got": got}
        if self.raised:
            self.fail_raised(self.raised, **texts)
            return
        place = self.piece.file, self.piece.places[example.lineno]
        if example.exc_msg:
            message = f"did not raise the expected {example.exc_msg.strip()}"
        elif example.want:
            message = "printed something else than expected" if got else "printed nothing"
        else:
            message = "printed something, though no output is shown"
            place = self.printed.place or place
        if self.piece.kind == "code" and self.piece.output_line:
            place = self.piece.output_file or self.piece.file, self.piece.output_line
        self.fail("output", message, place, **texts)

    def report_unexpected_exception(
        self, out: Any, test: doctest.DocTest, example: doctest.Example, exc_info: Any
    ) -> None:
        """Report an exception, and go on as Sphinx does."""
        self.fail_raised(exc_info[1])

    def fail_raised(self, error: BaseException, **texts: str) -> None:
        """Report an exception, unless it comes of the time limit, which has been reported."""
        if self.late:
            raise _Late
        kind: Literal["exception", "exit", "syntax"] = "exception"
        place = self.where_raised(error)
        message = "".join(
            traceback.TracebackException(type(error), error, None).format_exception_only()
        ).strip()
        if isinstance(error, SystemExit):
            status = error.code if isinstance(error.code, int) else int(bool(error.code))
            kind, message = "exit", f"exited with status {status} before its end"
            message += f" at line {place[1]}" if place else ""
        elif isinstance(error, SyntaxError) and error.filename in self.files:
            kind, message = "syntax", f"{type(error).__name__}: {error.msg}"
        frames = self.format((type(error), error, error.__traceback__))
        if self.debug and place and not isinstance(error, (SystemExit, bdb.BdbQuit)):
            print(frames, file=sys.__stdout__)
            debugger = pdb.Pdb(stdout=sys.__stdout__)
            debugger.reset()
            debugger.interaction(None, error.__traceback__)
        self.fail(kind, message, place, traceback=frames, **texts)

    def fail(self, kind: Any, message: str, place: Place | None, **texts: str) -> None:
        """Report a failure, at the beginning of the running piece if there is no place."""
        message, texts = _clip(message), {name: _clip(text) for name, text in texts.items()}
        failure = _failure(self.program, self.index, kind, message, place, **texts)
        self.report({"failure": failure.to_json()})

    def alarm(self, _: int, frame: types.FrameType | None) -> NoReturn:
        """Handle SIGALRM, and report at once, for the program may swallow what is raised."""
        self.late = True
        place = self.place_now(frame)
        stack = [one for one in traceback.extract_stack(frame) if one.filename not in HIDDEN]
        message = f"did not end within {self.limit or 0:g} s; it was at line {place[1]}"
        frames = ["Traceback (most recent call last):\n", *traceback.format_list(stack)]
        self.fail("timeout", message, place, traceback="".join(frames))
        raise _Late


def _files(program: Program, root: str) -> dict[str, str]:
    """Return the files of a program as it spells them, by absolute path."""
    return {str(Path(root) / piece.file): piece.file for piece in program.pieces}


def _failure(
    program: Program, index: int, kind: Any, message: str, place: Place | None, **texts: str
) -> Failure:
    if not program.pieces:
        return Failure(kind, message, program.page, 1, "", 0, **texts)
    running = program.pieces[index]
    file, line = place or (running.file, running.line)
    for piece in (running, *program.pieces):
        if piece.file == file and line in piece.places:
            running = piece
            break
    return Failure(kind, message, file, line, running.title, index, **texts)


def _hide(error: traceback.TracebackException) -> traceback.TracebackException:
    """Take the frames that are not the reader's out of a traceback and of those it stems from."""
    shown = [frame for frame in error.stack if frame.filename not in HIDDEN]
    error.stack = traceback.StackSummary.from_list(shown)
    for other in (error.__cause__, error.__context__, *(error.exceptions or ())):
        if other:
            _hide(other)
    return error


def _clip(text: str) -> str:
    """Return a text of bearable length that any encoding of Unicode can write."""
    if len(text) > LIMIT:
        left_out = f"\n[{len(text) - LIMIT} characters left out]\n"
        text = text[: LIMIT // 2] + left_out + text[-LIMIT // 2 :]
    return text.encode("utf-8", "backslashreplace").decode()


def _execute(request: Mapping[str, Any], report: Report, faults: int | None = None) -> NoReturn:
    """Run a program in this process, and leave it.

    Args:
        request: what `Runner` sends.
        report: takes the messages, of which the last has "end".
        faults: file descriptor for faulthandler, which tells the place in a fatal signal.
    """
    leave, alarm = os._exit, getattr(signal, "SIGALRM", None)
    try:
        execution = _Execution(request, report)
        _note_ends(execution)
        os.chdir(request["cwd"])
        sys.argv = [execution.program.page]
        versions = _versions(execution.program)
        if faults is not None:
            faulthandler.enable(faults)
            faulthandler.register(signal.SIGUSR1, faults)
        with contextlib.suppress(_Late):
            if alarm:
                signal.signal(alarm, execution.alarm)
                signal.setitimer(signal.ITIMER_REAL, request["left"] or 0)
            execution.run_all()
            if alarm:
                signal.setitimer(signal.ITIMER_REAL, 0)
        lines = {execution.files[path]: sorted(lines) for path, lines in execution.lines.items()}
        python = ".".join(map(str, sys.version_info[:3]))
        report({"end": {"lines": lines, "versions": versions, "python": python}})
        if alarm:  # what is left to do at exit may not take long
            signal.signal(alarm, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, GRACE)
        with contextlib.suppress(BaseException):  # the program has ended, well or not
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        leave(0)
    except BaseException as error:
        execution.fail_raised(error)
        report({"end": {}})
    finally:
        leave(1)


def _note_ends(execution: _Execution) -> None:
    """Have the place noted before calls that may well be the last thing this process does."""
    owner = _getpid()

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def noted(*args: Any, **kwargs: Any) -> Any:
            if _getpid() != owner:
                return function(*args, **kwargs)
            execution.report({"at": execution.place_now(sys._getframe(1))})
            try:
                return function(*args, **kwargs)
            finally:
                execution.report({"at": None})

        return noted

    for module, name in ((os, "_exit"), (os, "kill"), (os, "killpg"), (signal, "raise_signal")):
        if hasattr(module, name):
            setattr(module, name, noting(getattr(module, name)))


def _versions(program: Program) -> dict[str, str]:
    """Return the version of each distribution that a program's own imports name."""
    names: set[str] = set()
    for piece in program.pieces:
        with contextlib.suppress(SyntaxError, ValueError):
            for example in _examples(piece):
                for node in ast.walk(ast.parse(example.source)):
                    if isinstance(node, ast.Import):
                        names.update(alias.name.partition(".")[0] for alias in node.names)
                    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                        names.add(node.module.partition(".")[0])
    return dict(filter(None, map(_distribution, sorted(names - sys.stdlib_module_names))))


@functools.cache
def _distribution(package: str) -> tuple[str, str] | None:
    from importlib import metadata  # late, for it is slow and few programs import what is installed

    with contextlib.suppress(metadata.PackageNotFoundError):
        return package, metadata.version(package)
    for name in _providers().get(package, ()):
        return name, metadata.version(name)
    return None


@functools.cache
def _providers() -> Mapping[str, list[str]]:
    from importlib import metadata

    return metadata.packages_distributions()


# --- In the server ------------------------------------------------------------------------------


class _Board:
    """Memory shared by a server and one child, on which the child alone writes messages."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, BOARD)
        self.owner = 0

    def write(self, message: Mapping[str, Any]) -> None:
        """Add a message, unless this is a fork of the child or there is no room left."""
        if _getpid() == self.owner:
            with contextlib.suppress(ValueError):
                self.memory.write(_dumps(message).encode() + b"\n")

    def read(self) -> bytes:
        """Return all messages: JSON, one a line."""
        return self.memory[: self.memory.find(b"\0")]


def _preload(imports: Sequence[str]) -> bool:
    """Execute import statements and return whether a fork is then as good as a new process."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(BaseException):
        for statement in imports:
            exec(statement, {})
        _versions(Program("", "", (Piece("setup", "\n".join(imports), "", 1),)))
    doctest.DocTestRunner().run(doctest.DocTest([], {}, "", None, None, None))  # loads a debugger
    gc.collect()
    gc.freeze()
    # What prints when it is imported has to do so in the program.
    return not printed.getvalue() and _can_fork()


def _can_fork() -> bool:
    """Return whether no thread is lost in a fork, save those of OpenBLAS, which restarts its own.

    So jax may have been imported, but not have initialised a backend.
    """
    tasks, maps = Path("/proc/self/task"), Path("/proc/self/maps")
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return False
    if not tasks.exists():
        return True
    files = {line.rpartition("/")[2] for line in maps.read_text().splitlines() if "/" in line}
    pools = sum("openblas" in file for file in files)
    return len(list(tasks.iterdir())) <= 1 + pools * ((os.cpu_count() or 1) - 1)


class _Server:
    """The server's side of the pipes to `Runner`."""

    def __init__(self) -> None:
        self.requests, self.answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
        null = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(null, standard)
        os.close(null)
        self.woken, self.waker = os.pipe()
        os.set_blocking(self.waker, False)
        signal.set_wakeup_fd(self.waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def answer(self, message: Mapping[str, Any]) -> None:
        self.answers.write(_dumps(message).encode() + b"\n")
        self.answers.flush()

    def serve(self) -> None:
        """Import what the first line says; run a program for each of the others."""
        hello = json.loads(self.requests.readline())
        sys.path[:0] = hello["path"]
        self.answer({"can_fork": _preload(hello["imports"])})
        for line in iter(self.requests.readline, b""):
            self.answer(self.run(json.loads(line)).to_json())

    def run(self, request: Mapping[str, Any]) -> Outcome:
        """Run a program in a fork of this process."""
        begin = time.monotonic()
        try:
            board, (output, child_output) = _Board(), os.pipe()
            faults = tempfile.TemporaryFile()  # noqa: SIM115
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # `_can_fork` knows better
                pid = os.fork()
        except OSError as error:
            self.answer({"pid": 0})
            program = Program.from_json(request["program"])
            return Outcome(False, (_failure(program, 0, "exit", f"did not start: {error}", None),))
        with faults, contextlib.closing(board.memory):
            if not pid:
                try:
                    os.close(output)
                    self.become_child(child_output)
                    board.owner = _getpid()
                    _execute(request, board.write, faults.fileno())
                finally:  # whatever happens, there is one server
                    os._exit(1)
            os.close(child_output)
            self.answer({"pid": pid})
            with os.fdopen(output, "rb", buffering=0) as pipe:
                status, late, text = self.watch(pid, pipe, request["left"])
            return _conclude(
                request,
                messages=board.read(),
                status=status,
                late=late,
                faults=os.pread(faults.fileno(), LIMIT, 0).decode("ascii", "replace"),
                stdout=text,
                seconds=time.monotonic() - begin,
            )

    def become_child(self, output: int) -> None:
        """Cut what ties a fork to the server, and direct its output where the server reads it."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for tie in (self.woken, self.waker, self.requests.fileno(), self.answers.fileno()):
            os.close(tie)
        os.dup2(output, 1)
        os.dup2(output, 2)
        with contextlib.suppress(OSError):  # without memory, it goes first
            Path("/proc/self/oom_score_adj").write_text("1000")

    def watch(self, pid: int, output: io.FileIO, limit: float | None) -> tuple[int, bool, str]:
        """Wait for a child, and end it when its time is over.

        Returns:
            its status as in `subprocess`, whether its time was over, and what it wrote.
        """
        deadline = limit and time.monotonic() + limit + GRACE
        wanted: list[Any] = [output, self.woken, self.requests]
        late, text = 0, _Text()
        while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
            wait = deadline and max(0, deadline - time.monotonic())
            ready = select.select(wanted, [], [], wait)[0]
            if output in ready and not text.read(output):
                wanted.remove(output)
            if self.woken in ready:
                os.read(self.woken, 512)
            if self.requests in ready:  # `Runner` is gone: it has nothing else to say by now
                _kill(pid)
                os.waitpid(pid, 0)
                os._exit(0)
            if deadline and time.monotonic() >= deadline:
                # First ask faulthandler for the place, then make an end.
                os.kill(pid, signal.SIGUSR1) if not late else _kill(pid)
                late, deadline = late + 1, time.monotonic() + GRACE / 5
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)  # whatever it left behind
        os.set_blocking(output.fileno(), False)
        for _ in range(LIMIT >> 10):  # what it left behind may go on writing
            if not text.read(output):
                break
        return os.waitstatus_to_exitcode(ended[1]), late > 0, str(text)


class _Text:
    """The two ends of what a process writes, however much that is."""

    def __init__(self) -> None:
        self.head, self.tail, self.size = b"", b"", 0

    def read(self, pipe: io.FileIO) -> bool:
        """Read some and return whether there may be more."""
        chunk = pipe.read(LIMIT) or b""
        self.size += len(chunk)
        room = LIMIT - len(self.head)
        self.head, self.tail = self.head + chunk[:room], (self.tail + chunk[room:])[-LIMIT:]
        return bool(chunk)

    def __str__(self) -> str:
        left_out = self.size - len(self.head) - len(self.tail)
        between = f"\n[{left_out} bytes left out]\n".encode() if left_out else b""
        return (self.head + between + self.tail).decode("utf-8", "replace")


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(pid, signal.SIGKILL)


def _conclude(
    request: Mapping[str, Any],
    *,
    messages: bytes,
    status: int,
    late: bool,
    faults: str,
    stdout: str,
    seconds: float,
) -> Outcome:
    """Put together what a child reported with how it ended.

    Args:
        request: what the child was to run.
        messages: what it reported, as JSON lines, of which the last may be cut.
        status: its exit status, or minus the signal that killed it.
        late: whether it was still there some time after its time was over.
        faults: what faulthandler wrote.
        stdout: what it printed past doctest.
        seconds: how long it took.
    """
    program = Program.from_json(request["program"])
    failures, index, place, end = [], 0, None, None
    for line in messages.split(b"\n")[:-1]:
        message = json.loads(line)
        if "piece" in message:
            index = message["piece"]
        elif "at" in message:
            place = message["at"]
        elif "failure" in message:
            failures.append(Failure.from_json(message["failure"]))
        else:
            end = message["end"]
    place = _fault_place(faults, _files(program, request["root"]), late=late) or place
    at = f" at line {place[1]}" if place else ""
    if not place and program.pieces:
        at = f" in the code that begins at line {program.pieces[index].line}"
    kind = "timeout" if late else "signal" if status < 0 else "exit"
    text = {
        "timeout": f"did not end within {request['timeout'] or 0:g} s; it was{at}",
        "signal": f"was killed by {_signal_name(-status)}{at}",
        "exit": f"exited with status {status} before its end{at}",
    }[kind]
    if (late or end is None) and not any(failure.kind == "timeout" for failure in failures):
        failures.append(_failure(program, index, kind, text, place))
    return Outcome(not failures, tuple(failures), seconds, stdout, **(end or {}))


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"  # real-time signals have no names


def _fault_place(faults: str, files: Mapping[str, str], *, late: bool) -> Place | None:
    """Return the innermost place in a program's files that faulthandler's stacks show."""
    escaped = {path.encode("ascii", "backslashreplace").decode(): path for path in files}
    # Of interest is the thread that crashed or, where the program hangs, the main one: the last.
    stacks = list(reversed(faults.split("\n\n")))
    for stack in stacks if late else sorted(stacks, key=lambda one: "Current thread" not in one):
        for path, line in re.findall(r'^  File "(.*)", line (\d+) in ', stack, re.MULTILINE):
            if path in escaped:
                return files[escaped[path]], int(line)
    return None


# --- In the caller's process --------------------------------------------------------------------


class Runner:
    """Runs programs one after the other, each in a process of its own; for one thread.

    Args:
        python: path of the interpreter, 3.11 or later; nothing need be installed beside it.
        root: folder that the files of pieces are relative to.
        path: put before ``sys.path``.
        measure: report which lines ran.

    Raises:
        RuntimeError: from `run`, if the interpreter cannot execute this file.
        OSError: from `run`, if there is no such interpreter.
    """

    def __init__(
        self,
        python: str = sys.executable,
        *,
        root: Path,
        path: Sequence[str] = (),
        measure: bool = False,
    ) -> None:
        self.python, self.root = python, str(Path(root).absolute())
        self.path, self.measure = list(path), measure
        self._connections: OrderedDict[tuple[str, ...], _Connection] = OrderedDict()
        self._unshared: set[tuple[str, ...]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all servers, and with them a program that still runs."""
        while self._connections:
            self._connections.popitem()[1].close()

    def run(
        self, program: Program, timeout: float | None = None, *, debug: bool = False
    ) -> Outcome:
        """Run a program.

        Args:
            program: what to run. Its working directory is that of the caller.
            timeout: seconds that it may take; importing what it imports first does not count,
                unless that alone takes longer.
            debug: stop at exceptions and breakpoints, with the caller's terminal, without a limit.
        """
        request = {
            "program": program.to_json(),
            "root": self.root,
            "cwd": str(Path.cwd()),
            "measure": self.measure,
            "timeout": None if debug else timeout,
            "left": None if debug else timeout,
            "debug": debug,
        }
        if debug or not hasattr(os, "fork"):
            return self._run_alone(request)
        imports = _leading_imports(program)
        begin = time.monotonic()
        connection = self._connect(imports, timeout)
        if timeout and time.monotonic() - begin >= timeout:
            request["left"] = GRACE  # Importing alone took too long: only the place is wanted.
        try:
            connection.send(request)
            pid, outcome = connection.receive(), connection.receive()
        except BaseException:  # a program is under way, and its outcome will not be waited for
            self.close()
            raise
        if outcome:
            return Outcome.from_json(outcome)
        self.close()
        if pid and pid["pid"]:
            _kill(pid["pid"])
        text = "took the process that watches it along, or was there when that was killed"
        return Outcome(False, (_failure(program, 0, "signal", text, None),))

    def _connect(self, imports: Sequence[str], timeout: float | None) -> _Connection:
        """Return a server with these imports, or with none if a fork of it would not be safe."""
        key = tuple(imports)  # their order may matter
        if key in self._unshared:
            imports, key = [], ()
        if key not in self._connections:
            if len(self._connections) >= SERVERS:
                self._connections.popitem(last=False)[1].close()
            connection = _Connection(self.python)
            if not connection.open(imports, self.path, timeout if imports else None):
                error = connection.close()
                if not imports:
                    raise RuntimeError(f"{self.python} cannot run programs: {error}")
                self._unshared.add(key)
                return self._connect(imports, timeout)
            self._connections[key] = connection
        self._connections.move_to_end(key)
        return self._connections[key]

    def _run_alone(self, request: Mapping[str, Any]) -> Outcome:
        """Run a program in a plain new process, to debug it or for want of forks."""
        begin, late, limit = time.monotonic(), False, request["left"]
        ends = None if request["debug"] else subprocess.PIPE
        with tempfile.TemporaryDirectory() as folder:
            asked, told = Path(folder, "asked"), Path(folder, "told")
            asked.write_text(_dumps({**request, "path": self.path}), "utf-8")
            command = [self.python, "-P", __file__, "--alone", str(asked), str(told)]
            process = subprocess.Popen(command, stdin=ends, stdout=ends, stderr=ends)
            try:
                printed = process.communicate(timeout=limit and limit + GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                late, printed = True, process.communicate()
            return _conclude(
                request,
                messages=told.read_bytes() if told.exists() else b"",
                status=process.returncode,
                late=late,
                faults="",
                stdout=_clip(b"".join(filter(None, printed)).decode("utf-8", "replace")),
                seconds=time.monotonic() - begin,
            )


class _Connection:
    """The runner's side of the pipes to a server."""

    def __init__(self, python: str) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [python, "-P", __file__, "--serve"],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,  # Ctrl-C is the caller's
        )

    def open(self, imports: Sequence[str], path: Sequence[str], timeout: float | None) -> bool:
        """Say what to import, and return whether that went well and forks are safe."""
        assert self.process.stdout
        try:
            self.send({"imports": imports, "path": path})
            if not select.select([self.process.stdout], [], [], timeout)[0]:
                self.process.kill()
            answer = self.receive()
        except BaseException:
            self.close()
            raise
        return bool(answer and answer["can_fork"])

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one line, or nothing if the server is gone, which `receive` tells."""
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(_dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def receive(self) -> dict[str, Any] | None:
        """Return the next message, or None if the server is gone."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def close(self) -> str:
        """End the server, which ends what it runs, and return what it wrote on standard error."""
        try:
            text = self.process.communicate(timeout=GRACE)[1]
        except subprocess.TimeoutExpired:
            _kill(self.process.pid)
            text = self.process.communicate()[1]
        return text.decode("utf-8", "replace").strip()


def _main_alone(asked: str, told: str) -> NoReturn:
    """Run the program that one file holds, and leave messages in another."""
    request = json.loads(Path(asked).read_text("utf-8"))
    sys.path[:0] = request["path"]
    owner, messages = _getpid(), Path(told).open("wb", buffering=0)  # noqa: SIM115

    def report(message: Mapping[str, Any]) -> None:
        if _getpid() == owner:
            messages.write(_dumps(message).encode() + b"\n")

    _execute(request, report)


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        _Server().serve()
        os._exit(0)
    _main_alone(*sys.argv[2:])
