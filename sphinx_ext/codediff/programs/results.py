"""What a test run reports: failures, the number of sides, and a file with the results.

Pure: imports neither Sphinx nor pytest. Reports are those of pytest, by page and group.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from ..execution.data import Failure, Program

FORMAT = 1
Pages = Mapping[str, Any]
Reports = Mapping[tuple[str, str], Any]


@dataclass(frozen=True)
class Result:
    """A run of a program that passed."""

    day: str  # its date, such as "2026-11-22"
    python: str  # version of the interpreter, such as "3.13.0"
    versions: Mapping[str, str]  # of the distributions that the program imports, by name


def digest(docname: str, program: Program, requirements: object) -> str:
    """Return a digest of everything a program executes: its code, wherever that is on the page.

    Code may also depend on the name of the page, and on the requirements of the environment.
    """
    code = [(one.kind, one.source, one.output, sorted(one.flags.items())) for one in program.pieces]
    text = json.dumps([docname, program.group, code, sorted(program.flags), requirements])
    return hashlib.sha256(text.encode()).hexdigest()


def read(path: Path) -> dict[str, Result]:
    """Return results by digest of their programs; none if the file is not one of results."""
    with contextlib.suppress(OSError, ValueError, TypeError, LookupError, AttributeError):
        data = json.loads(path.read_text("utf-8"))
        if data["format"] == FORMAT:
            return {key: Result(**result) for key, result in data["results"].items()}
    return {}


def write_file(path: Path, text: str) -> None:
    """Write a text file such that readers see the old content or the new, never a part.

    Raises:
        OSError: If the file cannot be written; the old content is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_text(text, "utf-8", newline="\n")
    partial.replace(path)


def today() -> str:
    """Return the date, or that of ``SOURCE_DATE_EPOCH``."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    return str(datetime.fromtimestamp(int(seconds), UTC).date() if seconds else date.today())


def summary(results: Sequence[Result]) -> tuple[str, str, str]:
    """Return the distributions and the versions of Python in words, and the oldest day."""
    versions: dict[str, dict[str, None]] = {}
    for name, version in (pair for one in results for pair in sorted(one.versions.items())):
        versions.setdefault(name, {})[version] = None
    pythons = dict.fromkeys(one.python.rpartition(".")[0] for one in results)
    libraries = ", ".join(f"{name} {' / '.join(known)}" for name, known in versions.items())
    return libraries, " / ".join(pythons), min(one.day for one in results)


def count_sides(pages: Pages, reports: Reports, root: Path) -> str:
    """Return the line that counts the blocks and their sides."""
    blocks, counts, skipped = 0, Counter[str](), list[str]()
    for path, page in pages.items():
        blocks += page["blocks"]
        skipped += [f"{relative(file, root)}:{line} {one!r}" for file, line, one in page["skipped"]]
        counts["not run"] += len(page["unexecuted"])
        for group, sides in page["sides"].items():
            report = reports.get((path, group))
            counts["not run" if not report else "ran" if report.passed else "failed"] += sides
    names = f" ({', '.join(skipped)})" if skipped else ""
    parts = [f"{counts['ran']} ran", f"{len(skipped)} skipped by name{names}"]
    parts += [f"{counts[one]} {one}" for one in ("failed", "not run") if counts[one]]
    total = counts.total() + len(skipped)
    return f"codediff: {blocks} blocks, {total} sides: {', '.join(parts)}"


def write_results(file: Path, pages: Pages, reports: Reports) -> None:
    """Write which programs passed, and keep what is known of those that did not run.

    A file with these results is left, as pages depend on its time.

    Raises:
        OSError: If the file cannot be written.
    """
    known = read(file)
    results = dict[str, Result]()
    for path, page in pages.items():
        for group, digest in page["digests"].items():
            report = reports.get((path, group))
            if report and report.passed:
                properties: dict[str, Any] = dict(report.user_properties)
                results[digest] = Result(**json.loads(properties["codediff"]))
            elif digest in known and not report:
                results[digest] = known[digest]
    if results != known or not file.exists():
        data = {"format": FORMAT, "results": {key: asdict(one) for key, one in results.items()}}
        write_file(file, json.dumps(data, indent=1, sort_keys=True))


def explain(failure: Failure, root: Path) -> str:
    """Return the location of a failure with the lines around it, and what happened there."""
    message, *notes = failure.message.split("\n")
    side = f"  (side {failure.title!r})" if failure.title else ""
    shown = [f"{failure.file}:{failure.line}: {message}{side}", *notes]
    path = Path(root, failure.file)
    lines = path.read_text("utf-8").split("\n") if path.is_file() else []
    for number in range(max(1, failure.line - 2), min(len(lines), failure.line + 2) + 1):
        mark = ">" if number == failure.line else " "
        shown.append(f"{mark} {number:4} | {lines[number - 1]}".rstrip())
    if failure.traceback:
        shown += ["", failure.traceback.rstrip()]
    elif failure.expected or failure.got:
        shown += ["", "  expected (-) and got (+)"]
        shown += difflib.ndiff(failure.expected.splitlines(), failure.got.splitlines())
    return "\n".join(shown)


@cache
def relative(path: str | Path, root: Path) -> str:
    """Return a path relative to a folder, with links to folders resolved, as Sphinx does."""
    folder = os.path.relpath(os.path.realpath(Path(path).parent), os.path.realpath(root))
    return str(Path(folder, Path(path).name))
