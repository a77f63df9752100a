"""Run programs, each in a process of its own, with any interpreter."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path
from typing import Any, TypeAlias

from .data import Failure, Location, Outcome, Program, make_failure
from .execute import clip
from .server import kill
from .source import leading_imports

GRACE = 3.0  # seconds that a process has to write the line it is at, once its time is over
SERVERS = 24  # that a runner keeps at most, beside the one that has imported nothing

Pipe: TypeAlias = "Connection[Any, Any]"


@dataclass(eq=False)
class Runner(contextlib.AbstractContextManager["Runner", None]):
    """Runs programs one after the other, each in a process of its own; for one thread."""

    python: str = sys.executable  # the interpreter, 3.11 or later, with or without packages
    _: KW_ONLY
    root: Path  # folder that the files of pieces are relative to
    path: Sequence[str] = ()  # put before ``sys.path``
    measure: bool = False  # whether to report which lines ran
    cwd: Path | None = None  # working directory; None is an empty temporary folder a program
    environ: Mapping[str, str] | None = None  # environment variables; None is those of the caller

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._servers: OrderedDict[tuple[str, ...], Pipe] = OrderedDict()
        self._unshared: set[tuple[str, ...]] = set()
        self._shared: list[str] | None = None

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all servers."""
        while self._servers:
            self._servers.popitem()[1].close()
        if self._process:
            kill(self._process.pid)
            self._process.wait()
            self._log.seek(0)
            self._errors = self._log.read().decode("utf-8", "replace").strip()
            self._log.close()
            self._process = None

    def start(self) -> None:
        """Start the first server without waiting for it, if none is running; `run` does, too."""
        if self._process and self._process.poll() is not None:
            self.close()  # it was killed
        if self._servers or not hasattr(os, "fork"):
            return
        ours, theirs = multiprocessing.Pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # a pipe could fill up
        with theirs:
            self._process = subprocess.Popen(
                [self.python, "-P", str(Path(__file__).parent), "serve", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                pass_fds=[theirs.fileno()],
                env=self.environ,
                start_new_session=True,  # Ctrl-C is the caller's
            )
        self._servers[()] = ours

    def share_imports(self, programs: Iterable[Program]) -> None:
        """Import once, and in one order, what at least two of the programs begin with importing."""
        counts = Counter(name for program in programs for name in leading_imports(program))
        self._shared = [name for name, count in counts.most_common() if count > 1]

    def run(self, program: Program, timeout: float | None = None) -> Outcome:
        """Run a program for up to *timeout* seconds, shared imports apart; None or 0 is no limit.

        Raises:
            KeyboardInterrupt: With the line that was executed.
            OSError: If there is no such interpreter.
            RuntimeError: If the interpreter cannot execute this package.
        """
        limit, root = timeout or None, self.root.absolute()
        files = {str(root / piece.file): piece.file for piece in program.pieces}
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            folder = Path(name)
            (folder / "cwd").mkdir()
            for file in ("messages", "faults", "output"):
                (folder / file).touch()
            request: dict[str, Any] = {
                "program": asdict(program),
                "root": str(root),
                "folder": name,
                "cwd": str(self.cwd or folder / "cwd"),
                "measure": self.measure,
                "timeout": limit,
            }
            run = self._run_in_fork if hasattr(os, "fork") else self._run_in_new_process
            try:
                status, is_late = run(program, request)
            except KeyboardInterrupt:
                location = _fault_location(folder, files, is_late=True)
                raise KeyboardInterrupt("at {}:{}".format(*location) if location else "") from None
            location = _fault_location(folder, files, is_late=is_late)
            failures, index, end = _read_messages(folder / "messages")
            if is_late or end is None:
                where = f"in the code that begins at line {program.pieces[index].line}"
                where = f"at line {location[1]}" if location else where
                kind, text = _describe_end(status, limit if is_late else None)
                failures.append(make_failure(program, index, kind, f"{text} {where}", location))
            output = clip((folder / "output").read_bytes().decode("utf-8", "replace"))
            return Outcome(not failures, tuple(failures), output, **(end or {}))

    def _run_in_new_process(
        self, _program: Program, request: Mapping[str, Any]
    ) -> tuple[int | None, bool]:
        """Do what `_run_in_fork` does where there are no forks."""
        folder, package = Path(request["folder"]), str(Path(__file__).parent)
        (folder / "request").write_text(json.dumps(request), "utf-8")
        command = [self.python, "-P", package, "execute", str(folder / "request"), *self.path]
        with (folder / "output").open("wb") as out:
            options: Any = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out}
            options |= {"timeout": request["timeout"], "env": self.environ}
            with contextlib.suppress(subprocess.TimeoutExpired):
                return subprocess.run(command, check=False, **options).returncode, False
        return None, True

    def _run_in_fork(self, program: Program, request: Mapping[str, Any]) -> tuple[int | None, bool]:
        """Run a program in a fork of a server that has imported what it imports.

        Return its exit status, None if its server has gone, and whether its time was over.
        """
        imports = leading_imports(program)
        if self._shared is not None:
            imports = [name for name in self._shared if name in imports]
        # The first server may have been started before ``path`` and ``environ`` were set.
        setup = f"from sys import path; path[:0] = {[*self.path]}"
        if self.environ is not None:
            setup += f"; from os import environ; environ.clear(); environ |= {dict(self.environ)}"
        imports.insert(0, setup)
        pid, is_late = 0, False
        try:
            pipe = self._server(tuple(imports), request["timeout"])
            pipe.send(request)
            pid = pipe.recv()
            is_late = not pipe.poll(request["timeout"])
            if is_late:
                _stop(pipe, pid)
            return pipe.recv(), is_late
        except (EOFError, ConnectionError):
            self.close()
            if not pid:
                raise RuntimeError(f"{self.python} cannot run programs: {self._errors}") from None
            return None, is_late
        except BaseException:  # the outcome will not be waited for
            if pid:
                _stop(pipe, pid)
            self.close()
            raise

    def _server(self, imports: tuple[str, ...], limit: float | None) -> Pipe:
        """Return a server that has imported all of these, or as many of the first as can be."""
        if not imports:
            self.start()
            return self._servers[()]
        parent = self._server(imports[:-1], limit)
        if imports in self._unshared:
            return parent
        if imports not in self._servers:
            server = _fork_server(parent, imports[-1], limit)
            if server is None:
                self._unshared.add(imports)
                return parent
            self._servers[imports] = server
        self._servers.move_to_end(imports)
        if len(self._servers) > SERVERS:
            self._servers.pop(next(filter(None, self._servers))).close()
        return self._servers[imports]


