"""Virtual environments for sides that need other versions of a library.

Pure: knows neither Sphinx nor pytest.
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

CONTENTS = "codediff-contents.txt"


class EnvironmentNotMadeError(Exception):
    """An environment could not be made; the message says which and why."""


def python_of(name: str, requirements: Sequence[str] | None, *, cache: Path) -> Path:
    """Return the interpreter of an environment, which is made if there is none yet.

    An environment is kept by what is in it: the same requirements, under whatever name, are
    installed once for each version of Python.

    Args:
        name: What the site calls it, for messages.
        requirements: As for pip, such as ``["pydantic<2"]``; None if the site has none.
        cache: The folder in which environments are kept.

    Raises:
        EnvironmentNotMadeError: If it is not there and cannot be made.
    """
    if requirements is None:
        message = f"'codediff_environments' in conf.py has no environment {name!r}"
        raise EnvironmentNotMadeError(message)
    version = ".".join(map(str, sys.version_info[:3]))
    wanted = json.dumps([sorted(requirements), version, sys.base_prefix])
    folder = cache / hashlib.sha256(wanted.encode()).hexdigest()[:16]
    try:
        if not _is_whole(folder):
            _make_in(folder, name, requirements)
    except OSError as error:
        message = f"the environment {name!r} could not be made: {error}"
        raise EnvironmentNotMadeError(message) from error
    return _python(folder)


def _make_in(folder: Path, name: str, requirements: Sequence[str]) -> None:
    """Make an environment beside its place, and put it there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Others may be about to make the same one, and this may be interrupted: what bears the final
    # name is whole.
    with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as for_now:
        made = Path(for_now) / "environment"
        _make(name, requirements, made)
        (made / CONTENTS).write_text("\n".join(_installed(made)), "utf-8")
        try:
            made.rename(folder)
        except OSError:
            if not _is_whole(folder):  # things are missing in it; else another was faster
                shutil.rmtree(folder)
                made.rename(folder)


def _is_whole(folder: Path) -> bool:
    """Whether an environment still has its interpreter, and all that was installed."""
    try:
        wanted = (folder / CONTENTS).read_text("utf-8").split("\n")
    except OSError:
        return False
    return _python(folder).exists() and set(wanted) <= {"", *_installed(folder)}


def _installed(folder: Path) -> list[str]:
    """Return the names of what is in an environment, packages and their data."""
    found = (*folder.glob("lib/python*/site-packages/*"), *folder.glob("Lib/site-packages/*"))
    return sorted(one.name for one in found)


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
