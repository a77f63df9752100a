"""What is published: what it holds, and that nothing else is needed to follow the manual."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from bs4 import BeautifulSoup

import codediff
from conftest import ROOT

MANUAL = ROOT / "docs" / "codediff"
NAME = f"sphinx_codediff-{codediff.__version__}"
WHEEL = ROOT / "dist" / f"{NAME}-py3-none-any.whl"


@pytest.fixture(scope="module")
def package() -> set[str]:
    """Return the files of the extension, which are those that git knows."""
    command = ["git", "ls-files", "codediff"]
    listed = subprocess.run(
        command, cwd=ROOT / "sphinx_ext", capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"py.typed", "codediff.css", "codediff.mo"} <= {Path(name).name for name in listed}
    return set(listed)


def test_the_wheel_holds_the_package_and_nothing_else(package: set[str]) -> None:
    about = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    with ZipFile(WHEEL) as wheel:
        assert set(wheel.namelist()) == package | {f"{NAME}.dist-info/{name}" for name in about}


def test_the_sdist_holds_what_makes_the_wheel_and_nothing_else(package: set[str]) -> None:
    # hatchling adds .gitignore, which it heeds when it makes the wheel of the sdist.
    others = {".gitignore", "LICENSE", "PKG-INFO", "pyproject.toml", "sphinx_ext/README.md"}
    with tarfile.open(ROOT / "dist" / f"{NAME}.tar.gz") as sdist:
        held = {name.removeprefix(f"{NAME}/") for name in sdist.getnames()}
    assert held == others | {f"sphinx_ext/{name}" for name in package}


def test_the_manual_works_word_for_word(tmp_path: Path) -> None:
    manual = (MANUAL / "index.md").read_text("utf-8")
    steps = re.findall(r"^```(.+)\n((?:(?!```).*\n)*)```$", manual, re.MULTILINE)
    (conf,) = (text for kind, text in steps if kind == "python")
    first = next(kind.split()[1] for kind, _ in steps if kind.endswith(".rst"))
    commands = [line for kind, text in steps if kind == "shell" for line in text.splitlines()]
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "conf.py").write_text(conf)
    (tmp_path / "docs" / "index.rst").write_text((MANUAL / first).read_text("utf-8"))
    subprocess.run([sys.executable, "-m", "venv", tmp_path / ".venv"], check=True)
    # The package of that name is the one that was just built.
    (tmp_path / "built.txt").write_text(f"sphinx-codediff=={codediff.__version__}")
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "PATH": f"{tmp_path / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONSTRAINT": str(tmp_path / "built.txt"),
        "PIP_FIND_LINKS": str(WHEEL.parent),
        "NO_COLOR": "1",
    }
    said = ""
    for command in commands:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environ, capture_output=True, text=True
        )
        said += f"$ {command}\n{done.stdout}{done.stderr}"
        assert done.returncode == 0, said
    assert commands[0] == "pip install sphinx-codediff"
    assert re.search(rf"^Processing .*{WHEEL.name}$", said, re.MULTILINE), said
    assert "build succeeded.\n" in said  # and no warning
    assert "codediff: 1 blocks, 2 sides: 2 ran" in said
    page = BeautifulSoup((tmp_path / "_build" / "html" / "index.html").read_bytes(), "html5lib")
    assert [title.get_text() for title in page.select(".codediff-title")] == ["Before", "After"]
