"""The site's guides: their downloads run by themselves, and stock Sphinx runs them too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, build_site

pytestmark = [pytest.mark.site, pytest.mark.xdist_group("site")]

GUIDE = ROOT / "docs" / "guides" / "dropout.rst"


@pytest.mark.parametrize("side", ["no-dropout", "with-dropout"])
def test_the_download_of_each_side_of_the_guide_is_a_program_whose_loss_falls(
    site: Path, tmp_path: Path, side: str
) -> None:
    (program,) = site.rglob(f"guides/dropout/{side}.py")
    run = subprocess.run(
        [sys.executable, program],
        cwd=tmp_path,
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    losses = [float(text) for text in re.findall(r"step \d+: loss (\d+\.\d+)", run.stdout)]
    assert 0 < losses[1] < losses[0] < 10


def test_no_side_of_the_guides_is_skipped() -> None:
    pages = [*GUIDE.parent.glob("*.rst"), ROOT / "docs" / "tutorials" / "dropout_mnist.md"]
    assert len(pages) == 6
    for page in pages:
        assert not re.search(":(skip-test|no-run|skipif|pyversion):", page.read_text("utf-8")), page


def test_stock_doctest_passes_too(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    # A link to another page of the site is of no interest here.
    text = re.sub(r":doc:`/[^`]*`", "another page", GUIDE.read_text("utf-8"))
    (source / "index.rst").write_text(text, "utf-8")
    build_site(tmp_path, source, "-b", "doctest")
