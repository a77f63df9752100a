"""Virtual environments for sides that need other versions of a library.

Needs nothing but the standard library; uses uv where it is installed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path


class EnvironmentNotMadeError(Exception):
    """An environment could not be made; the message says which and why."""


def python_of(name: str, requirements: Sequence[str] | None, *, cache: Path) -> Path:
    """Return the interpreter of an environment, which is made if there is none yet.

    The key of an environment is a digest of its requirements and of the version of Python: under
    whatever name, the same requirements are installed once.

    Args:
        name: Its name in ``codediff_environments``, for messages.
        requirements: Arguments for pip, such as ``["pydantic<2"]``; None if they are not known.
        cache: The folder in which environments are kept.

    Raises:
        EnvironmentNotMadeError: If it cannot be made.
    """
    if requirements is None:
        message = f"'codediff_environments' in conf.py has no environment {name!r}"
        raise EnvironmentNotMadeError(message)
    version = ".".join(map(str, sys.version_info[:3]))
    wanted = json.dumps([sorted(requirements), version, sys.base_prefix])
    folder = cache / hashlib.sha256(wanted.encode()).hexdigest()[:16]
    try:
        if not _python(folder).exists():
            _make_in(folder, name, requirements)
    except OSError as error:
        message = f"the environment {name!r} could not be made: {error}"
        raise EnvironmentNotMadeError(message) from error
    return _python(folder)


def _make_in(folder: Path, name: str, requirements: Sequence[str]) -> None:
    """Make an environment in another folder and rename that, so that its name means complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as temporary:
        made = Path(temporary, "environment")
        _make(name, requirements, made)
        try:
            made.rename(folder)
        except OSError:
            if not _python(folder).exists():  # else another process was faster
                raise


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _make(name: str, requirements: Sequence[str], folder: Path) -> None:
    """Make an environment, with uv where it is installed."""
    uv = shutil.which("uv")
    if uv:
        make = [uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, str(folder)]
        install = [uv, "pip", "install", "--quiet", "--python", str(_python(folder)), "--"]
    else:
        make = [sys.executable, "-m", "venv", str(folder)]
        install = [str(_python(folder)), "-m", "pip", "install", "--quiet", "--"]
    for command in (make, [*install, *requirements]) if requirements else (make,):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise EnvironmentNotMadeError(
                f"the environment {name!r} could not be made: installing "
                f"{', '.join(requirements)} failed, and none is kept from an earlier run\n"
                f"{(done.stderr or done.stdout).strip()}"
            )
