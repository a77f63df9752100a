"""Sides that need another version of a library run with that version."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codediff.execution.environments import EnvironmentNotMadeError, parse_definition, python_of
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


def make(definition: Any, folder: Path) -> Path:
    """Return the interpreter of an environment that is kept in a folder."""
    return python_of("old", {"old": definition}, cache=folder / "kept", folder=folder)


@pytest.fixture
def run(tmp_path: Path, wheels: Path) -> Run:
    def run(*arguments: str, conf: str = "", page: str = PAGE) -> str:
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        known = CONF.replace("{wheels}", str(wheels))
        (tmp_path / "docs" / "conf.py").write_text(known + conf)
        (tmp_path / "docs" / "index.rst").write_text(page)
        done = run_pytest(tmp_path, "--codediff", "docs", "-rA", *arguments)
        return done.stdout + done.stderr

    return run


def test_each_side_runs_with_its_own_version_in_an_environment_that_is_kept(
    run: Run, tmp_path: Path
) -> None:
    output = run("-n", "2")
    assert "4 passed" in output, output
    assert "codediff: 2 blocks, 4 sides: 4 ran" in output
    folder = tmp_path / ".pytest_cache" / "d" / "codediff" / "environments"
    made = sorted(folder.iterdir())
    assert len(made) == 2
    for one in made:
        (one / "mark").touch()
    renamed = PAGE.replace("old, new", "before, after")
    conf = "codediff_environments = dict(zip(['before', 'after'], codediff_environments.values()))"
    assert "4 passed" in run(page=renamed, conf=conf)
    assert all((one / "mark").exists() for one in made)
    assert "4 passed" in run("--cache-clear", "-n", "2", page=renamed, conf=conf)
    assert sorted(folder.iterdir()) == made
    assert not any((one / "mark").exists() for one in made)


def test_what_cannot_be_installed_is_an_error_and_no_skip(run: Run) -> None:
    conf = "codediff_environments['old'] = ['/nowhere/library-0-py3-none-any.whl']\n"
    output = run(conf=conf)
    assert "the environment 'old' could not be made: installing /nowhere/library-0" in output
    assert "docs/index.rst:13: 'Before' could not be run" in output
    assert "1 failed, 3 passed" in output
    assert "skipped by name (" not in output


def test_an_environment_that_the_site_does_not_have_is_an_error(run: Run) -> None:
    output = run(page=PAGE.replace("old, new", "oldest, new"))
    assert "'codediff_environments' in conf.py has no environment 'oldest'" in output
    assert "docs/index.rst:9: unknown env 'oldest'; did you mean 'old'? [codediff.env]" in output
    assert "2 failed, 3 passed" in output


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
        make(wanted, tmp_path)
    monkeypatch.undo()
    python = make(wanted, tmp_path)
    real([python, "-c", "import library"], check=True)


def test_an_environment_that_another_process_makes_meanwhile_is_used(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, real = [str(wheels / "library-1-py3-none-any.whl")], subprocess.run
    first: list[Path] = []

    def slow(*arguments: Any, **options: Any) -> Any:
        monkeypatch.undo()
        first.append(make(wanted, tmp_path))
        return real(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", slow)
    assert [make(wanted, tmp_path)] == first
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_without_room_no_environment_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        EnvironmentNotMadeError, match=r"'old' could not be made: .*Not a directory"
    ):
        make([], tmp_path / "file")


def test_an_environment_may_be_empty(tmp_path: Path) -> None:
    python = make([], tmp_path)
    subprocess.run([python, "-c", "import json"], check=True)


def test_without_uv_pip_makes_the_environment(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    python = make([str(wheels / "library-1-py3-none-any.whl")], tmp_path)
    subprocess.run([python, "-c", "import library"], check=True)
    with pytest.raises(EnvironmentNotMadeError, match="installing /nowhere failed"):
        make(["/nowhere"], tmp_path)


def version_in(python: Path) -> str:
    """Return the version of the library in an environment."""
    code = "import library; print(library.VERSION)"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_requirements_are_what_pip_takes(tmp_path: Path, wheels: Path) -> None:
    for name in ("library-1-py3-none-any.whl", "library-2-py3-none-any.whl"):
        shutil.copy(wheels / name, tmp_path / name)
    cache = tmp_path / "cache"
    (tmp_path / "requirements.txt").write_text("-r more/others.txt\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "others.txt").write_text(
        f"library @ file://{wheels}/library-1-py3-none-any.whl\n"
    )
    (tmp_path / "constraints.txt").write_text("library==2\n")

    def version(*requirements: str) -> str:
        environments = {"e": list(requirements)}
        return version_in(python_of("e", environments, cache=cache, folder=tmp_path))

    assert version("./library-2-py3-none-any.whl") == "2"
    assert version("-r requirements.txt") == "1"
    others = (tmp_path / "more" / "others.txt").read_text()
    (tmp_path / "more" / "others.txt").write_text(others.replace("library-1", "library-2"))
    assert version("--requirement=requirements.txt") == "2"
    found = ("library", f"--find-links {tmp_path}", "--no-index")
    assert version("-c constraints.txt", *found) == "2"
    (tmp_path / "constraints.txt").write_text("library==1\n")
    assert version("-c constraints.txt", *found) == "1"


@pytest.mark.parametrize(
    ("requirement", "changed"), [("./project", "library.py"), ("-e project", "pyproject.toml")]
)
def test_a_project_that_changes_is_installed_again(
    tmp_path: Path, requirement: str, changed: str
) -> None:
    project = write_project(tmp_path / "project")
    made = []
    for version in ("1", "2"):
        (project / "library.py").write_text(f"VERSION = {version}\n")
        (project / "README.md").write_text(f"{version}\n")  # is not what is installed
        for path in (project / "README.md", project / changed):
            made.append(make([requirement], tmp_path))
            path.write_text(f"{path.read_text()}# changed\n")
        assert version_in(made[-1]) == version
    assert made[0] == made[1] != made[2] == made[3]


def test_a_package_may_have_the_name_of_a_folder_for_builds(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    (project / "library.py").write_text("VERSION = 1\n")
    package = project / "package" / "build"
    package.mkdir(parents=True)
    first = make(["./project"], tmp_path)
    (package / "part.py").write_text("1\n")
    assert make(["./project"], tmp_path) != first


def write_project(project: Path) -> Path:
    """Write a project without its module ``library``."""
    project.mkdir()
    build = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (project / "pyproject.toml").write_text(f'{build}[project]\nname = "library"\nversion = "1"\n')
    (project / "backend.py").write_text(BACKEND)
    return project


BACKEND = """
import pathlib
import zipfile

