"""Programs that exit, crash, hang or flood are reported, and the next one runs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from codediff.execution.data import Outcome, Program
from codediff.execution.runner import Runner
from conftest import ROOT

from .programs import make, only

Run = Callable[..., Outcome]


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("import os\nos._exit(0)", "exit", "exited with status 0 before its end {}"),
        ("import sys\nsys.exit(3)", "exit", "exited with status 3 before its end at line 7"),
        (
            "import os\nos.execv('/bin/true', ['true'])",
            "exit",
            "exited with status 0 before its end {}",
        ),
        ("import os\nos.kill(os.getpid(), 9)", "signal", "was killed by SIGKILL {}"),
        ("import ctypes\nctypes.string_at(0)", "signal", "was killed by SIGSEGV at line 7"),
        ("import os\nos.abort()", "signal", "was killed by SIGABRT at line 7"),
        (
            "import threading, ctypes\ndef f():\n    ctypes.string_at(0)\n"
            "t = threading.Thread(target=f)\nt.start()\nt.join()",
            "signal",
            "was killed by SIGSEGV at line 8",
        ),
    ],
)
def test_sudden_end(run: Run, source: str, kind: str, message: str) -> None:
    failure = only(run(source))
    message = message.format("in the code that begins at line 6")
    assert (failure.kind, failure.message, failure.title) == (kind, message, "Side 0")
    assert failure.line == (6 if "begins" in message else 8 if "8" in message else 7)


@pytest.mark.parametrize("end", ["ctypes.string_at(0)", "sum(range(10**15))"])
def test_another_thread_is_not_blamed(run: Run, end: str) -> None:
    waiting = "import ctypes, threading\ndef f():\n    threading.Event().wait()"
    start = "threading.Thread(target=f, daemon=True).start()\n" * 2
    assert only(run(waiting, start + end, timeout=2)).line == 14


def test_failures_before_a_sudden_end_are_kept(run: Run) -> None:
    outcome = run("1 / 0", "import os\nos._exit(1)")
    assert [failure.kind for failure in outcome.failures] == ["exception", "exit"]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x = 1\nwhile True: pass", 7),
        ("import time\nwhile True:\n    try: time.sleep(9)\n    except BaseException: pass", 8),
        ("def f():\n    sum(range(10**15))\nf()", 7),
        ("import threading\nthreading.Lock().acquire() and threading.Event().wait()", 7),
    ],
)
def test_time_limit(run: Run, source: str, line: int) -> None:
    failure = only(run(source, "never = 1", timeout=2))
    assert (failure.kind, failure.line) == ("timeout", line)
    assert failure.message == f"did not end within 2 s; it was at line {line}"


def test_nothing_runs_after_the_time_limit(run: Run, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    endless = "import time\ntry: time.sleep(99)\nexcept BaseException: pass"
    only(run(endless, f"open({str(mark)!r}, 'w')", timeout=1))
    assert not mark.exists()


def test_closed_files_do_not_matter(run: Run) -> None:
    assert run("import os\nos.closerange(0, 256)").passed
    assert only(run("import os\nos.closerange(0, 256)\n1 / 0")).line == 8


def test_floods(run: Run) -> None:
    outcome = run(
        "import os\nfor _ in range(100):\n    os.write(1, b'\\xff' * (1 << 20))\n"
        "os.write(2, b'end')"
    )
    assert outcome.passed
    assert len(outcome.stdout) < 200_000
    assert outcome.stdout.startswith("\ufffd")
    assert outcome.stdout.endswith("end")
    assert "characters left out" in outcome.stdout
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
    ],
)
def test_what_is_left_behind_does_not_hold_up(run: Run, source: str) -> None:
    begin = time.monotonic()
    assert run(source, timeout=15).passed
    assert time.monotonic() - begin < 20  # a third of what is left behind


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


INTERRUPTED = """
import signal
from pathlib import Path
from codediff.execution.data import Piece, Program
from codediff.execution.runner import Runner

signal.signal(signal.SIGINT, signal.default_int_handler)  # as if not started in the background
code = "import os\\nopen({pid!r}, 'w').write(str(os.getpid()))\\nwhile True: pass"
with Runner(root=Path({root!r})) as runner:
    runner.run(Program("page", "group", (Piece("code", code, "page.rst", 5),)), {timeout})
"""


def start_endless(tmp_path: Path, timeout: float | None) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that runs an endless program, and return the program's folder in /proc."""
    pid = tmp_path / "pid"
    script = INTERRUPTED.format(pid=str(pid), root=str(tmp_path), timeout=timeout)
    environ = os.environ | {"PYTHONPATH": str(ROOT / "sphinx_ext")}
    command = [sys.executable, "-c", script]
    process = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True)
    while not (pid.exists() and pid.read_text()):
        time.sleep(0.01)
    return process, Path("/proc", pid.read_text())


def test_an_interrupt_names_the_line_and_leaves_nothing(tmp_path: Path) -> None:
    process, program = start_endless(tmp_path, None)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1].endswith("KeyboardInterrupt: at page.rst:7\n")
    assert not program.exists()


def test_a_program_does_not_outlive_a_killed_runner_for_long(tmp_path: Path) -> None:
    process, program = start_endless(tmp_path, 2)
    process.kill()
    process.communicate()
    while program.exists():  # until pytest-timeout ends this
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("python", "error"), [("/bin/false", RuntimeError), ("/nowhere/python", OSError)]
)
def test_interpreter_that_cannot_run_programs(
    tmp_path: Path, python: str, error: type[Exception]
) -> None:
    with Runner(python, root=tmp_path) as runner:
        for _ in range(2):
            with pytest.raises(error, match=python):
                runner.run(Program("p", "g", ()))


def test_without_fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with Runner(root=tmp_path, path=[str(tmp_path)], measure=True) as runner:
        program = make(tmp_path, ("code", "print(1)", "1"))
        assert runner.run(program, 20).lines == {"page.rst": [6]}
        assert runner.run(program, 20).passed
        assert only(runner.run(make(tmp_path, "x = 1\n1 / 0"))).line == 7
        assert only(runner.run(make(tmp_path, "import os\nos._exit(0)"))).line == 6
        assert only(runner.run(make(tmp_path, "while True: pass"), 3)).line == 6


def test_the_package_needs_the_standard_library_alone(tmp_path: Path) -> None:
    # -I and -S: neither this folder nor an installed package can be imported.
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    python.chmod(0o755)
    with Runner(str(python), root=tmp_path, measure=True) as runner:
        assert runner.run(make(tmp_path, "import json\njson")).passed
        failure = only(runner.run(make(tmp_path, "import pytest")))
        assert failure.message == "ModuleNotFoundError: No module named 'pytest'"
