"""Programs as pytest items: ``pytest --codediff docs``.

Loaded by every run of pytest in which the package is installed: what only ``--codediff`` needs
is imported where it is used.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .execution.data import Outcome, Program
    from .execution.runner import Runner

NAME = "codediff-session"
MAX_TIMEOUT = 1_000_000


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("codediff")
    group.addoption("--codediff", action="store_true", help="run the code that Sphinx pages show")
    group.addoption("--codediff-update", action="store_true", help="write outputs to the pages")
    parser.addini("codediff_source", "source folder of the pages, if not the first argument")
    parser.addini("codediff_timeout", "seconds a program may take; 0 is no limit", default="60")
    parser.addini("codediff_cwd", "working directory of programs, if not a temporary folder each")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Keep workers of pytest-xdist from clearing the cache that the controller has filled."""
    if config.getoption("--codediff") and hasattr(config, "workerinput"):
        config.option.cacheclear = False


def pytest_configure(config: pytest.Config) -> None:
    """Have the pages read, unless this is a worker, which receives their programs."""
    if not config.getoption("--codediff"):
        return
    if hasattr(config, "workerinput"):
        session = Session(config, json.loads(config.workerinput["codediff"]))
    else:
        session = Controller(config)
    config.pluginmanager.register(session, NAME)


def _read_pages(config: pytest.Config) -> dict[str, Any]:
    """Have Sphinx read the pages that changed, and return the programs of all.

    Raises:
        pytest.UsageError: If that fails, or a setting has a wrong value.
    """
    from .execution.environments import parse_definition
    from .programs.reading import ReadingError, read_pages, source_folder
    from .programs.results import today

    arguments = [config.invocation_params.dir / str(one).partition("::")[0] for one in config.args]
    named: str = config.getini("codediff_source")
    source = config.rootpath / named if named else source_folder(arguments[0].resolve())
    try:
        cache = _cache(config)
        today()
        if not 0 <= float(config.getini("codediff_timeout")) <= MAX_TIMEOUT:
            raise ValueError(f"codediff_timeout has to be from 0 to {MAX_TIMEOUT} seconds")
        if not (config.rootpath / config.getini("codediff_cwd")).is_dir():
            raise ValueError(f"codediff_cwd: there is no folder {config.getini('codediff_cwd')!r}")
        data = read_pages(source, cache, root=config.rootpath, arguments=arguments)
        for name, definition in data["environments"].items():
            parse_definition(name, definition)
    except (OSError, OverflowError, ReadingError, ValueError) as error:
        raise pytest.UsageError(f"--codediff: {error}") from None
    if plugin := _coverage_plugin():
        plugin.PagePlugin.latest = cache / "programs.json"
    return data


