"""After a failure or a kill: our own files are whole, stamps are true, errors are plain."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from codediff.programs.results import read
from conftest import ROOT

POWERLESS = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")
NOT_ROOT = POWERLESS if os.geteuid() == 0 else ()

PAGES = {
    "pytest.ini": "[pytest]\n",
    "docs/conf.py": "extensions = ['codediff']\ncodediff_results = '../results/known.json'\n",
    "docs/index.rst": "Index\n=====\n"
    + "".join(
        f"\n.. codediff::\n   :title: Old {number}, New {number}\n\n"
        f"   x = {number}\n   ---\n   y = {number}\n"
        for number in range(3)
    ),
    "results/.keep": "",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PAGES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def call(folder: Path, *command: str | Path, **environ: str) -> tuple[int, str]:
    """Run a command in a process of its own, and return its status and what it printed."""
    environ = {"PYTHONPATH": str(ROOT / "sphinx_ext"), "SOURCE_DATE_EPOCH": "1", **environ}
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def execute(folder: Path, *before: str, **environ: str) -> tuple[int, str]:
    """Execute the pages."""
    plugin = ("-m", "pytest", "-p", "codediff.pytest_plugin", "--codediff", "docs", "-q")
    return call(folder, *before, sys.executable, *plugin, **environ)


def stamps(folder: Path) -> list[str]:
    """Build the pages and return the titles of the blocks with a stamp."""
    status, text = call(folder, sys.executable, "-m", "sphinx", "-q", "docs", "html")
    assert status == 0, text
    page = BeautifulSoup((folder / "html" / "index.html").read_text(), "html5lib")
    return [stamp.parent["aria-label"] for stamp in page.select(".codediff-stamp")]


def assert_plain(text: str) -> None:
    """Assert that there is no frame of ours in what is shown."""
    assert "sphinx_ext/codediff" not in "".join(re.findall(r"File \".*", text)), text
    assert "INTERNALERROR" not in text


KILL = """
import os

def pytest_{hook}(*_):
    os.killpg(0, 9) if os.environ.get("KILL") else None
"""


@pytest.mark.parametrize("hook", ["collection_finish", "runtest_logfinish", "unconfigure"])
def test_a_killed_run_leaves_no_false_stamp(project: Path, hook: str) -> None:
    assert execute(project)[0] == 0
    assert len(stamps(project)) == 3
    page = project / "docs" / "index.rst"
    page.write_text(page.read_text().replace("x = 1\n", "1 / 0\n"))
    (project / "conftest.py").write_text(KILL.format(hook=hook))
    assert execute(project, "setsid", "--wait", KILL="1")[0] != 0
    assert stamps(project) == ["Old 0, New 0", "Old 2, New 2"]
    status, text = execute(project)
    assert (status, "6 sides: 5 ran, 0 skipped by name, 1 failed" in text) == (1, True), text
    assert stamps(project) == ["Old 0, New 0", "Old 2, New 2"]


SMALL = ("prlimit", "--fsize=20")


@pytest.mark.parametrize(
    ("before", "sealed", "status", "wanted"),
    [
        (NOT_ROOT, "results", 3, "known.json cannot be written: Permission denied"),
        (NOT_ROOT, ".pytest_cache/d/codediff", 4, "Permission denied"),
        (NOT_ROOT, ".pytest_cache/d/codediff/doctrees", 4, "Permission denied"),
        (SMALL, "", 4, "File too large"),
    ],
)
def test_a_file_that_cannot_be_written_is_one_error(
    project: Path,
    before: tuple[str, ...],
    sealed: str,
    status: int,
    wanted: str,
) -> None:
    for name in (sealed, ".pytest_cache/d/codediff") if sealed else ():
        (project / name).mkdir(parents=True, exist_ok=True)
    if sealed:
        (project / sealed).chmod(stat.S_IRUSR | stat.S_IXUSR)
    found, text = execute(project, *before)
    if sealed:
        (project / sealed).chmod(stat.S_IRWXU)
    assert (found, wanted in text) == (status, True), text
    assert_plain(text)
    assert "6 sides: 6 ran, 0 skipped by name" in execute(project)[1]


def test_a_download_that_cannot_be_written_is_one_error(project: Path) -> None:
    page = project / "docs" / "index.rst"
    page.write_text(f"{page.read_text()}\n.. codediff-programs::\n")
    (project / "html" / "_downloads").mkdir(parents=True)
    (project / "html" / "_downloads" / "codediff").write_text("no folder")
    status, text = call(project, sys.executable, "-m", "sphinx", "-q", "docs", "html")
    assert status != 0
    assert text.count("old-0.py cannot be written: ") == 1


GOOD = """{"format": 1, "results": {
  "a": {"day": "2026-11-22", "python": "3.13.0", "versions": {"b": "1"}},
  "c": {"day": "2026-11-21", "python": "3.11.4", "versions": {}}
}}"""


def test_results_cut_short_are_none(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text(GOOD)
    assert [one.python for one in read(path).values()] == ["3.13.0", "3.11.4"]
    for length in range(len(GOOD)):
        path.write_text(GOOD[:length])
        assert read(path) == {}
    path.unlink()
    path.mkdir()
    assert read(path) == {}
