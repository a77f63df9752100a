"""Programs as pytest items: ``pytest --codediff docs``.

Thin: pages are read by Sphinx in a process of its own, once a run, and programs are executed by
``run.py`` in processes of theirs.
"""

from __future__ import annotations

import bdb
import contextlib
import difflib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .directive.invisible import spell_out
from .execution.data import Failure, Outcome, Program
from .execution.environments import EnvironmentNotMadeError, python_of
from .execution.runner import Runner
from .programs.results import Result, read, today, write

PROGRAMS = pytest.StashKey[dict[str, Any]]()
RUNNERS = pytest.StashKey[dict[str, Runner]]()
COLLECTED = pytest.StashKey[set[str]]()
PASSED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
NOTHING: dict[str, Any] = {"pages": {}}
TEMPORARY = pytest.StashKey["tempfile.TemporaryDirectory[str]"]()
TIMEOUT = pytest.StashKey[float | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what the plugin is asked with."""
    group = parser.getgroup("codediff")
    group.addoption("--codediff", action="store_true", help="run the code that Sphinx pages show")
    parser.addini("codediff_source", "source folder of the pages, if not the first argument")


def pytest_configure(config: pytest.Config) -> None:
    """Read the pages, unless this is a worker, which is handed them."""
    if not config.getoption("--codediff"):
        return
    config.stash[COLLECTED] = set()
    worker_input = getattr(config, "workerinput", None)
    if worker_input is not None:
        config.stash[PROGRAMS] = json.loads(worker_input["codediff"])
    elif not config.option.help:
        try:
            today()
            config.stash[PROGRAMS] = _read_pages(config)
        except (OSError, OverflowError, ValueError) as error:
            raise pytest.UsageError(f"--codediff: {error}") from None
        config.pluginmanager.register(_Account(config), "codediff-account")
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_Workers(), "codediff-workers")


class _Workers:
    """Hands the programs to the workers of pytest-xdist, wherever they are, and asks for pages."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["codediff"] = json.dumps(node.config.stash[PROGRAMS])

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        node.config.stash[COLLECTED] |= set(getattr(node, "workeroutput", {}).get("codediff", ()))


class _Account:
    """Tells in the end which sides ran, and leaves the results for the pages."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.reports: dict[tuple[str, str], pytest.TestReport] = {}
        self.problem = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what became of a program, wherever it ran."""
        path, _line, name = report.location
        if report.when == "call":
            self.reports[_relative(self.config.rootpath / path, self.config), name] = report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Leave the results, and fail if pytest has passed over a page that it was to run."""
        known = self.config.stash[PROGRAMS]
        if known["results"]:
            self._write(session, Path(known["results"]), known)
        first = self.config.invocation_params.dir
        asked = [_real(str(first / str(one).partition("::")[0])) for one in self.config.args]
        missed = [
            name
            for name, page in known["pages"].items()
            if (page["programs"] or page["idle"]) and name not in self.config.stash[COLLECTED]
            if any(Path(_real(page["path"])).is_relative_to(one) for one in asked)
            if not _is_ignored(self.config.rootpath / name, self.config)
        ]
        if missed and session.exitstatus in PASSED:
            self.problem = f"codediff: pytest did not look at {', '.join(missed)}; see its setting "
            self.problem += "'norecursedirs'"
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self, session: pytest.Session, path: Path, known: dict[str, Any]) -> None:
        """Write which programs passed; what is known of others that are still there stays."""
        results = _known_results(path)
        digests = set()
        for name, page in known["pages"].items():
            names = _names(page)
            for group, digest in page["digests"].items():
                digests.add(digest)
                report = self.reports.get((name, names[group]))
                if report and report.passed:
                    properties: dict[str, Any] = dict(report.user_properties)
                    results[digest] = Result(**json.loads(properties["codediff"]))
                elif report:
                    results.pop(digest, None)
        try:
            write(path, {digest: results[digest] for digest in sorted(digests & results.keys())})
        except OSError as error:
            self.problem = f"codediff: {path} cannot be written: {error.strerror}"
            session.exitstatus = session.exitstatus or pytest.ExitCode.INTERNAL_ERROR

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Count the sides, as the last thing of all."""
        if self.problem:
            print(self.problem)
        blocks, counts, skipped = 0, Counter[str](), list[str]()
        for name, page in self.config.stash[PROGRAMS]["pages"].items():
            blocks += page["blocks"]
            skipped += (
                f"{_relative(file, self.config)}:{line} {title!r}"
                for file, line, title in page["skipped"]
            )
            counts["not run"] += len(page["idle"])
            names = _names(page)
            for group, sides in page["sides"].items():
                report = self.reports.get((name, names[group]))
                verdict = "not run" if not report else "ran" if report.passed else "failed"
                counts[verdict] += sides
        parts = [f"{counts['ran']} ran", f"{len(skipped)} skipped by name"]
        parts[1] += f" ({', '.join(skipped)})" if skipped else ""
        parts += [f"{counts[one]} {one}" for one in ("failed", "not run") if counts[one]]
        total = counts.total() + len(skipped)
        print(f"codediff: {blocks} blocks, {total} sides: {', '.join(parts)}")


def _is_ignored(path: Path, config: pytest.Config) -> bool:
    """Whether pytest was told to leave a page out, other than by the mere names of folders."""
    first = config.invocation_params.dir
    ignored = [_real(str(first / one)) for one in config.getoption("ignore") or ()]
    for one in (path, *path.parents[: len(path.relative_to(config.rootpath).parts) - 1]):
        if _real(str(one)) in ignored:
            return True
        if any(one.match(pattern) for pattern in config.getini("norecursedirs")):
            continue
        if config.hook.pytest_ignore_collect(collection_path=one, config=config):
            return True
    return False


def _known_results(path: Path) -> dict[str, Result]:
    try:
        return read(path)
    except ValueError:
        return {}


def _read_pages(config: pytest.Config) -> dict[str, Any]:
    """Have Sphinx read the pages that changed and return what there is to run, by page.

    Raises:
        pytest.UsageError: If there is no ``conf.py``, or Sphinx fails.
    """
    source = _source_folder(config)
    conf = _configured(source)
    if conf is None:
        raise pytest.UsageError(f"--codediff: there is no conf.py in {source} or above it")
    for one in config.args:
        other = _configured(config.invocation_params.dir / str(one).partition("::")[0])
        if other and any(other.glob("index.*")) and other.resolve() != conf.resolve():
            raise pytest.UsageError(
                f"--codediff: {other} is another site; run pytest once for each"
            )
    cache = _cache(config)
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "codediff-programs", "-c", str(conf)]
    command += ["-d", str(cache / "doctrees"), str(source), str(cache)]
    package = str(Path(__file__).parent.parent)
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    reading = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if reading.returncode:
        raise pytest.UsageError(f"--codediff: Sphinx could not read {source}:\n{reading.stderr}")
    sys.stderr.write(reading.stderr)
    known: dict[str, Any] = json.loads((cache / "programs.json").read_text("utf-8"))
    for page in known["pages"]:
        for piece in (piece for program in page["programs"] for piece in program["pieces"]):
            for name in ("file", "output_file"):
                if Path(piece[name]).is_absolute():  # which it need not be on another host
                    piece[name] = _relative(piece[name], config)
    return known | {"pages": {_relative(page["path"], config): page for page in known["pages"]}}


