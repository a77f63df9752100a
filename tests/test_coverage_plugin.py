"""Coverage of pages: by lines of their own source, in every report of coverage.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from conftest import ROOT, run_pytest

PAGE = """
Page
====

.. testsetup::

   import math

.. codediff::
   :title: A, B

   def used(x):
       return x

   def forgotten(
       x,
   ):
       y = x
       return y

   used(1)
   ---
   @staticmethod
   def f():
       if math.pi > 4:  # pragma: no cover
           return 1  #!
       return 2
   f()

.. include:: included.txt
"""
CONF = "extensions = ['codediff']\n"
INCLUDED = "Text.\n\n.. testcode:: Included\n\n   if not __file__:\n       a = 1\n   b = 2\n"
RC = "[run]\nplugins = codediff.coverage_plugin\nsource = docs\nomit = docs/conf.py\n"


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "docs").mkdir()
        self.write("pytest.ini", "[pytest]\n")
        self.write(".coveragerc", RC)
        self.write("docs/conf.py", CONF)
        self.write("docs/included.txt", INCLUDED)
        self.write("docs/index.rst", PAGE)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def call(self, *arguments: str) -> str:
        run = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(ROOT / "sphinx_ext")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return run.stdout

    def test(self, *arguments: str) -> str:
        run = run_pytest(self.folder, "--codediff", "docs", "--cov", *arguments)
        return run.stdout + run.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def rows(report: str) -> list[list[str]]:
    found = [line.split() for line in report.splitlines() if line.startswith("docs/")]
    return [row for row in found if row[1].isdigit()]


EXPECTED = [
    ["docs/included.txt", "3", "1", "67%", "6"],
    ["docs/index.rst", "10", "2", "80%", "18-19"],
]


@pytest.mark.parametrize("options", [("-p", "no:cacheprovider"), ("-n", "2")])
def test_lines_that_no_program_runs_are_named(project: Project, options: tuple[str, ...]) -> None:
    report = project.test("--cov-report=term-missing", *options)
    assert rows(report) == EXPECTED
    assert "no-data-collected" not in report


def test_branch_measurement_counts_the_same_lines(project: Project) -> None:
    project.write(".coveragerc", f"{RC}branch = true\n")
    (included, page) = rows(project.test("--cov-report=term-missing"))
    assert [included[0], *included[-2:]] == ["docs/included.txt", "67%", "6"]
    assert page[-1] == "18-19"


def test_other_reports_are_made_later(project: Project) -> None:
    project.test("--cov-report=")
    project.call("coverage", "json")
    files = json.loads((project.folder / "coverage.json").read_text())["files"]
    assert files["docs/index.rst"]["missing_lines"] == [18, 19]
    assert files["docs/index.rst"]["excluded_lines"] == [25, 26]
    project.call("coverage", "html")
    (page,) = (project.folder / "htmlcov").glob("*index_rst.html")
    assert "def forgotten(" in page.read_text()
    project.call("coverage", "xml")
    assert 'filename="index.rst"' in (project.folder / "coverage.xml").read_text()


@pytest.mark.parametrize(
    "left", ['{"pages": [{"pro', '{"pages": [{"programs": [{"x": 1}]}]}', "[]"]
)
def test_a_list_of_programs_cut_short_or_of_another_version_is_named(
    project: Project, left: str
) -> None:
    project.test("--cov-report=")
    project.write(".pytest_cache/d/codediff/programs.json", left)
    said = project.call("coverage", "report")
    assert "programs.json is not the list of a test run, start one" in said
    assert "Traceback" not in said


def test_readers_do_not_see_what_is_said_to_coverage(project: Project) -> None:
    project.call("sphinx", "-q", "docs", "html")
    text = (project.folder / "html" / "index.html").read_text()
    assert "pragma" not in text
    assert "if math.pi > 4:\n" in BeautifulSoup(text, "html5lib").get_text()


def test_a_mark_inside_a_string_is_code(project: Project) -> None:
    text = (
        '   s = """\n   x = 1  # pragma: no cover\n   """\n   assert "pragma" in s\n   ---\n   1\n'
    )
    page = f"Page\n====\n\n.. codediff::\n   :title: A, B\n\n{text}"
    project.write("docs/index.rst", page)
    assert "2 passed" in project.test()


def test_a_gate_turns_red_for_one_line(project: Project) -> None:
    page = (project.folder / "docs" / "index.rst").read_text()
    project.write("docs/included.txt", "Text.\n")
    project.write("docs/index.rst", page.replace("   used(1)\n", "   used(forgotten(1))\n"))
    assert "100%" in project.test("--cov-fail-under=100")
    project.write("docs/index.rst", page)
    assert "FAIL Required test coverage of 100" in project.test("--cov-fail-under=100")


def test_the_recipe_of_the_manual_reaches_all_lines(project: Project) -> None:
    manual = (ROOT / "docs" / "codediff" / "testing.rst").read_text()
    recipe = manual.partition("[tool.coverage.run]\n")[2].partition("\n\n")[0]
    (project.folder / ".coveragerc").unlink()
    project.write("pyproject.toml", f"[tool.coverage.run]\n{textwrap.dedent(recipe)}\n")
    command = manual.partition("pytest --codediff docs --cov ")[2].partition("\n")[0]
    page = PAGE.replace("   used(1)\n", "   used(forgotten(1))\n").partition(".. include::")[0]
    project.write("docs/index.rst", page)
    report = project.test(*command.split())
    assert "Required test coverage of 100% reached" in report
    assert "conf.py" not in report


ALL = """'''A module.'''
from __future__ import annotations
from __future__ import generator_stop

try:
    int("x")
except ValueError:
    pass
match 1:
    case _:
        x = 1
"""


def test_code_of_a_module_counts_for_the_module(project: Project) -> None:
    project.write(
        "docs/old.py", "import functools\n\n\n@functools.cache\ndef f():\n    return 1\n\n\nf()\n"
    )
    project.write("docs/new.py", "def f():\n    return 2\n")
    project.write("docs/all.py", ALL)
    project.write(
        "docs/index.rst",
        "T\n=\n\n.. codediff::\n   :title: A, B, C\n   :file: old.py, new.py, all.py\n",
    )
    project.write("docs/included.txt", "Text.\n")
    assert rows(project.test("--cov-report=term-missing")) == [
        ["docs/all.py", "9", "0", "100%"],
        ["docs/new.py", "2", "1", "50%", "2"],
        ["docs/old.py", "5", "0", "100%"],
    ]
