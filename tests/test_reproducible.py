"""The same sources give the same output, elsewhere and in parallel; edits write what they must."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from conftest import ROOT, build_set

CONF = """
extensions = ["codediff"]
codediff_results = "results.json"
codediff_environments = {"other": []}
html_theme = "basic"
"""
PAGE = """
Page {number}
======

.. codediff::
   :title: Before {number}, After {number}

   x = {number}
   y = "same"
   ---
   x = {number} + 1
   y = "same"

.. codediff-programs::

.. include:: included.txt

.. index:: entry {number}, common
.. py:function:: function{number}(x)

See :doc:`/page2`, :ref:`a target <target>` and :download:`a file <code/side.py>`.

.. image:: image{number}.svg
"""
SIDES = "\n.. codediff::\n   :title: One, Two\n   :file: code/side.py, code/other.py\n"
FILES = {
    "conf.py": CONF,
    "index.rst": "Index\n=====\n\n.. toctree::\n   :glob:\n\n   *\n   folder/*\n",
    "page1.rst": PAGE.format(number=1) + SIDES,
    "page2.rst": f".. _target:\n{PAGE.format(number=2)}",
    "folder/page3.rst": PAGE.format(number=3)
    .replace(": included", ": /included")
    .replace("code/", "/code/")
    .replace("image3", "/image3"),
    "included.txt": "Included text.\n\n.. testcode:: Before 1\n\n   x += 1\n",
    "code/side.py": "one = 1\n",
    "code/other.py": "two = 2\n",
    **{f"image{number}.svg": f"<svg id='a{number}'/>" for number in (1, 2, 3)},
}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files, save those that are there already, and remove others."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.relative_to(folder).as_posix() not in {*files, "results.json"}:
            path.unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
    return folder


def build(
    source: Path, target: Path, *arguments: str, pages: Sequence[Path] = (), **environ: str
) -> dict[str, bytes]:
    """Build in a process of its own, all or some, and return what is then in the output folder."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-d", f"{target}-doctrees", *arguments]
    environ = {"PYTHONPATH": str(ROOT / "sphinx_ext"), **environ}
    subprocess.run([*command, source, target, *pages], env=os.environ | environ, check=True)
    return contents(target)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of each file, and names alone of folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


def assert_equal(found: dict[str, bytes], expected: dict[str, bytes]) -> None:
    assert sorted(found) == sorted(expected)
    assert [name for name, content in found.items() if content != expected[name]] == []


def test_another_place_makes_no_difference(tmp_path: Path) -> None:
    found = []
    for name, seed, zone in [("a", "1", "UTC-14"), ("folder/with a longer name", "2", "UTC+12")]:
        source, extension = write(tmp_path / name / "source", FILES), tmp_path / name / "extension"
        shutil.copytree(ROOT / "sphinx_ext", extension)
        environ = {"SOURCE_DATE_EPOCH": "1700000000", "PYTHONHASHSEED": seed, "TZ": zone}
        environ |= {"PYTHONPATH": str(extension), "LC_ALL": "C" if seed == "1" else "C.UTF-8"}
        command = [sys.executable, "-m", "pytest", "-p", "codediff.pytest_plugin", "--codediff"]
        command += ["--rootdir", source, source]
        subprocess.run(command, env=os.environ | environ, check=False, capture_output=True)
        found.append(build(source, tmp_path / name / "html", **environ))
        assert b'<time datetime="2023-11-14">' in found[-1]["page1.html"]
    assert_equal(*found)


def test_parallel_makes_no_difference(tmp_path: Path) -> None:
    source = write(tmp_path / "source", FILES)
    assert_equal(build(source, tmp_path / "a"), build(source, tmp_path / "b", "-j", "2"))


def written(source: Path, target: Path, conf: str, edits: dict[str, str]) -> list[str]:
    """Build pages, edit some, build again, and return the pages that are then written again."""
    write(source, {**edits, "conf.py": conf})
    build_set(source, target)
    before = {path: path.stat().st_mtime_ns for path in target.rglob("*.html")}
    for name, text in edits.items():
        if "Part" in text:
            (source / name).write_text(text.replace("Part", "Other part"), "utf-8")
    build_set(source, target)
    found = (path for path in target.rglob("*.html") if path.stat().st_mtime_ns != before[path])
    always = {"genindex.html", "search.html"}
    return sorted({path.name for path in found} - always)


PROSE = "Page {number}\n======\n\nText.\n\n{part}\n----------\n\nText.\n"
BLOCK = "\n.. {name}::\n{title}\n   x = 1\n{other}"


@pytest.mark.parametrize("has_blocks", [False, True])
def test_an_edit_writes_no_more_pages_than_stock_sphinx(tmp_path: Path, has_blocks: bool) -> None:
    """The title of a section is edited on one of several pages."""
    index = "Index\n=====\n\n.. toctree::\n   :glob:\n\n   page*\n"
    found = []
    for name in ("stock", "codediff"):
        block = BLOCK.format(name="code-block", title="", other="")
        if name == "codediff":
            title, other = "   :title: A, B\n", "   ---\n   x = 2\n"
            block = BLOCK.format(name="codediff", title=title, other=other)
        pages = {
            f"page{number}.rst": PROSE.format(number=number, part="Part" if number == 1 else "Rest")
            + (block if has_blocks else "")
            for number in range(6)
        }
        extensions = ["codediff"] if name == "codediff" else []
        conf = f"extensions = {extensions}\nhtml_theme = 'basic'\n"
        if name == "codediff":
            conf += "codediff_results = 'results.json'\n"
            write(tmp_path / name, {"results.json": RESULTS})
        found.append(
            written(tmp_path / name, tmp_path / f"{name}-html", conf, {"index.rst": index, **pages})
        )
    stock, ours = found
    assert ours == stock
    assert "page1.html" in stock
    assert "page2.html" not in stock


def test_new_results_write_the_pages_with_blocks_again(tmp_path: Path) -> None:
    pages = {"index.rst": "Index\n=====\n\n.. toctree::\n\n   prose\n", "prose.rst": "P\n=\n"}
    pages["index.rst"] += "\n.. codediff::\n   :title: A, B\n\n   1\n   ---\n   2\n"
    source, target = tmp_path / "source", tmp_path / "html"
    conf = "extensions = ['codediff']\ncodediff_results = 'results.json'\n"
    assert written(source, target, conf, pages) == []
    before = {path: path.stat().st_mtime_ns for path in target.rglob("*.html")}
    (source / "results.json").write_text(RESULTS)
    build_set(source, target)
    again = [path.name for path in before if path.stat().st_mtime_ns != before[path]]
    assert "index.html" in again
    assert "prose.html" not in again


RESULTS = '{"format": 1, "results": {}}'