def _cache(config: pytest.Config) -> Path:
    """Return the folder in which things are kept; without pytest's cache, for this run alone."""
    cache = getattr(config, "cache", None)
    if cache:
        with contextlib.suppress(OSError):  # as pytest does
            kept = Path(cache.mkdir("codediff"))
            tempfile.TemporaryFile(dir=kept).close()
            return kept
    if TEMPORARY not in config.stash:
        config.stash[TEMPORARY] = folder = tempfile.TemporaryDirectory()
        config.add_cleanup(folder.cleanup)
    return Path(config.stash[TEMPORARY].name)


def _source_folder(config: pytest.Config) -> Path:
    named: str = config.getini("codediff_source")
    if named:
        return config.rootpath / named
    first = Path(str(config.args[0]).partition("::")[0])
    first = (config.invocation_params.dir / first).resolve()
    folder = first if first.is_dir() else first.parent
    configured = _configured(folder) or folder
    between = [one for one in (folder, *folder.parents) if one.is_relative_to(configured)]
    pages = [one for one in between if any(one.glob("index.*"))]
    return pages[-1] if pages else folder


def _configured(folder: Path) -> Path | None:
    """Return the nearest folder, from this one upwards, that has a ``conf.py``."""
    folders = (folder, *folder.parents)
    return next((one for one in folders if (one / "conf.py").is_file()), None)


def _relative(path: str | Path, config: pytest.Config) -> str:
    """Return a path as it is without links to folders, which Sphinx follows and pytest does not."""
    folder = os.path.relpath(_real(str(Path(path).parent)), _real(str(config.rootpath)))
    return str(Path(folder, Path(path).name))


_real = cache(os.path.realpath)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Collect a page that has something to run, in place of pytest's own doctests."""
    found = yield
    config = parent.config
    name = _relative(file_path, config)
    page = config.stash.get(PROGRAMS, NOTHING)["pages"].get(name)
    if page is None or not (page["programs"] or page["idle"]):
        return found
    config.stash[COLLECTED].add(name)
    if hasattr(config, "workeroutput"):
        config.workeroutput.setdefault("codediff", []).append(name)
    if not config.getoption("doctestglob", None):
        found = [one for one in found if type(one).__module__ != "_pytest.doctest"]
    return [PageFile.from_parent(parent, path=file_path), *found]


