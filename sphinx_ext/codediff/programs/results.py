"""The results of a test run: which programs passed, with which versions, and when.

Pure: imports neither Sphinx nor pytest.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from ..execution.data import Program
from .files import write_file

FORMAT = 1


@dataclass(frozen=True)
class Result:
    """A run of a program that passed."""

    day: str  # its date, such as "2026-11-22"
    python: str  # version of the interpreter, such as "3.13.0"
    versions: Mapping[str, str]  # of the distributions that the program imports, by name


def digest(docname: str, program: Program, requirements: object = ()) -> str:
    """Return a digest of everything a program executes, and of the page it is on.

    Args:
        docname: Name of the page, since code may depend on it.
        program: The program; on which lines its code is written does not matter.
        requirements: Definition of its environment, as in ``codediff_environments``.
    """
    code = [
        (piece.kind, piece.source, piece.output, sorted(piece.flags.items()))
        for piece in program.pieces
    ]
    text = json.dumps([docname, program.group, code, sorted(program.flags), requirements])
    return hashlib.sha256(text.encode()).hexdigest()


def read(path: Path) -> dict[str, Result]:
    """Return results by digest of their programs; none if there is no such file.

    Raises:
        ValueError: If the file cannot be read, is cut short, or has another format.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, not {FORMAT}")
        return {key: Result(**result) for key, result in data["results"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"not a file of results: {error}") from error


def today() -> str:
    """Return the date, or that of ``SOURCE_DATE_EPOCH`` for reproducible builds.

    Raises:
        ValueError: If that variable is not a number of seconds.
    """
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    return str(datetime.fromtimestamp(int(seconds), UTC).date() if seconds else date.today())


def write(path: Path, results: Mapping[str, Result]) -> None:
    """Write results, unless the file holds the same ones: pages depend on its time.

    Raises:
        OSError: If they cannot be written; the old ones are left.
    """
    data = {"format": FORMAT, "results": {key: asdict(one) for key, one in results.items()}}
    text = json.dumps(data, indent=1, sort_keys=True)
    with contextlib.suppress(OSError, UnicodeError):
        if path.read_text("utf-8") == text:
            return
    write_file(path, text)


def summary(results: Iterable[Result]) -> tuple[str, str, str]:
    """Return the distributions and the versions of Python in words, and the oldest day."""
    found = list(results)
    versions: dict[str, dict[str, None]] = {}
    for one in found:
        for name, version in sorted(one.versions.items()):
            versions.setdefault(name, {})[version] = None
    pythons = dict.fromkeys(".".join(one.python.split(".")[:2]) for one in found)
    return (
        ", ".join(f"{name} {' / '.join(known)}" for name, known in versions.items()),
        " / ".join(pythons),
        min(one.day for one in found),
    )
