"""Execute one program in this very process, and report to files what happens.

The folder that a request names holds ``messages``, to which one JSON object a line is appended
(``piece``, ``failure`` or ``end``); ``faults``, which faulthandler writes; and ``output``, for
what goes to file descriptors 1 and 2.
"""

from __future__ import annotations
import __future__

import atexit
import contextlib
import doctest
import faulthandler
import functools
import io
import json
import linecache
import os
import signal
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, NoReturn

from .compare import describe, first_difference, matches, raises_expected, split_expected
from .data import Location, Program, make_failure
from .measure import record_lines
from .source import SessionError, examples, imported_packages, parse, shown_lines

Report = Callable[[dict[str, Any]], None]

LIMIT = 1 << 16  # characters of one text, such as an output; a longer one loses its middle
_PACKAGE = str(Path(__file__).parent)
_FUTURE = functools.reduce(
    int.__or__, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)


class _Printed(io.StringIO):
    """What a program prints, and the line that printed first."""

    def __init__(self, locate: Callable[[types.FrameType], Location | None]) -> None:
        super().__init__()
        self._locate = locate
        self.location: Location | None = None

    def write(self, text: str) -> int:
        if text and self.location is None:
            self.location = self._locate(sys._getframe(1))
        return super().write(text)

    def take(self) -> str:
        """Return what was printed since the last call, with a final newline."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text if not text or text.endswith("\n") else f"{text}\n"


class Execution:
    """The run of one program, as a request of `Runner` describes it."""

    def __init__(self, request: Mapping[str, Any], report: Report) -> None:
        self.program = Program.from_json(request["program"])
        self.report = report
        self.flags = sum({doctest.register_optionflag(name) for name in self.program.flags})
        self.future = 0
        self.index = self.example = 0
        root = Path(request["root"])
        self.files = {str(root / piece.file): piece.file for piece in self.program.pieces}
        for path, file in self.files.items():
            lines = shown_lines(self.program, file)
            # Without a time, the entry is not compared with the page itself.
            linecache.cache[path] = (sum(map(len, lines)), None, lines, path)
        self.paths = {file: path for path, file in self.files.items()}
        self.printed = _Printed(lambda frame: self.locate(traceback.walk_stack(frame)))
        self.module = types.ModuleType("__main__")
        self.module.__file__ = str(root / self.program.page)
        # With a spec, multiprocessing does not execute the page to make `__main__` in a child.
        self.module.__spec__ = ModuleSpec("__main__", None)
        sys.modules["__main__"] = self.module

    def run(self) -> None:
        """Run all pieces; nothing but set-up is run if some of it fails."""
        is_ready = True
        for index, piece in enumerate(self.program.pieces):
            if piece.kind == "setup":
                is_ready &= self.run_piece(index)
            elif is_ready:
                self.run_piece(index)

    def run_piece(self, index: int) -> bool:
        """Run one piece and return whether it passed."""
        self.index, self.piece = index, self.program.pieces[index]
        self.report({"piece": index})
        try:
            found = examples(self.piece)
        except SessionError as error:
            message, index = error.args
            self.fail("syntax", message, (self.piece.file, self.piece.line_numbers[index]))
            return False
        passed, displayhook = True, sys.displayhook
        sys.displayhook = sys.__displayhook__
        with contextlib.redirect_stdout(self.printed):
            for self.example, example in enumerate(found):
                flags = self.flags_of(example)
                if not flags & doctest.SKIP:
                    passed &= self.run_example(example, flags)
                if not passed and flags & doctest.FAIL_FAST:
                    break
        sys.displayhook = displayhook
        return passed

    def flags_of(self, example: doctest.Example) -> int:
        """Return doctest's flags as bits, those of the example before those of the program."""
        flags = self.flags
        for flag, is_set in example.options.items():
            flags = flags | flag if is_set else flags & ~flag
        return flags

    def run_example(self, example: doctest.Example, flags: int) -> bool:
        """Run one example and return whether it did what the page shows."""
        self.printed.location = None
        raised: BaseException | None = None
        try:
            exec(self.compile(example), self.module.__dict__)
        except BaseException as error:
            raised = error
        got, want, message = self.printed.take(), example.want, ""
        printed, exception = split_expected(want)
        if raised:
            if exception is None or not raises_expected(raised, exception, flags):
                self.fail_raised(raised, want, got)
                return False
            want = printed
        elif exception:
            message = f"did not raise the expected {exception.strip()}"
        if not matches(want, got, flags):
            self.fail_output(example, want, got, flags, message)
            return False
        return True

    def compile(self, example: doctest.Example) -> types.CodeType:
        """Return the code of an example, on the lines that it has in its file."""
        path = self.paths[self.piece.file]
        mode = "single" if self.piece.kind == "doctest" else "exec"
        lines = self.piece.line_numbers[example.lineno :]
        tree = parse(example.source, path, lines, mode, self.future)
        code: types.CodeType = compile(tree, path, mode, self.future, dont_inherit=True)
        self.future |= code.co_flags & _FUTURE  # holds for the rest of the program
        return code

    def locate(self, frames: Iterable[tuple[types.FrameType, int | None]]) -> Location | None:
        """Return the first line that is in one of the program's files, frames innermost first."""
        for frame, line in frames:
            if line and frame.f_code.co_filename in self.files:
                return self.files[frame.f_code.co_filename], line
        return None

    def fail_output(
        self, example: doctest.Example, want: str, got: str, flags: int, message: str = ""
    ) -> None:
        """Report output other than expected, at the line that differs."""
        piece, index = self.piece, first_difference(want, got, flags)
        length = len(want.splitlines())
        location: Location | None = None
        if not message and not want:
            message = "printed something, though no output is shown"
            location = self.printed.location
        elif not message:
            message = "printed something else than expected" if got else "printed nothing"
            blank = [line for line in got.splitlines() if not line.strip()]
            if len(blank) > want.count("<BLANKLINE>") and piece.kind == "doctest":
                message += "; write <BLANKLINE> for the empty line in the output"
            elif got == f"{want}\n":
                message += "; a page cannot show an empty last line, so print none"
        if not location and piece.kind == "doctest":
            after = example.source.count("\n") + self.closing_prompts(example)
            at = example.lineno + (after + min(index, length - 1) if want else 0)
            location = piece.file, piece.line_numbers[min(at, len(piece.line_numbers) - 1)]
        elif not location and piece.output_line:
            line = piece.output_line + min(index, max(length - 1, 0))
            location = piece.output_file or piece.file, line
        self.fail("output", message, location, expected=want, got=got)

    def closing_prompts(self, example: doctest.Example) -> int:
        """Return how many bare ``...`` stand between the code of an example and its output."""
        lines = self.piece.source.split("\n")[example.lineno + example.source.count("\n") :]
        return next((at for at, line in enumerate(lines) if line.strip() != "..."), len(lines))

    def fail_raised(self, error: BaseException, want: str = "", got: str = "") -> None:
        """Report an exception that is not expected, or not the one that is."""
        location = self.locate(reversed(list(traceback.walk_tb(error.__traceback__))))
        kind, message = "exception", describe(error).strip()
        if isinstance(error, SystemExit):
            status = error.code if isinstance(error.code, int) else int(bool(error.code))
            kind, message = "exit", f"exited with status {status} before its end"
            message += f" at line {location[1]}" if location else ""
        elif isinstance(error, SyntaxError) and error.filename in self.files:
            kind, message = "syntax", f"{type(error).__name__}: {error.msg}"
            location = location or (self.files[error.filename or ""], error.lineno or 1)
        if expected := split_expected(want)[1]:
            message += f"; expected {expected.strip()}"
        shown = _hide_own_frames(traceback.TracebackException.from_exception(error))
        frames = "".join(shown.format())
        self.fail(kind, message, location, traceback=frames, expected=want, got=got or frames)

    def fail(self, kind: str, message: str, location: Location | None, **texts: str) -> None:
        """Report a failure, at the beginning of the running piece if there is no location."""
        texts = {name: clip(text) for name, text in texts.items()}
        others = {"example": self.example, **texts}
        failure = make_failure(self.program, self.index, kind, clip(message), location, **others)
        self.report({"failure": asdict(failure)})


