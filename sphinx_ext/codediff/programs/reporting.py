"""What a test run reports: failures, the number of sides, and the file of results.

Pure: imports neither Sphinx nor pytest. Reports are those of pytest, by page and group.
"""

from __future__ import annotations

import contextlib
import difflib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..execution.data import Failure
from .reading import relative
from .results import Result, read, write

Pages = Mapping[str, Any]
Reports = Mapping[tuple[str, str], Any]


def item_name(group: str) -> str:
    """Return a name for pytest, to which two colons separate names."""
    return group.replace("::", ":")


def count_sides(pages: Pages, reports: Reports, root: Path) -> str:
    """Return the line that counts the blocks and their sides."""
    blocks, counts, skipped = 0, Counter[str](), list[str]()
    for path, page in pages.items():
        blocks += page["blocks"]
        for file, line, title in page["skipped"]:
            skipped.append(f"{relative(file, root)}:{line} {title!r}")
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
    """Write which programs passed; the results of programs that did not run stay.

    Raises:
        OSError: If the file cannot be written.
    """
    results, digests = dict[str, Result](), set[str]()
    with contextlib.suppress(ValueError):
        results = read(file)
    for path, page in pages.items():
        for group, digest in page["digests"].items():
            digests.add(digest)
            report = reports.get((path, group))
            if report and report.passed:
                properties: dict[str, Any] = dict(report.user_properties)
                results[digest] = Result(**json.loads(properties["codediff"]))
            elif report:
                results.pop(digest, None)
    write(file, {digest: results[digest] for digest in digests & results.keys()})


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
