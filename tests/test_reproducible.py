"""The same sources give the same output: elsewhere, in parallel, and after any edit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from sphinx.builders.html import _assets

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


def test_another_version_of_the_extension_starts_afresh(tmp_path: Path) -> None:
    source, extension = write(tmp_path / "source", FILES), tmp_path / "extension"
    shutil.copytree(ROOT / "sphinx_ext", extension)
    build(source, tmp_path / "html", PYTHONPATH=str(extension))
    path = extension / "codediff" / "html.py"
    path.write_text(path.read_text("utf-8").replace("codediff-side", "other-side"), "utf-8")
    assert (
        b"other-side" in build(source, tmp_path / "html", PYTHONPATH=str(extension))["page1.html"]
    )


def test_parallel_makes_no_difference(tmp_path: Path) -> None:
    source = write(tmp_path / "source", FILES)
    assert_equal(build(source, tmp_path / "a"), build(source, tmp_path / "b", "-j", "2"))


def without(name: str) -> dict[str, str]:
    return {known: text for known, text in FILES.items() if known != name}


def changed(name: str, old: str, new: str) -> dict[str, str]:
    assert old in FILES[name]
    return {**FILES, name: FILES[name].replace(old, new)}


RESULTS = '{"format": 1, "results": {}}'
EDITS = {
    "page edited": changed("page1.rst", "See", "Do see"),
    "heading edited": changed("page2.rst", "Page", "Side"),
    "target edited": changed("page2.rst", "_target:", "_other:\n.. _target:"),
    "page added": {"image4.svg": "", **FILES, "page0.rst": PAGE.format(number=4)},
    "page removed": without("folder/page3.rst"),
    "page renamed": {**without("folder/page3.rst"), "page4.rst": FILES["folder/page3.rst"]},
    "included file edited": changed("included.txt", "x += 1", "x += 2"),
    "side file edited": changed("code/side.py", "one", "another"),
    "picture and download gone": {
        **FILES,
        "page1.rst": FILES["page1.rst"].partition("See")[0],
    },
    "group renamed": changed("page1.rst", "Before 1,", "Older,"),
    "block removed": {**FILES, "page1.rst": FILES["page1.rst"].replace(SIDES, "")},
    "programs removed": changed("page1.rst", ".. codediff-programs::", ""),
    "theme changed": changed("conf.py", "basic", "classic"),
    "option of ours changed": {**FILES, "conf.py": f"{CONF}codediff_highlight = 'none'\n"},
    "option of Sphinx changed": {**FILES, "conf.py": f"{CONF}project = 'Other'\n"},
    "sources no longer copied": {**FILES, "conf.py": f"{CONF}html_copy_source = False\n"},
    "environment changed": changed("conf.py", "[]", "['other']"),
    "set-up changed": {**FILES, "conf.py": f"{CONF}doctest_global_setup = 'import re'\n"},
}


@pytest.mark.parametrize(
    ("builder", "edit"), [*(("html", edit) for edit in EDITS), ("dirhtml", "page renamed")]
)
def test_an_edit_leaves_no_trace_of_what_was_before(
    tmp_path: Path, builder: str, edit: str
) -> None:
    source, kept, fresh = write(tmp_path / "source", FILES), tmp_path / "kept", tmp_path / "fresh"
    build_set(source, kept, builder)
    write(source, EDITS[edit])
    if known := getattr(_assets, "_file_checksum_inner", None):
        known.cache_clear()  # as if it were another process
    found, expected = (build_set(source, one, builder).outdir for one in (kept, fresh))
    assert_equal(contents(found), contents(expected))


def test_a_page_that_is_built_alone_takes_others_along_next_time(tmp_path: Path) -> None:
    source = write(tmp_path / "source", FILES)
    build(source, tmp_path / "html")
    write(source, EDITS["heading edited"])
    build(source, tmp_path / "html", pages=[source / "page2.rst"])
    assert_equal(build(source, tmp_path / "html"), build(source, tmp_path / "fresh"))


def test_another_builder_into_the_same_folder_takes_nothing_away(tmp_path: Path) -> None:
    source = write(tmp_path / "source", FILES)
    before = build(source, tmp_path / "html")
    after = build(source, tmp_path / "html", "-b", "dummy")
    assert_equal({name: after.get(name, b"") for name in before}, before)
