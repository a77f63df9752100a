"""Coverage of the pages themselves, for coverage.py: ``plugins = codediff.coverage_plugin``.

Programs run in processes without coverage.py: the runner measures which of the pages' lines run,
and `record` adds those to the data that coverage.py gathers in the process of the tests.
Written after https://coverage.readthedocs.io/en/latest/plugins.html.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from coverage import Coverage, CoveragePlugin, FileReporter
from coverage.exceptions import CoverageException, CoverageWarning
from coverage.plugin_support import Plugins

from .execution.data import Outcome, Piece, Program
from .execution.measure import Lines

PROGRAMS = ".pytest_cache/d/codediff/programs.json"
NAME = f"{__name__}.PagePlugin"


def coverage_init(registry: Plugins, options: Mapping[str, Any]) -> None:
    """Register the plugin; its option ``programs`` is the path of the list of programs."""
    # Not as a file tracer: coverage.py traces no page, and asks the plugin for reports alone.
    registry.add_configurer(PagePlugin(Path(options.get("programs", PROGRAMS))))


class PagePlugin(CoveragePlugin):
    """Knows the files of pages, and their lines that have to run.

    Args:
        programs: The file that the builder ``codediff-programs`` wrote.
    """

    latest: ClassVar[Path | None] = None  # of a test run in this process

    def __init__(self, programs: Path) -> None:
        self.programs = programs.absolute()

    @cached_property
    def pieces(self) -> list[Piece]:
        """The code of all pages.

        Raises:
            CoverageException: If the file is not there, or has another format.
        """
        file = self.latest or self.programs
        try:
            pages = json.loads(file.read_text("utf-8"))["pages"]
            programs = [Program.from_json(one) for page in pages for one in page["programs"]]
        except (AttributeError, LookupError, TypeError, ValueError, OSError) as error:
            message = f"{file} is not the list of a test run, start one: {error!r}"
            raise CoverageException(message) from error
        return [piece for program in programs for piece in program.pieces]

    def file_reporter(self, filename: str) -> FileReporter:
        """Return the reporter of a page."""
        path = str(Path(filename).absolute())
        return PageReporter(filename, [one for one in self.pieces if one.file == path])


class PageReporter(FileReporter):
    """Knows which lines of a page have to run."""

    def __init__(self, filename: str, pieces: Iterable[Piece]) -> None:
        super().__init__(filename)
        found = [Lines(piece) for piece in pieces]
        self.counted = set[int]().union(*(one.statements for one in found))
        self.excluded = set[int]().union(*(one.excluded for one in found)) - self.counted
        self.first = {line: first for one in found for line, first in one.first.items()}

    def lines(self) -> set[int]:
        """Return the first lines of statements that are not excluded."""
        return self.counted

    def excluded_lines(self) -> set[int]:
        """Return those that the author marked ``# pragma: no cover``."""
        return self.excluded

    def translate_lines(self, lines: Iterable[int]) -> set[int]:
        """Return the first lines of the statements that the lines belong to."""
        return {self.first[line] for line in lines if line in self.first}


def current() -> Coverage | None:
    """Return the measurement of this process, if there is one that uses this plugin."""
    coverage = Coverage.current()
    plugins = coverage.get_option("run:plugins") if coverage else ()
    return coverage if __name__ in (plugins or ()) else None  # type: ignore[operator]


def record(program: Program, outcome: Outcome, root: Path) -> None:
    """Add the lines that a program executed to the data of coverage.py, if it measures.

    Args:
        program: The program.
        outcome: Its outcome, with lines measured.
        root: Folder that the files of the program are relative to.
    """
    if not (coverage := current()):
        return
    files = {piece.file for piece in program.pieces if not piece.file.startswith("<")}
    lines = {str(Path(root, file)): outcome.lines.get(file, []) for file in files}
    if coverage.get_option("run:relative_files"):
        lines = {os.path.relpath(file): ran for file, ran in lines.items()}
    with warnings.catch_warnings(category=CoverageWarning, action="ignore"):
        data = coverage.get_data()  # may be empty apart from pages
    if coverage.get_option("run:branch"):
        data.add_arcs({file: {(-1, line) for line in ran} for file, ran in lines.items()})
    else:
        data.add_lines(lines)
    # A module whose code is shown stays a Python file, which may be imported and measured too.
    data.add_file_tracers({file: NAME for file in lines if not file.endswith(".py")})
