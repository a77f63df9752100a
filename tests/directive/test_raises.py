"""Sides that print something before the exception they are meant to raise."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import run_pytest

PAGE = """
Page
====

.. codediff::
   :title: A, B
   :raises: ValueError

   print("before")
   raise ValueError("a message")
   ---
   pass

.. testoutput:: A
   :options: +ELLIPSIS

   {}
"""


@pytest.mark.parametrize(
    ("printed", "name", "status"),
    [("be...", "ValueError", 0), ("after", "ValueError", 1), ("be...", "KeyError", 1)],
)
def test_a_test_run_compares_the_output_and_the_exception(
    tmp_path: Path, printed: str, name: str, status: int
) -> None:
    (tmp_path / "conf.py").write_text('extensions = ["codediff"]\n')
    page = PAGE.format(printed).replace("raises: ValueError", f"raises: {name}")
    (tmp_path / "index.rst").write_text(page)
    run = run_pytest(tmp_path, "--codediff", ".")
    assert run.returncode == status, run.stdout
    assert ("- after" in run.stdout) is (printed == "after")


def test_an_exception_belongs_to_its_side_where_sides_share_a_group(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text('extensions = ["codediff"]\n')
    page = (
        "Page\n====\n\n.. codediff::\n   :title: Wrong, Right\n   :groups: demo, demo\n"
        "   :raises: ZeroDivisionError,\n\n   1 / 0\n   ---\n   x = 1\n"
    )
    (tmp_path / "index.rst").write_text(page)
    run = run_pytest(tmp_path, "--codediff", ".")
    assert run.returncode == 0, run.stdout