def _fork_server(parent: Pipe, statement: str, limit: float | None) -> Pipe | None:
    """Fork a server that has imported one thing more; None if a program should import that."""
    ours, theirs = multiprocessing.Pipe()
    with theirs:
        parent.send({"import": statement})
        send_handle(parent, theirs.fileno(), os.getpid())
    pid = parent.recv()
    with contextlib.suppress(EOFError):
        if ours.poll(limit) and ours.recv():
            return ours
    ours.close()
    os.kill(pid, signal.SIGKILL)
    return None


def _stop(pipe: Pipe, pid: int) -> None:
    """End a program, which first writes the lines it is at."""
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGUSR1)
    if not pipe.poll(GRACE):
        kill(pid)


def _read_messages(path: Path) -> tuple[list[Failure], int, Mapping[str, Any] | None]:
    """Return a program's failures, the index of its last piece, and what it reported at its end."""
    failures, index, end = [], 0, None
    for line in path.read_bytes().split(b"\n")[:-1]:
        message = json.loads(line)
        index, end = message.get("piece", index), message.get("end", end)
        if "failure" in message:
            failures.append(Failure(**message["failure"]))
    return failures, index, end


def _describe_end(status: int | None, limit: float | None) -> tuple[str, str]:
    """Return the kind of a failure and what happened to a process that did not come to its end."""
    if limit:
        return "timeout", f"did not end within {limit:g} s; it was"
    if status is None:  # its server has gone, too
        return "signal", "ended the process that watches it"
    if status < 0:
        names = {one.value: one.name for one in signal.Signals}
        return "signal", f"was killed by {names.get(-status, -status)}"
    return "exit", f"exited with status {status} before its end"


def _fault_location(folder: Path, files: Mapping[str, str], *, is_late: bool) -> Location | None:
    """Return the innermost line in a program's files that faulthandler's stacks show.

    Of a program that was stopped, the main thread matters, which is the last; otherwise, the
    thread that crashed.
    """
    text = (folder / "faults").read_text("ascii", "replace")
    escaped = {path.encode("ascii", "backslashreplace").decode(): path for path in files}
    stacks = list(reversed(text.split("\n\n")))
    for stack in stacks if is_late else sorted(stacks, key=lambda one: "Current thread" not in one):
        for path, line in re.findall(r'^  File "(.*)", line (\d+) in ', stack, re.MULTILINE):
            if path in escaped:
                return files[escaped[path]], int(line)
    return None
