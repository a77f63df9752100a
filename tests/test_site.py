"""The site's own pages: what they show runs, and breaks loudly."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from docutils import nodes

from conftest import ROOT, Built, build_set, run_pytest

DOCS = ROOT / "docs"
SIDES = ["No Dropout", "With Dropout"]
ENVIRON = os.environ | {"JAX_PLATFORMS": "cpu"}


@pytest.fixture(scope="module")
def guides(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return the guides, read and not written."""
    source = tmp_path_factory.mktemp("guides")
    for path in (DOCS / "guides").glob("*.rst"):
        shutil.copy(path, source)
    (source / "conf.py").write_text("extensions = ['codediff']\nroot_doc = 'dropout'\n")
    return build_set(source, tmp_path_factory.mktemp("built"), "dummy")


def program(guide: nodes.document, group: str) -> str:
    """Return all code of one group as a reader would paste it into a file."""
    pieces = [
        node.astext()
        for node in guide.findall(nodes.literal_block)
        if group in node.get("groups", ()) and node.get("testnodetype") == "testcode"
    ]
    return "\n\n\n".join([*pieces, ""])


@pytest.mark.parametrize(
    ("page", "group"),
    [*(("dropout", side) for side in SIDES), ("dropout_nnx", "Linen"), ("dropout_nnx", "NNX")],
)
def test_each_side_of_a_guide_is_a_program_whose_loss_falls(
    guides: Built, tmp_path: Path, page: str, group: str
) -> None:
    script = tmp_path / "program.py"
    script.write_text(program(guides.doctree(page), group), "utf-8")
    run = subprocess.run(
        [sys.executable, script], env=ENVIRON, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    losses = [float(text) for text in re.findall(r"loss:? (\d+\.\d+)", run.stdout)]
    assert 0 < losses[1] < losses[0] < 10


def test_no_side_of_the_guides_is_skipped(guides: Built) -> None:
    for page in ("dropout", "dropout_nnx"):
        sides = list(guides.doctree(page).findall(nodes.literal_block))
        assert len([node for node in sides if node.get("testnodetype") == "testcode"]) > 10
        assert not any(node.get("skipped") for node in sides)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_broken_line_fails_and_the_page_and_side_are_named(
    guides: Built, tmp_path: Path, side: str, share: float
) -> None:
    blocks = [
        node
        for node in guides.doctree("dropout").findall(nodes.literal_block)
        if node.get("groups") == [side] and "highlight_args" in node
    ]
    places = [
        (node.line + statement.lineno - 1, line)
        for node in blocks
        for statement in ast.walk(ast.parse(node.astext()))
        if isinstance(statement, ast.stmt) and statement.lineno == statement.end_lineno
        for line in [node.astext().split("\n")[statement.lineno - 1]]
    ]
    number, line = places[int(share * len(places))]
    lines = (DOCS / "guides" / "dropout.rst").read_text("utf-8").split("\n")
    assert lines[number - 1].strip().startswith(line.strip())
    indent = len(lines[number - 1]) - len(lines[number - 1].lstrip())
    lines[number - 1] = " " * indent + "raise RuntimeError"
    (tmp_path / "dropout.rst").write_text("\n".join(lines), "utf-8")
    (tmp_path / "conf.py").write_text("extensions = ['codediff']\nroot_doc = 'dropout'\n")
    run = run_pytest(ROOT, "--codediff", f"--rootdir={tmp_path}", tmp_path)
    assert run.returncode == 1
    assert f"dropout.rst:{number}: RuntimeError  (side {side!r})" in run.stdout
    assert "1 failed" in run.stdout


def test_stock_doctest_passes_too(tmp_path: Path) -> None:
    run = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-W", "--keep-going", "-b", "doctest"),
            *("-D", "nb_execution_mode=off", "-c", ROOT, DOCS, tmp_path),
        ],
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_without_its_call_the_train_step_of_one_side_is_named_as_not_covered(
    tmp_path: Path,
) -> None:
    lines = (DOCS / "guides" / "dropout.rst").read_text("utf-8").split("\n")
    calls = [at for at, line in enumerate(lines) if "state, loss = train_step(" in line]
    inside = range(next(at for at, line in enumerate(lines) if "def loss_fn" in line), calls[0])
    lines[calls[0]] = lines[calls[0]].replace("state, loss = train_step(", "_ = (")
    (tmp_path / "dropout.rst").write_text("\n".join(lines), "utf-8")
    (tmp_path / "conf.py").write_text("extensions = ['codediff']\nroot_doc = 'dropout'\n")
    (tmp_path / ".coveragerc").write_text("[run]\nplugins = codediff.coverage_plugin\n")
    options = ("--cov", "--cov-report=json")
    run_pytest(tmp_path, "--codediff", f"--rootdir={tmp_path}", ".", *options)
    page = json.loads((tmp_path / "coverage.json").read_text())["files"]["dropout.rst"]
    assert inside.start + 1 in page["missing_lines"]
    assert len(page["missing_lines"]) >= 5
    assert set(page["missing_lines"]) <= {at + 1 for at in inside}