def _hide_own_frames(error: traceback.TracebackException) -> traceback.TracebackException:
    """Take this package's frames out of a traceback, and of those of its causes."""
    shown = [frame for frame in error.stack if not frame.filename.startswith(_PACKAGE)]
    error.stack = traceback.StackSummary.from_list(shown)
    for other in (error.__cause__, error.__context__, *(error.exceptions or ())):
        if other:
            _hide_own_frames(other)
    return error


def clip(text: str) -> str:
    """Return a text without its middle if it is too long, and without lone surrogates."""
    if len(text) > LIMIT:
        left_out = f"\n[{len(text) - LIMIT} characters left out]\n"
        text = text[: LIMIT // 2] + left_out + text[-LIMIT // 2 :]
    return text.encode("utf-8", "backslashreplace").decode()


def execute(request: Mapping[str, Any]) -> NoReturn:
    """Execute a program in this process, and end the process."""
    exit_process = os._exit  # programs may replace functions of the library
    folder = Path(request["folder"])
    report = _reporter(str(folder / "messages"))
    try:
        faults = (folder / "faults").open("w")
        faulthandler.enable(faults)
        if hasattr(faulthandler, "register"):  # ends the process, too, with its line written
            faulthandler.register(signal.SIGUSR1, faults, chain=True)
            # Should the runner be killed, nothing else would end an endless loop.
            signal.setitimer(signal.ITIMER_REAL, 2 * (request["timeout"] or 0))
        execution = Execution(request, report)
        os.chdir(request["cwd"])
        sys.argv = [execution.program.page]
        recorded = record_lines(execution.files) if request["measure"] else {}
        execution.run()
        lines = {execution.files[path]: sorted(ran) for path, ran in recorded.items()}
        python = ".".join(map(str, sys.version_info[:3]))
        versions = distributions(imported_packages(execution.program))
        report({"end": {"lines": lines, "versions": versions, "python": python}})
        with contextlib.suppress(BaseException):  # the program has ended, well or not
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        exit_process(0)
    finally:
        traceback.print_exc()
        exit_process(1)


def _reporter(path: str) -> Report:
    """Return a function that appends messages to a file, from this process alone."""
    # Bound here, for programs may replace functions of the library, or close all files.
    open_file, dumps, getpid, owner = io.open, json.dumps, os.getpid, os.getpid()

    def report(message: Mapping[str, Any]) -> None:
        if getpid() == owner:
            with open_file(path, "ab") as file:
                file.write(dumps(message).encode() + b"\n")

    return report


_distributions_of = functools.cache(metadata.packages_distributions)


def distributions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of the distributions that hold the packages, by name."""
    installed = sorted(set(packages) - sys.stdlib_module_names)
    names = [name for package in installed for name in _distributions_of().get(package, ())[:1]]
    return {name: metadata.version(name) for name in names}
