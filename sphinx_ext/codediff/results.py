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
from pathlib import Path

from .run import Program

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
        ValueError: If the file is cut short, or not of this version.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, not {FORMAT}")
        return {key: Result(**known) for key, known in data["results"].items()}
    except FileNotFoundError:
        return {}
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a file of results: {error}") from error


def digest_of_file(path: Path) -> str:
    """Return what is the same for two states of a file only if they are equal."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def write(path: Path, results: Mapping[str, Result]) -> None:
    """Write results so that a reader finds the old ones or the new ones, and nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {"format": FORMAT, "results": {key: asdict(one) for key, one in results.items()}}
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1, sort_keys=True)
    Path(name).replace(path)


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
