"""Sides that need another version of a library run with that version."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codediff.execution.environments import EnvironmentNotMadeError, python_of
from conftest import run_pytest

PAGE = """
Page
====

.. testsetup::

   import json

.. codediff::
   :title: Before, After
   :env: old, new

   import library
   assert library.VERSION == 1 and json
   library.old_name()
   ---
   import library
   assert library.VERSION == 2 and json
   library.new_name()
   print("new")

.. testoutput:: After

   new

.. codediff::
   :title: A, B

   1
   ---
   2
"""
CONF = """
extensions = ["codediff"]
codediff_environments = {"old": ["{wheels}/library-1-py3-none-any.whl"], "new": [
    "{wheels}/library-2-py3-none-any.whl"]}
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two versions of a library."""
    folder = tmp_path_factory.mktemp("wheels")
    for version, name in [(1, "old_name"), (2, "new_name")]:
        info = f"library-{version}.dist-info"
        with zipfile.ZipFile(folder / f"library-{version}-py3-none-any.whl", "w") as wheel:
            code = f"VERSION = {version}\n\n\ndef {name}():\n    pass\n"
            wheel.writestr("library.py", code)
            wheel.writestr(f"{info}/METADATA", f"Name: library\nVersion: {version}\n")
            tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            wheel.writestr(f"{info}/WHEEL", tag)
            wheel.writestr(f"{info}/RECORD", "")
    return folder


Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, wheels: Path) -> Run:
    def run(*arguments: str, conf: str = "", page: str = PAGE) -> str:
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        known = CONF.replace("{wheels}", str(wheels))
        (tmp_path / "docs" / "conf.py").write_text(known + conf)
        (tmp_path / "docs" / "index.rst").write_text(page)
        return run_pytest(tmp_path, "--codediff", "docs", "-rA", *arguments).stdout

    return run


@pytest.mark.parametrize("parallel", [(), ("-n", "2")])
def test_each_side_runs_with_its_own_version(run: Run, parallel: tuple[str, ...]) -> None:
    output = run(*parallel)
    assert "4 passed" in output, output
    assert "codediff: 2 blocks, 4 sides: 4 ran" in output


def test_an_environment_is_made_once(run: Run, tmp_path: Path) -> None:
    run()
    made = sorted((tmp_path / ".pytest_cache" / "d" / "codediff" / "environments").iterdir())
    times = [folder.stat().st_mtime_ns for folder in made]
    renamed = PAGE.replace("old, new", "before, after")
    conf = "codediff_environments = dict(zip(['before', 'after'], codediff_environments.values()))"
    assert "4 passed" in run(page=renamed, conf=conf)
    assert [folder.stat().st_mtime_ns for folder in made] == times
    assert sorted(made[0].parent.iterdir()) == made


def test_what_cannot_be_installed_is_an_error_and_no_skip(run: Run) -> None:
    conf = "codediff_environments['old'] = ['/nowhere/library-0-py3-none-any.whl']\n"
    output = run(conf=conf)
    assert "the environment 'old' could not be made: installing /nowhere/library-0" in output
    assert "1 failed, 3 passed" in output
    assert "skipped by name (" not in output


def test_an_environment_that_the_site_does_not_have_is_an_error(run: Run) -> None:
    output = run(page=PAGE.replace("old, new", "oldest, new"))
    assert "'codediff_environments' in conf.py has no environment 'oldest'" in output
    assert "1 failed, 3 passed" in output


def test_an_interrupted_environment_is_not_taken_for_a_whole_one(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [str(wheels / "library-1-py3-none-any.whl")]
    real = subprocess.run

    def interrupted(command: list[str], **options: object) -> object:
        if "install" in command:
            raise KeyboardInterrupt
        return real(command, **options)

    monkeypatch.setattr(subprocess, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        python_of("old", wanted, cache=tmp_path)
    monkeypatch.undo()
    python = python_of("old", wanted, cache=tmp_path)
    real([python, "-c", "import library"], check=True)


def test_an_environment_that_another_process_makes_meanwhile_is_used(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, real = [str(wheels / "library-1-py3-none-any.whl")], subprocess.run
    first: list[Path] = []

    def slow(*arguments: Any, **options: Any) -> Any:
        monkeypatch.undo()
        first.append(python_of("old", wanted, cache=tmp_path))
        return real(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", slow)
    assert [python_of("old", wanted, cache=tmp_path)] == first
    assert len(list(tmp_path.iterdir())) == 1


def test_without_room_no_environment_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentNotMadeError, match=r"'old' could not be made: .*File exists"):
        python_of("old", [], cache=tmp_path / "file")


def test_an_environment_may_be_empty(tmp_path: Path) -> None:
    python = python_of("empty", [], cache=tmp_path)
    subprocess.run([python, "-c", "import json"], check=True)


def test_without_uv_pip_makes_the_environment(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    python = python_of("old", [str(wheels / "library-1-py3-none-any.whl")], cache=tmp_path)
    subprocess.run([python, "-c", "import library"], check=True)
    with pytest.raises(EnvironmentNotMadeError, match="installing /nowhere failed"):
        python_of("other", ["/nowhere"], cache=tmp_path)
