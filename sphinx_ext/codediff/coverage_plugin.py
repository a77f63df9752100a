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
    named = str(Path(options.get("programs", PROGRAMS)).absolute())
    PagePlugin.programs = PagePlugin.programs or named
    registry.add_configurer(PagePlugin())


class PagePlugin(CoveragePlugin):
    """Knows the pages by the file that the builder ``codediff-programs`` wrote."""

    programs: ClassVar[str] = ""  # its path

    @cached_property
    def pieces(self) -> list[Piece]:
        """The code of all pages.

        Raises:
            CoverageException: If the file is not there, or has another format.
        """
        try:
            pages = json.loads(Path(self.programs).read_text("utf-8"))["pages"]
            programs = [Program.from_json(one) for page in pages for one in page["programs"]]
        except (AttributeError, LookupError, TypeError, ValueError, OSError) as error:
            message = f"{self.programs} is not the list of a test run, start one: {error!r}"
            raise CoverageException(message) from error
        return [piece for program in programs for piece in program.pieces]

    def file_reporter(self, filename: str) -> FileReporter:
        """Return the reporter of a page."""
        path = str(Path(filename).absolute())
        return PageReporter(filename, [Lines(one) for one in self.pieces if one.file == path])


class PageReporter(FileReporter):
    """Knows which lines of a page have to run: first lines of statements."""

    def __init__(self, filename: str, pieces: Iterable[Lines]) -> None:
        super().__init__(filename)
        self.pieces = list(pieces)

    def lines(self) -> set[int]:
        """Return those that are not excluded."""
        return {line for one in self.pieces for line in one.statements}

    def excluded_lines(self) -> set[int]:
        """Return those that the author marked ``# pragma: no cover``."""
        return {line for one in self.pieces for line in one.excluded} - self.lines()

    def translate_lines(self, lines: Iterable[int]) -> set[int]:
        """Return the first lines of the statements that the lines belong to."""
        first = {line: first for one in self.pieces for line, first in one.first.items()}
        return {first[line] for line in lines if line in first}


def record(program: Program, outcome: Outcome, root: Path) -> None:
    """Add the lines that a program executed, relative to *root*, to the data of coverage.py."""
    if not (coverage := Coverage.current()):
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
