"""Programs as pytest items: ``pytest --codediff docs``.

Loaded by every run of pytest in which the package is installed: what only ``--codediff`` needs
is imported where it is used.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .execution.data import Outcome, Program
    from .execution.runner import Runner

SESSION = pytest.StashKey["Session"]()
TIMEOUT = pytest.StashKey[float | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("codediff")
    group.addoption("--codediff", action="store_true", help="run the code that Sphinx pages show")
    parser.addini("codediff_source", "source folder of the pages, if not the first argument")
    parser.addini("codediff_timeout", "seconds a program may take; 0 is no limit", default="60")
    parser.addini("codediff_cwd", "working directory of programs, if not a temporary folder each")


def pytest_configure(config: pytest.Config) -> None:
    """Have the pages read, unless this is a worker, which receives their programs."""
    if not config.getoption("--codediff"):
        return
    worker_input = getattr(config, "workerinput", None)
    if worker_input is None:
        session: Session = Controller(config, _read_pages(config))
    else:
        session = Session(config, json.loads(worker_input["codediff"]))
    config.stash[SESSION] = session
    config.pluginmanager.register(session, "codediff-session")


def _read_pages(config: pytest.Config) -> dict[str, Any]:
    """Have Sphinx read the pages that changed, and return the programs of all.

    Raises:
        pytest.UsageError: If that fails.
    """
    from .programs.reading import ReadingError, read_pages, source_folder
    from .programs.results import today

    arguments = [config.invocation_params.dir / str(one).partition("::")[0] for one in config.args]
    named: str = config.getini("codediff_source")
    source = config.rootpath / named if named else source_folder(arguments[0].resolve())
    try:
        today()
        return read_pages(source, _cache(config), root=config.rootpath, arguments=arguments)
    except (OSError, OverflowError, ReadingError, ValueError) as error:
        raise pytest.UsageError(f"--codediff: {error}") from None


def _cache(config: pytest.Config) -> Path:
    """Return the plugin's folder in pytest's cache; without a cache, a temporary one."""
    if cache := getattr(config, "cache", None):
        with contextlib.suppress(OSError):  # pytest, too, works without writing its cache
            folder = Path(cache.mkdir("codediff"))
            tempfile.TemporaryFile(dir=folder).close()
            return folder
    temporary = tempfile.TemporaryDirectory()
    config.add_cleanup(temporary.cleanup)
    return Path(temporary.name)


class Session:
    """A test run with ``--codediff``, in the process that executes items.

    Args:
        config: pytest's configuration.
        data: The programs of all pages, from `read_pages`.
    """

    def __init__(self, config: pytest.Config, data: dict[str, Any]) -> None:
        self.config, self.data = config, data
        self.collected: set[str] = set()
        self.runners: dict[str, Runner] = {}

    @property
    def pages(self) -> dict[str, Any]:
        """The pages by path, relative to pytest's root."""
        pages: dict[str, Any] = self.data["pages"]
        return pages

    def relative(self, path: str | Path) -> str:
        """Return a path relative to pytest's root, with links to folders resolved."""
        from .programs.reading import relative

        return relative(path, self.config.rootpath)

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
        """Collect a page that has something to run, in place of pytest's own doctests."""
        found = yield
        name = self.relative(file_path)
        page = self.pages.get(name)
        if page is None or not (page["programs"] or page["unexecuted"]):
            return found
        self.collected.add(name)
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["codediff"] = sorted(self.collected)
        if not self.config.getoption("doctestglob", None):
            found = [one for one in found if type(one).__module__ != "_pytest.doctest"]
        return [PageFile.from_parent(parent, path=file_path), *found]

    def runner(self, environment: str) -> Runner:
        """Return the runner of an environment, which is made if need be.

        Raises:
            EnvironmentNotMadeError: If it cannot be made.
        """
        if environment not in self.runners:
            from .execution.data import Program
            from .execution.environments import python_of
            from .execution.runner import Runner

            python = sys.executable
            if environment:
                requirements = self.data["environments"].get(environment)
                cache = _cache(self.config) / "environments"
                python = str(python_of(environment, requirements, cache=cache))
            path = [one for one in self.data["path"] if one not in sys.path]
            measure = current_coverage() is not None
            root, cwd = self.config.rootpath, self.config.getini("codediff_cwd")
            runner = Runner(
                python, root=root, path=path, measure=measure, cwd=root / cwd if cwd else None
            )
            programs = [one for page in self.pages.values() for one in page["programs"]]
            runner.share_imports(
                Program.from_json(one) for one in programs if one["environment"] == environment
            )
            self.config.add_cleanup(runner.close)
            self.runners[environment] = runner
        return self.runners[environment]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep ``--pdb`` from opening a debugger here, after the one on the page."""
        report = yield
        if isinstance(item, ProgramItem) and self.config.getoption("usepdb"):
            call.excinfo = None
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> bool | None:
        """Leave the time limit of pytest-timeout to the runner."""
        if isinstance(item, ProgramItem):
            item.stash[TIMEOUT] = settings.timeout
            return True
        return None

    @pytest.hookimpl(optionalhook=True)
    def pytest_timeout_cancel_timer(self, item: pytest.Item) -> bool | None:
        """Leave pytest-timeout no timer to cancel."""
        return True if isinstance(item, ProgramItem) else None


class Controller(Session):
    """The process that reports: the only one, or the controller of pytest-xdist."""

    def __init__(self, config: pytest.Config, data: dict[str, Any]) -> None:
        super().__init__(config, data)
        self.reports: dict[tuple[str, str], pytest.TestReport] = {}
        self.problems: list[str] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Send the programs to a worker of pytest-xdist, which may be on another host."""
        node.workerinput["codediff"] = json.dumps(self.data)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add the pages that a worker collected."""
        self.collected.update(getattr(node, "workeroutput", {}).get("codediff", ()))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the report of a program, wherever it ran."""
        path, _line, name = report.location
        if report.when == "call":
            self.reports[self.relative(self.config.rootpath / path), name] = report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the results, and fail if pytest has not collected a page it should have."""
        from .programs.reporting import write_results

        file = self.data["results"]
        try:
            if file:
                write_results(Path(file), self.pages, self.reports)
        except OSError as error:
            self.problems.append(f"{file} cannot be written: {error.strerror}")
            session.exitstatus = session.exitstatus or pytest.ExitCode.INTERNAL_ERROR
        passed = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if (missed := self._missed_pages()) and session.exitstatus in passed:
            message = f"pytest did not collect {', '.join(missed)}; see its setting"
            self.problems.append(f"{message} 'norecursedirs'")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _missed_pages(self) -> list[str]:
        """Return pages below the arguments that pytest left out for the mere name of a folder."""
        first = self.config.invocation_params.dir
        arguments = [
            os.path.realpath(first / str(one).partition("::")[0]) for one in self.config.args
        ]
        return [
            name
            for name, page in self.pages.items()
            if (page["programs"] or page["unexecuted"]) and name not in self.collected
            if any(Path(os.path.realpath(page["path"])).is_relative_to(one) for one in arguments)
            if not self._is_ignored(self.config.rootpath / name)
        ]

    def _is_ignored(self, path: Path) -> bool:
        """Whether an option or a plugin leaves a page out, unlike ``norecursedirs``."""
        first = self.config.invocation_params.dir
        ignored = [os.path.realpath(first / one) for one in self.config.getoption("ignore") or ()]
        patterns = self.config.getini("norecursedirs")
        hook = self.config.hook.pytest_ignore_collect
        depth = len(path.relative_to(self.config.rootpath).parts) - 1
        return any(
            os.path.realpath(one) in ignored
            or (
                not any(one.match(pattern) for pattern in patterns)
                and hook(collection_path=one, config=self.config)
            )
            for one in (path, *path.parents[:depth])
        )

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Count the blocks and their sides."""
        from .programs.reporting import count_sides

        for problem in self.problems:
            terminalreporter.write_line(f"codediff: {problem}")
        terminalreporter.write_line(count_sides(self.pages, self.reports, self.config.rootpath))


