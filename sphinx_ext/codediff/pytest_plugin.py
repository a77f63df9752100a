"""Programs as pytest items: ``pytest --codediff docs``.

Thin: pages are read by Sphinx in a process of its own, once a run, and programs are executed by
``run.py`` in processes of theirs.
"""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .run import Failure, Outcome, Program, Runner

PROGRAMS = pytest.StashKey[dict[str, Any]]()
RUNNER = pytest.StashKey[Runner]()
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
    worker_input = getattr(config, "workerinput", None)
    if worker_input is not None:
        config.stash[PROGRAMS] = json.loads(worker_input["codediff"])
    elif not config.option.help:
        config.stash[PROGRAMS] = _read_pages(config)
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_Workers(), "codediff-workers")


class _Workers:
    """Hands the programs to the workers of pytest-xdist, wherever they are."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["codediff"] = json.dumps(node.config.stash[PROGRAMS])


def _read_pages(config: pytest.Config) -> dict[str, Any]:
    """Have Sphinx read the pages that changed and return all programs, by page.

    Raises:
        pytest.UsageError: If there is no ``conf.py``, or Sphinx fails.
    """
    source = _source_folder(config)
    conf = next((folder for folder in (source, *source.parents) if _has_conf(folder)), None)
    if conf is None:
        raise pytest.UsageError(f"--codediff: there is no conf.py in {source} or above it")
    cache = config.cache.mkdir("codediff") if config.cache else Path("_codediff")
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
    pages = json.loads((cache / "programs.json").read_text("utf-8"))["pages"]
    return {_relative(page["path"], config): page for page in pages}


def _source_folder(config: pytest.Config) -> Path:
    named: str = config.getini("codediff_source")
    if named:
        return config.rootpath / named
    first = Path(str(config.args[0]).partition("::")[0])
    first = (config.invocation_params.dir / first).resolve()
    if first.is_dir():
        return first
    return next((folder for folder in first.parents if _has_conf(folder)), first.parent)


def _has_conf(folder: Path) -> bool:
    return (folder / "conf.py").is_file()


def _relative(path: str, config: pytest.Config) -> str:
    return os.path.relpath(path, config.rootpath)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> PageFile | None:
    """Collect a page that has something to run."""
    pages = parent.config.stash.get(PROGRAMS, {})
    page = pages.get(_relative(str(file_path), parent.config))
    if page is None or not (page["programs"] or page["idle"]):
        return None
    return PageFile.from_parent(parent, path=file_path)


class PageFile(pytest.File):
    """A page."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield its programs, and its sides that nothing executes."""
        page = self.config.stash[PROGRAMS][_relative(str(self.path), self.config)]
        for known in page["programs"]:
            program = Program.from_json(known)
            yield ProgramItem.from_parent(self, name=program.group, program=program)
        for place in page["idle"]:
            yield IdleItem.from_parent(self, name=place.partition(" ")[2].strip("'\""), place=place)


class ProgramError(Exception):
    """A program did not do what its page says."""

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
        stash = self.config.stash
        if RUNNER not in stash:
            stash[RUNNER] = Runner(root=self.config.rootpath)
            self.config.add_cleanup(stash[RUNNER].close)
        outcome = stash[RUNNER].run(self.program, self.stash.get(TIMEOUT, None))
        if outcome.stdout:
            self.add_report_section("call", "stdout", outcome.stdout)
        if not outcome.passed:
            raise ProgramError(outcome)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Show the places on the page, not those in the runner."""
        if isinstance(excinfo.value, ProgramError):
            root = self.config.rootpath
            return "\n\n".join(_explain(one, root) for one in excinfo.value.outcome.failures)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the page, the index of the program's first line, and its group."""
        return self.path, self.program.pieces[0].line - 1, self.program.group


class IdleItem(pytest.Item):
    """A side that is neither executed nor skipped by name: it fails."""

    def __init__(self, *, place: str, **others: Any) -> None:
        super().__init__(**others)
        self.place = place

    def runtest(self) -> None:
        """Fail, since there is nothing to run."""
        pytest.fail(f"{self.place} is not executed; name its group in ':skip-test:'", pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the page and the side."""
        return self.path, None, self.name


def _explain(failure: Failure, root: Path) -> str:
    """Return the place of a failure with the lines around it, and what happened there."""
    shown = [f"{os.path.relpath(failure.file, root)}:{failure.line}: {failure.message}"]
    if failure.title:
        shown[0] = f"{shown[0]}  (side {failure.title!r})"
    try:
        lines = Path(failure.file).read_text("utf-8").splitlines()
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
    return "\n".join(shown)


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
