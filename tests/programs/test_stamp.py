"""The stamp on a block tells the truth: what ran, with what, when, and only while unchanged."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from codediff.programs.results import Result, summary
from conftest import Build, Built, run_pytest

PAGE = """
Page
====

.. testsetup::

   import pygments

.. codediff::
   :title: A, B

   x = 1
   ---
   x = 2

.. codediff::
   :title: C, D

   x = 3
   ---
   x = 4
"""
CONF = "\ncodediff_results = 'results.json'\n"


def execute(source: Path, *arguments: str) -> None:
    """Execute the pages."""
    run_pytest(source, "--codediff", f"--rootdir={source}", source, *arguments)


def stamps(built: Built) -> list[str]:
    return [" ".join(p.get_text().split()) for p in built.html("index").select(".codediff-stamp")]


def test_blocks_are_stamped_while_their_programs_are_unchanged(build: Build) -> None:
    assert stamps(build(index_rst=PAGE, conf=CONF)) == []
    source = build(index_rst=PAGE, conf=CONF).srcdir
    execute(source)
    known = json.loads((source / "results.json").read_text())["results"].values()
    (version,) = {one["versions"]["Pygments"] for one in known}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    made = build(index_rst=PAGE, conf=CONF)
    assert [stamp.rpartition(", ")[0].rpartition(",")[0] for stamp in stamps(made)] == [
        f"Executed with Pygments {version} on Python {python}"
    ] * 2
    assert made.html("index").select_one(".codediff-stamp time")["datetime"] == next(
        one["day"] for one in known
    )
    edited = build(index_rst=PAGE.replace("x = 2", "x = 2.0"), conf=CONF)
    assert len(stamps(edited)) == 1
    assert "C, D" in edited.html("index").select_one(".codediff-stamp").parent["aria-label"]
    assert stamps(build(index_rst=PAGE.replace("import pyg", "import  pyg"), conf=CONF)) == []
    assert len(stamps(build(index_rst=f"More text.\n\n{PAGE}", conf=CONF))) == 2
    assert stamps(build(index_rst=PAGE)) == []


def test_a_failure_takes_the_stamp_away(build: Build) -> None:
    source = build(index_rst=PAGE.replace("x = 4", "1 / 0"), conf=CONF).srcdir
    execute(source)
    assert len(stamps(build(index_rst=PAGE.replace("x = 4", "1 / 0"), conf=CONF))) == 1


def test_what_fails_on_one_page_is_not_stamped_for_passing_on_another(build: Build) -> None:
    page = PAGE.replace("x = 2", "import sys; assert 'other' in sys.argv[0]")
    pages = {"index_rst": page, "other_rst": f":orphan:\n\n{page}"}
    execute(build(conf=CONF, **pages).srcdir)
    built = build(conf=CONF, **pages)
    assert len(stamps(built)) == 1
    assert len(built.html("other").select(".codediff-stamp")) == 2


def test_set_up_from_the_configuration_is_part_of_the_program(build: Build) -> None:
    execute(build(index_rst=PAGE, conf=CONF).srcdir)
    assert len(stamps(build(index_rst=PAGE, conf=CONF))) == 2
    assert stamps(build(index_rst=PAGE, conf=f"{CONF}doctest_global_setup = 'import re'\n")) == []


def test_a_partial_run_keeps_what_is_known(build: Build) -> None:
    source = build(index_rst=PAGE, conf=CONF).srcdir
    execute(source, "-k", "A or B", "-n", "2")
    assert len(stamps(build(index_rst=PAGE, conf=CONF))) == 1
    execute(source, "-k", "C or D")
    assert len(stamps(build(index_rst=PAGE, conf=CONF))) == 2


def test_a_block_with_a_skipped_side_has_no_stamp(build: Build) -> None:
    page = PAGE.replace(":title: A, B", ":title: A, B\n   :skip-test: B")
    source = build(index_rst=page, conf=CONF).srcdir
    execute(source)
    assert len(stamps(build(index_rst=page, conf=CONF))) == 1


def test_a_block_that_nothing_executes_has_no_stamp_from_others_of_its_group(build: Build) -> None:
    page = PAGE.replace(":title: C, D", ":title: A, B\n   :language: js")
    source = build(index_rst=page, conf=CONF).srcdir
    execute(source)
    assert len(stamps(build(index_rst=page, conf=CONF))) == 1


def test_names_that_pytest_cannot_tell_apart_are_told_apart(build: Build) -> None:
    page = PAGE.replace("A, B", "std::a, std:a").replace("x = 1", "1 / 0")
    source = build(index_rst=page, conf=CONF).srcdir
    execute(source)
    (stamped,) = build(index_rst=page, conf=CONF).html("index").select(".codediff-stamp")
    assert stamped.parent["aria-label"] == "C, D"


@pytest.mark.parametrize("kept", ['{"format": 1, "resu', '{"format": 99, "results": {}}'])
def test_results_cut_short_or_of_another_version_stamp_nothing(build: Build, kept: str) -> None:
    source = build(index_rst=PAGE, conf=CONF).srcdir
    (source / "results.json").write_text(kept)
    built = build(index_rst=PAGE, conf=CONF)
    assert stamps(built) == []
    assert built.warnings == []
    execute(source)
    assert len(stamps(build(index_rst=PAGE, conf=CONF))) == 2


def test_html_executes_nothing_to_make_a_stamp(build: Build, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    page = PAGE + f"\n.. testcode:: A\n   :skipif: open({str(trace)!r}, 'w')\n\n   y = 1\n"
    source = build(index_rst=page, conf=CONF).srcdir
    execute(source)
    assert trace.exists()
    trace.unlink()
    assert len(stamps(build(index_rst=f"{page}\nText.", conf=CONF))) == 2
    assert not trace.exists()


def test_versions_that_differ_are_all_named() -> None:
    old = Result("2026-11-21", "3.13.0", {"b": "1", "a": "1"})
    new = Result("2026-11-22", "3.13.0", {"b": "2"})
    assert summary([old, new]) == ("a 1, b 1 / 2", "3.13", "2026-11-21")
