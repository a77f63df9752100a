"""Virtual environments for sides that need other versions of a library."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# Ends of names in a project that are not what is installed from it.
_NOT_SOURCE = (".rst", ".md", ".ipynb", ".egg-info", "__pycache__")


class EnvironmentNotMadeError(Exception):
    """An environment could not be made; the message says which and why."""


def parse_definition(name: str, definition: Any) -> tuple[str, list[str]]:
    """Return the version of Python, "" for the one that is running, and the requirements.

    Raises:
        ValueError: If a value of ``codediff_environments`` has another form.
    """
    known = definition if isinstance(definition, dict) else {"requirements": definition}
    match {"python": "", "requirements": [], **known}:
        case {"python": str(python), "requirements": list() | tuple() as found, **others}:
            if not others and all(isinstance(one, str) for one in (name, *found)):
                return python, [*found]
    example = "['pydantic<2'] or {'python': '3.12', 'requirements': ['pydantic<2']}"
    raise ValueError(f"{name!r} is {definition!r}, not of the form {example}")


def python_of(name: str, definitions: Mapping[str, Any], *, cache: Path, folder: Path) -> Path:
    """Return the interpreter of an environment, which is made if there is none yet.

    Its key is a digest of its Python, its requirements and the files that these name.

    Args:
        name: Name of the environment.
        definitions: The value of ``codediff_environments``.
        cache: Folder of the environments.
        folder: Folder that paths in requirements are relative to.

    Raises:
        EnvironmentNotMadeError: If it cannot be made.
    """
    if name not in definitions:
        message = f"'codediff_environments' in conf.py has no environment {name!r}"
        raise EnvironmentNotMadeError(message)
    python, requirements = parse_definition(name, definitions[name])
    arguments = [argument for one in requirements for argument in _arguments(one)]
    try:
        key = [python or f"{sys.version} {sys.base_prefix}", *arguments]
        digest = hashlib.sha256(json.dumps([*key, *_contents(arguments, folder, folder)]).encode())
        target = cache / digest.hexdigest()[:16]
        if not _python_in(target).exists():
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache, ignore_cleanup_errors=True) as temporary:
                made = Path(temporary, "environment")
                _make(made, python, arguments, folder)
                if not target.exists():  # else another process was faster
                    made.rename(target)
    except (OSError, EnvironmentNotMadeError) as error:
        message = f"the environment {name!r} could not be made: {error}"
        raise EnvironmentNotMadeError(message) from error
    return _python_in(target)


def _arguments(requirement: str) -> list[str]:
    """Return a requirement as arguments of pip, with short options apart from their values."""
    if not requirement.startswith("-"):
        return [requirement]
    option = re.match(r"(?:--(requirement|constraint|editable)[ =]|-([rce]))\s*", requirement)
    if not option:
        return shlex.split(requirement)
    letter = (option[1] or option[2])[0]
    return [f"-{letter}", *shlex.split(requirement[option.end() :])]


def _python_in(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _contents(arguments: Sequence[str], folder: Path, base: Path) -> Iterator[str]:
    """Yield digests of the local files that arguments of pip name, also indirectly.

    Projects are relative to *folder*, in which pip runs, files of requirements to *base*. Of an
    editable project, only its metadata matters: its modules are used where they are.
    """
    for option, argument in zip(["", *arguments], arguments, strict=False):
        is_list = option in ("-r", "-c")
        path = (base if is_list else folder) / argument.rpartition("file://")[2].partition("[")[0]
        files = [path]
        if path.is_dir():
            files = [*path.glob("pyproject.toml"), *path.glob("setup.*")]
            files = sorted(files if option == "-e" else _sources(path))
        elif path.is_file() and is_list:
            lines = path.read_text("utf-8").splitlines()
            nested = [one for line in lines for one in _arguments(line.strip())]
            yield from _contents(nested, folder, path.parent)
        yield from (hashlib.sha256(one.read_bytes()).hexdigest() for one in files if one.is_file())


def _sources(folder: Path, left_out: Sequence[str] = ("build", "dist", "venv")) -> Iterator[Path]:
    """Yield the files of a project, without pages and without what is hidden or built."""
    for path in folder.iterdir():
        name = path.name
        if not (name.startswith(".") or name.endswith(_NOT_SOURCE) or name in left_out):
            yield from _sources(path, ()) if path.is_dir() else [path]


def _make(made: Path, python: str, arguments: Sequence[str], folder: Path) -> None:
    """Make an environment, with uv where it is installed; *python* is a version or ""."""
    if uv := shutil.which("uv"):
        make = [uv, "venv", "--quiet", "--relocatable", "--no-python-downloads"]
        make += ["--python", python or sys.executable, str(made)]
        # Without a refresh, uv installs a folder as it was when it was first built.
        install = [uv, "pip", "install", "--quiet", "--refresh", "--python", str(_python_in(made))]
    else:
        make = [f"python{python}" if python else sys.executable, "-m", "venv", str(made)]
        install = [str(_python_in(made)), "-m", "pip", "install", "--quiet"]
    steps = {f"starting Python {python}".strip(): make}
    steps |= {f"installing {', '.join(arguments)}": [*install, *arguments]} if arguments else {}
    for step, command in steps.items():
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            message = f"{step} failed, and none is kept from an earlier run\n"
            raise EnvironmentNotMadeError(message + (done.stderr or done.stdout).strip())
