"""Downloads: they hold what the tests run, and patches are exact."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codediff.execution.data import Program
from codediff.programs.downloads import patch, script
from conftest import ROOT, Build, Built

PAGE = """
Page
====

.. testsetup::

   import math

.. codediff::
   :title: No *Dropout*, ``With Dropout``, 前

   x = 1  #!
   y = math.pi
   ---
   x = "ü"
   ---
   >>> 1 + 1
   2

.. testcode:: No Dropout

   x += 1

.. testoutput:: No Dropout

.. codediff-programs::

.. testcleanup::

   del x
"""


def downloads(built: Built, page: str = "index") -> dict[str, str]:
    """Return the text of each file that the page links to, by name."""
    base = (built.outdir / page).parent
    links = built.html(page).select(".codediff-programs a.download")
    return {
        Path(link["href"]).name: (base / link["href"]).read_bytes().decode("utf-8")
        for link in links
    }


def test_a_page_offers_its_programs_and_their_differences(build: Build) -> None:
    built = build(index_rst=PAGE)
    assert built.warnings == []
    found = downloads(built)
    assert list(found) == [
        "no-dropout.py",
        "with-dropout.py",
        "side-3.py",
        "no-dropout-to-with-dropout.patch",
        "no-dropout-to-side-3.patch",
    ]
    parts = ["import math", "x = 1\ny = math.pi", "x += 1", "del x\n"]
    assert found["no-dropout.py"] == "\n\n\n".join(parts)
    assert found["side-3.py"] == "import math\n\n\n1 + 1\n# Expected:\n## 2\n\n\ndel x\n"


def test_what_comes_from_the_future_comes_first(build: Build) -> None:
    page = PAGE.replace("   x = 1  #!", "   from __future__ import annotations\n\n   x = 1")
    text = downloads(build(index_rst=page))["no-dropout.py"]
    assert text.startswith("from __future__ import annotations\n\nimport math\n")
    compile(text, "no-dropout.py", "exec")


def test_equal_programs_have_no_patch(build: Build) -> None:
    page = PAGE.replace(":title:", ":groups: G, G, G\n   :title:")
    assert list(downloads(build(index_rst=page))) == ["g.py"]


def test_programs_are_found_from_pages_in_folders(build: Build, tmp_path: Path) -> None:
    (tmp_path / "source" / "folder").mkdir(parents=True)
    (tmp_path / "source" / "folder" / "page.rst").write_text(PAGE)
    index = "Index\n=====\n\n.. toctree::\n\n   folder/page\n"
    built = build(index_rst=index)
    assert len(downloads(built, "folder/page")) == 5
    built = build(index_rst=index, builder="dirhtml")
    assert len(downloads(built, "folder/page/index")) == 5


def test_one_page_of_all_offers_those_of_each(build: Build) -> None:
    index = "Index\n=====\n\n.. toctree::\n\n   page\n"
    built = build(builder="singlehtml", index_rst=index, page_rst=PAGE)
    assert built.warnings == []
    assert len(downloads(built)) == 5


@pytest.mark.parametrize(
    "builder", ["latex", "text", "man", "xml", "gettext", "singlehtml", "epub"]
)
def test_other_builders_leave_the_list_out(build: Build, builder: str) -> None:
    built = build(index_rst=PAGE, builder=builder, conf="version = '1'\n")
    assert [line for line in built.warnings if "epub" not in line] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> list[list[Program]]:
    """Return the programs of the site, page by page."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "codediff-programs", "-c", ROOT]
    path = str(ROOT / "sphinx_ext")
    environ = os.environ | {"PYTHONPATH": path}
    subprocess.run([*command, ROOT / "docs", target], check=True, env=environ)
    pages = json.loads((target / "programs.json").read_text("utf-8"))["pages"]
    return [[Program.from_json(one) for one in page["programs"]] for page in pages]


def test_patches_are_exact_on_every_page_of_the_site(
    tmp_path: Path, site: list[list[Program]]
) -> None:
    pairs = [pair for programs in site for pair in permutations(map(script, programs), 2)]
    assert len(pairs) > 50
    for number, (first, second) in enumerate(pairs):
        apply(["git", "apply", "a.patch"], tmp_path / str(number), first, second)


def apply(command: list[str], folder: Path, first: str, second: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / "a.py"
    path.write_bytes(first.encode())
    difference = patch(first, second, "a.py")
    (folder / "a.patch").write_bytes(difference.encode())
    if difference:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    assert path.read_bytes().decode() == second


TEXTS = st.lists(
    st.sampled_from(
        ["a", "b", "", " x", "é\x0c", "\r", "c\x85d", "\u2028", "-- a", "+++ b", "#\r"]
    ),
    max_size=12,
).map(lambda lines: "".join(f"{line}\n" for line in lines))
TEXTS |= TEXTS.map(lambda text: text.replace("\n", "\r\n"))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(
            ["patch", "--binary", "-p1", "-i", "a.patch"],
            marks=pytest.mark.skipif(not shutil.which("patch"), reason="no patch"),
        ),
        ["git", "apply", "a.patch"],
    ],
)
@settings(max_examples=60)
@given(TEXTS, TEXTS)
@example("a\r\nb\r\n", "a\r\nc\r\n")
@example("", "a\n")
def test_a_patched_file_is_the_other_one(
    tmp_path_factory: pytest.TempPathFactory, command: list[str], first: str, second: str
) -> None:
    apply(command, tmp_path_factory.mktemp("patch"), first, second)