class PageFile(pytest.File):
    """A page."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield its programs, and its sides that are not executed."""
        from .execution.data import Program
        from .programs.reporting import item_names, printable

        session = self.config.stash[SESSION]
        page = session.pages[session.relative(self.path)]
        names = item_names(page)
        for data in page["programs"]:
            program = Program.from_json(data)
            yield ProgramItem.from_parent(self, name=names[program.group], program=program)
        for file, line, title in page["unexecuted"]:
            location = f"{session.relative(file)}:{line}"
            name = f"{printable(title)} (not executed)"
            yield UnexecutedItem.from_parent(self, name=name, side=location)


def current_coverage() -> Any:
    """Return the measurement of coverage.py in this process, if one uses the plugin for pages."""
    if "coverage" not in sys.modules:
        return None
    from . import coverage_plugin

    return coverage_plugin.current()


class ProgramError(Exception):
    """A program failed."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.failures[0].message)
        self.outcome = outcome


class ProgramItem(pytest.Item):
    """All code of one group on one page."""

    def __init__(self, *, program: Program, **others: Any) -> None:
        super().__init__(**others)
        self.program = program

    def runtest(self) -> None:
        """Run the program in a process of its own.

        Raises:
            ProgramError: If it fails.
        """
        from dataclasses import asdict

        from .programs.results import Result, today

        runner = self.config.stash[SESSION].runner(self.program.environment)
        limit = self.stash.get(TIMEOUT, None) or float(self.config.getini("codediff_timeout"))
        outcome = self._debug(runner) or runner.run(self.program, limit)
        if coverage := current_coverage():
            from .coverage_plugin import record

            record(coverage, self.program, outcome, root=self.config.rootpath)
        result = Result(today(), outcome.python, outcome.versions)
        self.user_properties.append(("codediff", json.dumps(asdict(result))))
        if outcome.stdout:
            self.add_report_section("call", "stdout", outcome.stdout)
        if not outcome.passed:
            raise ProgramError(outcome)

    def _debug(self, runner: Runner) -> Outcome | None:
        """Run the program in the terminal, if pytest is called with ``--pdb``."""
        if not self.config.getoption("usepdb"):
            return None
        capture = self.config.pluginmanager.getplugin("capturemanager")
        capture.suspend(in_=True)
        try:
            return runner.run(self.program, debug=True)
        finally:
            capture.resume()

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Show the lines of the page, not those of the runner."""
        from .execution.environments import EnvironmentNotMadeError
        from .programs.reporting import explain

        if isinstance(excinfo.value, (EnvironmentNotMadeError, OSError, RuntimeError)):
            return f"{self.program.group!r} could not be run: {excinfo.value}"
        if isinstance(excinfo.value, ProgramError):
            root = self.config.rootpath
            return "\n\n".join(explain(one, root) for one in excinfo.value.outcome.failures)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the page, the index of the program's first line, and its group."""
        return self.path, self.program.pieces[0].line - 1, self.name


class UnexecutedItem(pytest.Item):
    """A side that is neither executed nor skipped by name: it fails."""

    def __init__(self, *, side: str, **others: Any) -> None:
        super().__init__(**others)
        self.side = side

    def runtest(self) -> None:
        """Fail, since there is nothing to run."""
        message = f"{self.side}: {self.name}; name its group in ':skip-test:'"
        pytest.fail(message, pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the page and the side."""
        return self.path, None, self.name