def _name(text: str) -> str:
    """Return the name of an item; two colons mean something to pytest, others to terminals."""
    return spell_out(text).replace("::", ":")


def _names(page: dict[str, Any]) -> dict[str, str]:
    """Return the names of a page's programs by group, no two alike."""
    groups: dict[str, str] = {}
    for group in page["digests"]:
        name = _name(group)
        while name in groups:
            name += "'"
        groups[name] = group
    return {group: name for name, group in groups.items()}


class PageFile(pytest.File):
    """A page."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield its programs, and its sides that nothing executes."""
        page = self.config.stash[PROGRAMS]["pages"][_relative(self.path, self.config)]
        names = _names(page)
        for known in page["programs"]:
            program = Program.from_json(known)
            yield ProgramItem.from_parent(self, name=names[program.group], program=program)
        for file, line, title in page["idle"]:
            place = f"{_relative(file, self.config)}:{line}"
            yield IdleItem.from_parent(self, name=f"{_name(title)} (not executed)", place=place)


def _runner(config: pytest.Config, environment: str) -> Runner:
    """Return what runs programs in an environment, which is made if need be.

    Raises:
        EnvironmentNotMadeError: If it cannot be made.
    """
    runners = config.stash.setdefault(RUNNERS, {})
    if environment not in runners:
        python = sys.executable
        if environment:
            requirements = config.stash[PROGRAMS]["environments"].get(environment)
            kept = _cache(config) / "environments"
            python = str(python_of(environment, requirements, cache=kept))
        measure = _coverage() is not None
        path = [one for one in config.stash[PROGRAMS]["path"] if one not in sys.path]
        runners[environment] = Runner(python, root=config.rootpath, path=path, measure=measure)
        config.add_cleanup(runners[environment].close)
    return runners[environment]


def _coverage() -> Any:
    """Return what gathers the coverage of pages in this process, if anything does."""
    if "coverage" not in sys.modules:
        return None
    from . import coverage_plugin

    return coverage_plugin.current()


class ProgramError(bdb.BdbQuit):
    """A program did not do what its page says.

    Its own process had the debugger, if any: for this kind of exception, pytest opens no other.
    """

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
        runner = _runner(self.config, self.program.environment)
        outcome = self._debug(runner) or runner.run(self.program, self.stash.get(TIMEOUT, None))
        if coverage := _coverage():
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
        """Show the places on the page, not those in the runner."""
        if isinstance(excinfo.value, (EnvironmentNotMadeError, OSError, RuntimeError)):
            return f"{self.program.group!r} could not be run: {excinfo.value}"
        if isinstance(excinfo.value, ProgramError):
            root = self.config.rootpath
            return "\n\n".join(_explain(one, root) for one in excinfo.value.outcome.failures)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the page, the index of the program's first line, and its group."""
        return self.path, self.program.pieces[0].line - 1, self.name


class IdleItem(pytest.Item):
    """A side that is neither executed nor skipped by name: it fails."""

    def __init__(self, *, place: str, **others: Any) -> None:
        super().__init__(**others)
        self.place = place

    def runtest(self) -> None:
        """Fail, since there is nothing to run."""
        message = f"{self.place}: {self.name}; name its group in ':skip-test:'"
        pytest.fail(message, pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the page and the side."""
        return self.path, None, self.name


def _explain(failure: Failure, root: Path) -> str:
    """Return the place of a failure with the lines around it, and what happened there."""
    message, *notes = failure.message.split("\n")
    side = f"  (side {failure.title!r})" if failure.title else ""
    shown = [f"{failure.file}:{failure.line}: {message}{side}", *notes]
    try:
        lines = Path(root, failure.file).read_text("utf-8").split("\n")
    except (OSError, UnicodeError):
        lines = []
    for number in range(max(1, failure.line - 2), min(len(lines), failure.line + 2) + 1):
        mark = ">" if number == failure.line else " "
        shown.append(f"{mark} {number:4} | {lines[number - 1]}".rstrip())
    if failure.traceback:
        shown += ["", failure.traceback.rstrip()]
    elif failure.expected or failure.got:
        difference = difflib.ndiff(failure.expected.splitlines(), failure.got.splitlines())
        shown += ["", "  expected (-) and got (+)", *(line.rstrip("\n") for line in difference)]
    return spell_out("\n".join(shown))


@pytest.hookimpl(optionalhook=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool | None:
    """Have the program's own process keep the time that pytest-timeout was told."""
    if isinstance(item, ProgramItem):
        item.stash[TIMEOUT] = settings.timeout
        return True
    return None


@pytest.hookimpl(optionalhook=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> bool | None:
    """Leave pytest-timeout nothing to cancel."""
    return True if isinstance(item, ProgramItem) else None