def _cache(config: pytest.Config) -> Path:
    """Return the plugin's folder in pytest's cache; without a cache, a temporary one."""
    if cache := getattr(config, "cache", None):
        return Path(cache.mkdir("codediff"))
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
        self.pages: dict[str, Any] = data["pages"]
        self.runners: dict[str, Runner] = {}

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
        page = self.pages.get(self.relative(file_path), {})
        if not any(page.get(kind) for kind in ("programs", "unexecuted", "warnings")):
            return found
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
                known, folder = self.data["environments"], self.config.rootpath / self.data["conf"]
                cache = _cache(self.config) / "environments"
                python = str(python_of(environment, known, cache=cache, folder=folder))
            root, cwd = self.config.rootpath, self.config.getini("codediff_cwd")
            runner = Runner(
                python,
                root=root,
                path=[one for one in self.data["path"] if one not in sys.path],
                measure=bool((plugin := _coverage_plugin()) and plugin.current()),
                cwd=root / cwd if cwd else None,
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
            item.timeout = settings.timeout or item.timeout
            return True
        return None

    @pytest.hookimpl(optionalhook=True)
    def pytest_timeout_cancel_timer(self, item: pytest.Item) -> bool | None:
        """Leave pytest-timeout no timer to cancel."""
        return True if isinstance(item, ProgramItem) else None


class Controller(Session):
    """The process that reports: the only one, or the controller of pytest-xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self.begin = time.time()
        super().__init__(config, _read_pages(config))
        self.reports: dict[tuple[str, str], pytest.TestReport] = {}
        self.messages: list[str] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Send the programs to a worker of pytest-xdist, which may be on another host."""
        node.workerinput["codediff"] = json.dumps(self.data)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the report of a program, wherever it ran."""
        group = dict(report.user_properties).get("codediff-group")
        if report.when == "call" and group is not None:
            path = self.relative(self.config.rootpath / report.location[0])
            self.reports[path, str(group)] = report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the results and, if it is wanted, the outputs."""
        from .programs.reporting import write_results

        if self.config.getoption("--codediff-update"):
            self._update_outputs()
        file = self.data["results"]
        try:
            if file:
                write_results(Path(file), self.pages, self.reports)
        except OSError as error:
            self.messages.append(f"{file} cannot be written: {error.strerror}")
            session.exitstatus = session.exitstatus or pytest.ExitCode.INTERNAL_ERROR

    def _update_outputs(self) -> None:
        """Write the output of programs that failed for their output alone to the pages."""
        from .execution.data import Failure, Program
        from .programs.updating import update_outputs

        outcomes = []
        for path, page in self.pages.items():
            for program in map(Program.from_json, page["programs"]):
                report = self.reports.get((path, program.group))
                known = dict(report.user_properties) if report else {}
                failures = json.loads(str(known.get("codediff-failures", "[]")))
                outcomes.append((program, [Failure(**one) for one in failures]))
        root = self.config.rootpath
        self.messages += update_outputs(outcomes, since=self.begin, root=root)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Count the blocks and their sides."""
        from .programs.reporting import count_sides

        for message in self.messages:
            terminalreporter.write_line(f"codediff: {message}")
        terminalreporter.write_line(count_sides(self.pages, self.reports, self.config.rootpath))


class PageFile(pytest.File):
    """A page."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield its programs, its sides that are not executed, and its warnings."""
        from .execution.data import Program
        from .programs.reporting import item_name

        session = self.config.pluginmanager.getplugin(NAME)
        page = session.pages[session.relative(self.path)]
        for program in map(Program.from_json, page["programs"]):
            name = item_name(program.group)
            yield ProgramItem.from_parent(self, name=name, program=program)
        for file, line, title in page["unexecuted"]:
            name = f"{item_name(title)} (not executed)"
            advice = "see the warnings" if page["warnings"] else "name its group in ':skip-test:'"
            message = f"{session.relative(file)}:{line}: {name}; {advice}"
            yield MistakeItem.from_parent(self, name=name, message=message)
        for number, (location, kind, text) in enumerate(page["warnings"], 1):
            file, _colon, line = location.rpartition(":")
            message = f"{session.relative(file)}:{line}: {text} [{kind}]"
            yield MistakeItem.from_parent(self, name=f"warning {number} ({kind})", message=message)


def _coverage_plugin() -> Any:
    """Return the plugin for coverage.py, if coverage.py has imported it in this process."""
    return sys.modules.get(f"{__package__}.coverage_plugin")


class ProgramItem(pytest.Item):
    """All code of one group on one page."""

    def __init__(self, *, program: Program, **others: Any) -> None:
        super().__init__(**others)
        self.program = program
        self.timeout = float(self.config.getini("codediff_timeout"))
        # Names of items may be the same, those of groups are not.
        self.user_properties.append(("codediff-group", program.group))

    def runtest(self) -> None:
        """Run the program in a process of its own, and fail as it does."""
        from dataclasses import asdict

        from .execution.environments import EnvironmentNotMadeError
        from .programs.reporting import explain
        from .programs.results import Result, today

        program, root = self.program, self.config.rootpath
        try:
            runner = self.config.pluginmanager.getplugin(NAME).runner(program.environment)
            outcome = self._debug(runner) or runner.run(program, self.timeout)
        except (EnvironmentNotMadeError, OSError, RuntimeError) as error:
            piece = next((one for one in program.pieces if one.title), program.pieces[0])
            message = f"{piece.file}:{piece.line}: {program.group!r} could not be run: {error}"
            raise pytest.fail.Exception(message, pytrace=False) from None
        if plugin := _coverage_plugin():
            plugin.record(program, outcome, root)
        result = Result(today(), outcome.python, outcome.versions)
        self.user_properties.append(("codediff", json.dumps(asdict(result))))
        if self.config.getoption("--codediff-update"):
            failures = json.dumps([asdict(one) for one in outcome.failures])
            self.user_properties.append(("codediff-failures", failures))
        if outcome.stdout:
            self.add_report_section("call", "stdout", outcome.stdout)
        if not outcome.passed:
            text = "\n\n".join(explain(one, root) for one in outcome.failures)
            pytest.fail(text, pytrace=False)

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

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the page, the index of the program's first line, and its group."""
        return self.path, self.program.pieces[0].line - 1, self.name


class MistakeItem(pytest.Item):
    """A mistake on a page, such as a side that is neither executed nor skipped: it fails."""

    def __init__(self, *, message: str, **others: Any) -> None:
        super().__init__(**others)
        self.message = message

    def runtest(self) -> None:
        """Fail with the location and the mistake."""
        pytest.fail(self.message, pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the page and the name of the mistake."""
        return self.path, None, self.name
