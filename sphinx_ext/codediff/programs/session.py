"""A run of pytest with ``--codediff``: pages are files, and their programs are items."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ..execution.data import Failure, Program
from ..execution.environments import EnvironmentNotMadeError, python_of
from ..execution.runner import Runner
from .reading import read_pages
from .results import Result, count_sides, explain, relative, today, write_results
from .updating import update_outputs

NAME = "codediff-session"
COVERAGE = "codediff.coverage_plugin"  # loaded if coverage.py uses it in this process
JAX_CACHE = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}  # sides share what compiles fast


class Session:
    """The programs of all pages, in the process that reports and in workers of pytest-xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self.begin = time.time()
        self.config, self.root = config, config.rootpath
        self.worker: dict[str, Any] = getattr(config, "workerinput", {})
        temporary = tempfile.TemporaryDirectory()
        config.add_cleanup(temporary.cleanup)
        try:
            cache = getattr(config, "cache", None)
            self.cache = Path(cache.mkdir("codediff") if cache else temporary.name)
            self.data = self.worker.get("codediff", {"jax_dir": f"{temporary.name}/jax"})
            self.first = self.make_runner(sys.executable)
            if not self.worker:
                if config.getoption("dist", "no") == "no":
                    self.first.start()  # while Sphinx reads the pages
                self.data |= read_pages(config, self.cache)
        except (OSError, OverflowError, ValueError) as error:
            raise pytest.UsageError(f"--codediff: {error}") from None
        if plugin := sys.modules.get(COVERAGE):
            plugin.PagePlugin.programs = str(self.cache / "programs.json")
        self.pages: dict[str, Any] = self.data["pages"]
        self.collected: list[Program] = []
        self.runners: dict[str, Runner] = {}
        self.reports: dict[tuple[str, str], pytest.TestReport] = {}
        self.messages: list[str] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Send the programs to a worker of pytest-xdist, which may be on another host."""
        node.workerinput["codediff"] = self.data

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
        """Collect a page that has something to run, in place of pytest's own doctests."""
        found = yield
        page = self.pages.get(relative(file_path, self.root), {})
        if not any(page.get(kind) for kind in ("programs", "unexecuted", "warnings")):
            return found
        if not self.config.getoption("doctestglob", None):
            found = [one for one in found if type(one).__module__ != "_pytest.doctest"]
        return [PageFile.from_parent(parent, path=file_path), *found]

    def runner(self, environment: str) -> Runner:
        """Return the runner of an environment, or raise EnvironmentNotMadeError."""
        if environment in self.runners:
            return self.runners[environment]
        runner = self.first
        if environment:
            known, folder = self.data["environments"], self.root / self.data["conf"]
            cache = self.cache / "environments"
            python = python_of(environment, known, cache=cache, folder=folder)
            runner = self.make_runner(str(python))
        cwd = self.config.getini("codediff_cwd")
        runner.cwd = self.root / cwd if cwd else None
        runner.path = self.data["path"]
        jax = {"JAX_COMPILATION_CACHE_DIR": self.data["jax_dir"], **JAX_CACHE}
        runner.environ = {**jax, **os.environ}  # only now: hooks of pytest may have changed it
        runner.share_imports(one for one in self.collected if one.environment == environment)
        self.runners[environment] = runner
        return runner

    def make_runner(self, python: str) -> Runner:
        """Return a runner with an interpreter, which is closed with the session."""
        runner = Runner(python, root=self.root, measure=COVERAGE in sys.modules)
        self.config.add_cleanup(runner.close)
        return runner

    @pytest.hookimpl(optionalhook=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> bool | None:
        """Leave the time limit of pytest-timeout to the runner."""
        if isinstance(item, ProgramItem):
            item.timeout = settings.timeout
            return True
        return None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the report of a program, wherever it ran."""
        group = dict(report.user_properties).get("codediff-group")
        if report.when == "call" and group is not None:
            path = relative(self.root / report.location[0], self.root)
            self.reports[path, str(group)] = report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the results and, if it is wanted, the outputs."""
        if self.worker:
            return
        if self.config.getoption("--codediff-update"):
            outcomes = []
            for path, page in self.pages.items():
                for program in map(Program.from_json, page["programs"]):
                    report = self.reports.get((path, program.group))
                    known = dict(report.user_properties) if report else {}
                    failures = json.loads(str(known.get("codediff-failures", "[]")))
                    outcomes.append((program, [Failure(**one) for one in failures]))
            self.messages += update_outputs(outcomes, since=self.begin, root=self.root)
        try:
            if file := self.data["results"]:
                write_results(Path(file), self.pages, self.reports)
        except OSError as error:
            self.messages.append(f"{file} cannot be written: {error.strerror}")
            session.exitstatus = session.exitstatus or pytest.ExitCode.INTERNAL_ERROR

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Count the blocks and their sides."""
        for message in self.messages:
            terminalreporter.write_line(f"codediff: {message}")
        terminalreporter.write_line(count_sides(self.pages, self.reports, self.root))


class PageFile(pytest.File):
    """A page."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield its programs, its sides that are not executed, and its warnings."""
        session, root = self.config.pluginmanager.getplugin(NAME), self.config.rootpath
        page = session.pages[relative(self.path, root)]
        for program in map(Program.from_json, page["programs"]):
            session.collected.append(program)
            name = program.group.replace("::", ":")  # to pytest, two colons separate names
            yield ProgramItem.from_parent(self, name=name, program=program)
        for file, line, title in page["unexecuted"]:
            name = f"{title.replace('::', ':')} (not executed)"
            advice = "see the warnings" if page["warnings"] else "it is not Python; set ':no-run:'"
            message = f"{relative(file, root)}:{line}: {name}; {advice}"
            yield MistakeItem.from_parent(self, name=name, message=message)
        for number, (location, kind, text) in enumerate(page["warnings"], 1):
            file, _colon, line = location.rpartition(":")
            message = f"{relative(file, root)}:{line}: {text} [{kind}]"
            yield MistakeItem.from_parent(self, name=f"warning {number} ({kind})", message=message)


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
        program, root = self.program, self.config.rootpath
        try:
            runner = self.config.pluginmanager.getplugin(NAME).runner(program.environment)
            outcome = runner.run(program, self.timeout)
        except (EnvironmentNotMadeError, OSError, RuntimeError) as error:
            piece = next((one for one in program.pieces if one.title), program.pieces[0])
            message = f"{piece.file}:{piece.line}: {program.group!r} could not be run: {error}"
            raise pytest.fail.Exception(message, pytrace=False) from None
        if plugin := sys.modules.get(COVERAGE):
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
