"""What a test run leaves for the pages: which programs passed, where and when.

Pure: knows neither Sphinx nor pytest.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from ..execution.data import Program

FORMAT = 1


@dataclass(frozen=True)
class Result:
    """A run of a program that passed.

    Attributes:
        day: Its date, such as "2026-11-22".
        python: Version of the interpreter, such as "3.13.0".
        versions: Versions of the distributions that the program imports, by name.
    """

    day: str
    python: str
    versions: Mapping[str, str]


def digest(docname: str, program: Program, requirements: Sequence[str] = ()) -> str:
    """Return what is the same for two programs of a page only if all that is executed is.

    Args:
        docname: The page, since code may well do other things elsewhere.
        program: On which lines its code is written does not matter.
        requirements: Those of its environment.
    """
    code = [
        (piece.kind, piece.source, piece.output, sorted(piece.flags.items()))
        for piece in program.pieces
    ]
    text = json.dumps([docname, program.group, code, sorted(program.flags), sorted(requirements)])
    return hashlib.sha256(text.encode()).hexdigest()


def read(path: Path) -> dict[str, Result]:
    """Return results by digest of their programs; none if there is no such file.

    Raises:
        ValueError: If the file cannot be read, is cut short, or not of this version.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, not {FORMAT}")
        return {key: _checked(Result(**known)) for key, known in data["results"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a file of results: {error}") from error


def _checked(result: Result) -> Result:
    texts = [result.python, *result.versions, *result.versions.values()]
    if date.fromisoformat(result.day).isoformat() != result.day or not all(
        isinstance(text, str) for text in texts
    ):
        raise TypeError(f"{result} is not a result")
    return result


def today() -> str:
    """Return the date, or the one that builds are to have for the same output every time.

    Raises:
        ValueError: If the variable ``SOURCE_DATE_EPOCH`` is not a number of seconds.
    """
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    return str(datetime.fromtimestamp(int(seconds), UTC).date() if seconds else date.today())


def digest_of_file(path: Path) -> str:
    """Return what is the same for two states of a file only if they are equal or unreadable."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def write(path: Path, results: Mapping[str, Result]) -> None:
    """Write results so that a reader finds the old ones or the new ones, and nothing between.

    Raises:
        OSError: If they cannot be written; the old ones are left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {"format": FORMAT, "results": {key: asdict(one) for key, one in results.items()}}
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1, sort_keys=True)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink()
        raise


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
