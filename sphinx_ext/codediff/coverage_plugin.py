"""Coverage of the pages themselves, for coverage.py: ``plugins = codediff.coverage_plugin``.

Programs run in processes that know nothing of coverage.py: they note which of the pages' lines
run, and `record` adds those to what coverage.py gathers in the process of the tests.
Written after https://coverage.readthedocs.io/en/latest/plugins.html.
"""

from __future__ import annotations

import json
import os
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from coverage import Coverage, CoveragePlugin, FileReporter, FileTracer
from coverage.exceptions import CoverageException, CoverageWarning
from coverage.plugin_support import Plugins

from .execution.data import Outcome, Piece, Program
from .execution.measure import statements

PROGRAMS = ".pytest_cache/d/codediff/programs.json"
NAME = f"{__name__}.PagePlugin"


def coverage_init(registry: Plugins, options: Mapping[str, Any]) -> None:
    """Register the plugin; its option ``programs`` is where the pytest plugin left programs."""
    registry.add_file_tracer(PagePlugin(Path(options.get("programs", PROGRAMS))))


class PagePlugin(CoveragePlugin):
    """Knows the files of pages, and their lines that have to run.

    Args:
        programs: What the builder ``codediff-programs`` wrote.
    """

    def __init__(self, programs: Path) -> None:
        self.programs = programs.absolute()

    @cached_property
    def pieces(self) -> dict[str, list[Piece]]:
        """The code of all pages, by absolute path; empty if none was collected."""
        found: defaultdict[str, list[Piece]] = defaultdict(list)
        if self.programs.is_file():
            try:
                pages = json.loads(self.programs.read_text("utf-8"))["pages"]
                for program in (one for page in pages for one in page["programs"]):
                    for piece in Program.from_json(program).pieces:
                        found[piece.file].append(piece)
            except (AttributeError, LookupError, TypeError, ValueError, OSError) as error:
                message = f"{self.programs} is not what a test run leaves, run one: {error!r}"
                raise CoverageException(message) from error
        return found

    def file_tracer(self, filename: str) -> FileTracer | None:
        """Claim code that was compiled under the name of a page in this very process."""
        path = str(Path(filename).absolute())
        return PageTracer(path) if _is_page(path) and path in self.pieces else None

    def file_reporter(self, filename: str) -> FileReporter:
        """Return what knows the lines of a page."""
        return PageReporter(filename, self.pieces.get(str(Path(filename).absolute()), ()))


class PageTracer(FileTracer):
    """Names the page as the source of its code, whose lines are those of the page already."""

    def __init__(self, path: str) -> None:
        self.path = path

    def source_filename(self) -> str:
        """Return the path of the page."""
        return self.path


class PageReporter(FileReporter):
    """Tells which lines of a page have to run."""

    def __init__(self, filename: str, pieces: Iterable[Piece]) -> None:
        super().__init__(filename)
        found = [statements(piece) for piece in pieces]
        self.counted = {line for lines, _excluded in found for line in lines}
        self.excluded = {line for _lines, excluded in found for line in excluded} - self.counted

    def lines(self) -> set[int]:
        """Return the first lines of statements that are not excluded."""
        return self.counted

    def excluded_lines(self) -> set[int]:
        """Return those that the author marked ``# pragma: no cover``."""
        return self.excluded


def current() -> Coverage | None:
    """Return what gathers coverage in this process, if it has this plugin."""
    coverage = Coverage.current()
    plugins = coverage.get_option("run:plugins") if coverage else ()
    return coverage if __name__ in (plugins or ()) else None  # type: ignore[operator]


def record(coverage: Coverage, program: Program, outcome: Outcome, *, root: Path) -> None:
    """Add what a program executed to what coverage.py has gathered.

    Args:
        coverage: As `current` returns it.
        program: What ran.
        outcome: What became of it, measured.
        root: What the files of the program are relative to.
    """
    files = {piece.file for piece in program.pieces if not piece.file.startswith("<")}
    lines = {str(Path(root, file)): outcome.lines.get(file, []) for file in files}
    if coverage.get_option("run:relative_files"):
        lines = {os.path.relpath(file): ran for file, ran in lines.items()}
    with warnings.catch_warnings(category=CoverageWarning, action="ignore"):
        data = coverage.get_data()  # which, but for pages, may well be empty
    if coverage.get_option("run:branch"):
        data.add_arcs({file: {(-1, line) for line in ran} for file, ran in lines.items()})
    else:
        data.add_lines(lines)
    # A module whose code is shown stays one of Python, measured where it is imported too.
    data.add_file_tracers({file: NAME for file in lines if _is_page(file)})


def _is_page(file: str) -> bool:
    return not file.endswith(".py")
