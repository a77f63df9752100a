"""A process that has imported something, and forks: a program, or a server that imports more.

    Runner ── pipe ──▶ server without imports ── fork ──▶ server with jax ── fork ──▶ program
       └───────────────────── pipe ────────────────────────▲

What many programs import is imported once, and each still runs in a process of its own.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import threading
import warnings
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from pathlib import Path
from typing import Any, NoReturn

from .execute import distributions, execute


def serve(descriptor: str | int, statement: str = "") -> NoReturn:
    """Execute an import statement, then do what the runner asks for until it closes the pipe."""
    pipe: Connection[Any, Any] = Connection(int(descriptor))  # this end of the pipe
    with contextlib.suppress(EOFError, OSError):  # the runner has gone
        if statement:
            pipe.send(_import(statement))
        while True:
            request = pipe.recv()
            handle = 0 if "program" in request else recv_handle(pipe)
            with warnings.catch_warnings():
                # Python and jax warn of threads; `_import` has looked, and BLAS restarts its own.
                warnings.simplefilter("ignore")
                pid = os.fork()
            if not pid:
                pipe.close()
                if handle:
                    serve(handle, request["import"])
                _become_program(request)
            pipe.send(pid)
            if handle:
                os.close(handle)
            else:
                status = os.waitpid(pid, 0)[1]
                kill(pid)  # what the program left behind
                pipe.send(os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become_program(request: dict[str, Any]) -> NoReturn:
    """Execute a program in this fork, apart from the server's process group and files."""
    os.setsid()
    output = os.open(Path(request["folder"], "output"), os.O_WRONLY | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    execute(request)


def _import(statement: str) -> bool:
    """Execute an import statement; return whether a fork is then as good as a new process.

    It is not if threads were started, which a fork does not have; if something was printed, which
    the program itself has to print; or if an exception was raised, which is the program's too.
    """
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            exec(statement, {})
        except BaseException:
            return False
    distributions(name.partition(".")[0] for name in statement.split()[1:2])
    gc.freeze()
    return not printed.getvalue() and threading.active_count() == 1


def kill(pid: int) -> None:
    """Kill a process and all processes of its group, if they are still there."""
    for function in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            function(pid, signal.SIGKILL)