def build_wheel(folder, settings=None, metadata=None):
    name = "library-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.write("library.py")
        info = "library-1.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: library\\nVersion: 1\\n")
        tag = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(f"{info}/WHEEL", tag)
        wheel.writestr(f"{info}/RECORD", "")
    return name

build_editable = build_wheel
"""


@pytest.mark.parametrize(
    "definition", ["pydantic<2", ["a", 1], {"requires": []}, {"python": 3.12}, None]
)
def test_a_definition_of_another_form_is_refused(definition: Any) -> None:
    with pytest.raises(ValueError, match="'old' is "):
        parse_definition("old", definition)


def test_a_string_in_place_of_a_list_is_an_error_before_anything_is_installed(
    run: Run, tmp_path: Path
) -> None:
    output = run(conf="codediff_environments['old'] = 'pydantic<2'\n")
    assert "--codediff: Sphinx could not read" in output
    assert "codediff_environments: 'old' is 'pydantic<2', not of the form" in output
    assert "passed" not in output
    assert not (tmp_path / ".pytest_cache" / "d" / "codediff" / "environments").exists()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("['six']", "['six'] is no dict"),
        ("{'old': [__import__('pathlib').Path('lib')]}", "'old' is [PosixPath('lib')], not of"),
        ("{1: ['six']}", "1 is ['six'], not of the form"),
    ],
)
def test_a_setting_of_another_form_is_one_error(run: Run, setting: str, message: str) -> None:
    output = run(conf=f"codediff_environments = {setting}\n")
    # As Sphinx 9 prints it, or as earlier versions do.
    header = r"(ConfigError: |Configuration error:\n)codediff_environments: "
    assert re.search(header + re.escape(message), output)


def is_installed(version: str) -> bool:
    """Return whether an interpreter of this version can be started."""
    command = [f"python{version}", "-c", "pass"]
    return bool(shutil.which(command[0])) and not subprocess.run(command, check=False).returncode


def test_an_environment_may_name_its_python(tmp_path: Path) -> None:
    version = next((one for one in ("3.13", "3.12") if is_installed(one)), None)
    if version is None:
        pytest.skip("no other Python is installed")
    python = make({"python": version, "requirements": []}, tmp_path)
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == version


def test_a_python_that_is_not_installed_is_named_with_the_line(run: Run) -> None:
    conf = "codediff_environments['old'] = {'python': '3.99', 'requirements': []}\n"
    output = run("-k", "Before", conf=conf)
    assert "docs/index.rst:13: 'Before' could not be run: the environment 'old' could not" in output
    assert "starting Python 3.99 failed" in output
