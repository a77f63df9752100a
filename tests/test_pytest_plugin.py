"""Programs as pytest items, with what users of pytest know."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sphinx import version_info

from conftest import ROOT, run_pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

CONF = "extensions = ['codediff']\nsuppress_warnings = ['toc']\n"
PAGE = """
Page
====

.. testsetup::

   import math

.. codediff::
   :title: Good, Bad

   x = math.sqrt(4)
   ---
   def f(y):
       return [
           y / 0,
       ]

   f(1)

.. testcode:: Printing

   print(3)

.. testoutput:: Printing

   4

.. include:: included.txt
"""
INCLUDED = "Text.\n\n.. testcode:: Included\n\n   a = 1\n   b = a.nothing\n"
MARKDOWN = '# M\n\n```{codediff}\n:title: C, D\n\n1 + 1\n---\n2 + "a"  #!\n```\n'


def write(folder: Path, **pages: str) -> None:
    """Write files into ``docs``, named ``STEM_SUFFIX``; ``__`` is a slash."""
    for name, text in ({"conf_py": CONF} | pages).items():
        path = folder / "docs" / ".".join(name.replace("__", "/").rsplit("_", 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    if not (folder / "pytest.ini").exists():
        (folder / "pytest.ini").write_text("[pytest]\n")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that writes pages and runs pytest over them."""

    def run(*arguments: str, **pages: str) -> subprocess.CompletedProcess[str]:
        write(tmp_path, **pages)
        docs = str(tmp_path / "docs")
        return run_pytest(tmp_path, "--codediff", *arguments, path=[docs])

    return run


def summary_line(output: str) -> str:
    """Return the line that counts the sides."""
    (line,) = [line for line in output.splitlines() if re.match(r"codediff: \d+ blocks", line)]
    return line


def notebook(*cells: str, indent: int | None = 1) -> str:
    """Return a notebook with cells in Markdown."""
    written = [
        {"cell_type": "markdown", "id": str(at), "metadata": {}, "source": text.splitlines(True)}
        for at, text in enumerate(cells)
    ]
    info = {"language_info": {"name": "python"}, "kernelspec": {"name": "python3"}}
    book = {"cells": written, "metadata": info, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=indent)


def line_of(text: str, wanted: str, number: int = 1) -> int:
    """Return the line of the last of the first occurrences of a text."""
    lines = [at for at, line in enumerate(text.split("\n"), 1) if wanted in line]
    return lines[number - 1]


QUOTED = "".join(f"> {line}\n" for line in MARKDOWN.splitlines()[2:])
BOOK = notebook("# B\n", MARKDOWN.partition("\n\n")[2])
ONE_LINE = notebook("# O\n", MARKDOWN.partition("\n\n")[2], indent=None)
TWICE = notebook("# M\n", *(f"```{{testcode}} {name}\n1 / 0\n```\n" for name in "AB"))
CODE_TWICE = "Page\n====\n" + "".join(
    f"\n.. testcode:: {name}\n\n   n = {n}\n   1 / n\n" for name, n in (("A", 0), ("B", 0))
)
MODULE = '''"""M."""


class C:
    """C.

    >>> 1 / 0
    """


#: Rows.
#:
#: >>> 1 + 1
#: 3
ROWS = 1
'''
AUTODOC = "Page\n====\n\n.. autoclass:: module.C\n\n.. autodata:: module.ROWS\n"
FILES = "Page\n====\n\n.. codediff::\n   :title: {}\n   :file: {}\n   :lines: {}\n"
SKIPPED = """
Page
====

.. codediff::
   :title: Old, New
   :skip-test: Old

   1 / 0
   ---
   x = 1  # doctest: +SKIP

.. codediff::
   :title: Session, Code

   >>> launch()  # doctest: +SKIP
   >>> 1
   1
   ---
   1 / 0

.. testcleanup:: Code

   1

.. testoutput:: Code
   :options: +SKIP

   1

.. testcode:: Left out
   :skipif: True

   print(1)

.. testoutput:: Left out

   1
"""
MISTAKEN = """
Page
====

.. codediff::
   :title: A, B
   :skip-test: Bee
   :view: unifed

   x = 1
   ---
   x = 2

.. codediff::
   :titel: A, B

   x = 1
   ---
   x = 2

.. codediff::
   :title: Shell, Bash
   :language: bash
   :skip-test: Shell

   echo
   ---
   exit

.. testcode:: Shell
   :hidden:

   assert False
"""
COLONS = "Page\n====\n\n.. codediff::\n   :title: a::b, c\n\n   1\n   ---\n   2\n\n>>> 1\n1\n"
MISSING = "Page\n====\n\n.. codediff::\n   :title: Good, Missing\n   :file: one.py, missing.py\n"
MISSING += "\n.. testoutput:: Good\n\n   1\n"
README = (ROOT / "sphinx_ext" / "README.md").read_text("utf-8")
EXAMPLE = README.partition("```rst\n")[2].partition("```")[0]
PICKED = 'text = """\\\na\n# hidden\nb\n"""\nassert text == "a\\nb\\n"\ntext.nothing\n'
FUNCTION = "def f():\n    return 1 / b\n\nhidden = 1\n\nb = 0\na = 1\nf()\n"
PAGES = {
    "conf_py": "extensions = ['codediff', 'myst_nb', 'sphinx.ext.autodoc']\n"
    "suppress_warnings = ['toc']\n",
    "index_rst": PAGE,
    "included_txt": INCLUDED,
    "page_md": f"{MARKDOWN}\n{QUOTED.replace('C, D', 'E, F')}",
    "book_ipynb": BOOK,
    "one_ipynb": ONE_LINE,
    "cells_ipynb": TWICE,
    "twice_rst": CODE_TWICE,
    "module_py": MODULE,
    "autodoc_rst": AUTODOC,
    "skipped_rst": SKIPPED,
    "mistaken_rst": MISTAKEN,
    "missing_rst": MISSING,
    "readme_rst": f"Page\n====\n\n{EXAMPLE}",
    "colons_rst": COLONS,
    "a_py": FUNCTION,
    "b_py": FUNCTION.replace("b = 0", "b = 1"),
    "lines_rst": FILES.format("A, B", "a.py, b.py", "1-2, 6-8"),
    "picked_py": PICKED,
    "session_py": ">>> [1,\n# hidden\n... 2]\n[1, 2]\n",
    "picked_rst": FILES.format("A, B", "picked.py, picked.py", "1-2, 4-"),
    "sessions_rst": FILES.format("A, B", "session.py, session.py", "1, 3-"),
    "division_py": "1 / x\n\n\nx = 0\n",
    "open_py": "def f():\n    return (1 /\n\nx = 0\n",
    "order_rst": FILES.format("A, B", "division.py, open.py", "4, 1-2"),
    "one_py": "print(1)\n",
    "output_txt": ".. testoutput:: B\n\n   2\n",
    "outputs_rst": FILES.format("A, B", "one.py, one.py", "1-")
    + "\n.. testoutput:: A\n\n   2\n\n.. include:: output.txt\n",
}


class Site:
    """Many pages, and what the first run over them printed and wrote to a JUnit file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write(folder, **PAGES)
        self.output = self.run("-vv", "--durations=0", "--junitxml=junit.xml")
        cases = list(ElementTree.parse(folder / "junit.xml").iter("testcase"))
        self.items = {
            (f"{case.get('classname')}".removeprefix("docs."), f"{case.get('name')}"): "".join(
                failure.text or "" for failure in case.iter("failure")
            )
            for case in cases
        }

    def run(self, *arguments: str) -> str:
        docs = [str(self.folder / "docs")]
        return run_pytest(self.folder, "--codediff", "docs", *arguments, path=docs).stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


def test_each_program_is_an_item(site: Site) -> None:
    found = re.findall(r"^(docs/\S+::.+?) (PASSED|FAILED) ", site.output, re.MULTILINE)
    assert [item for item in found if "index" in item[0] or "page" in item[0]] == [
        ("docs/index.rst::Good", "PASSED"),
        ("docs/index.rst::Bad", "FAILED"),
        ("docs/index.rst::Printing", "FAILED"),
        ("docs/index.rst::Included", "FAILED"),
        ("docs/page.md::C", "PASSED"),
        ("docs/page.md::D", "FAILED"),
        ("docs/page.md::E", "PASSED"),
        ("docs/page.md::F", "FAILED"),
    ]
    assert re.search(r"s call +docs/index.rst::Good$", site.output, re.MULTILINE)


def test_a_failure_names_page_line_side_and_frames(site: Site) -> None:
    failure = site.items["index.rst", "Bad"]
    assert failure.startswith(
        "docs/index.rst:16: ZeroDivisionError: division by zero  (side 'Bad')"
    )
    assert ">   16 |            y / 0," in failure
    assert 'docs/index.rst", line 19, in <module>\n    f(1)\n' in failure
    assert "    y / 0,\n    ~~^~~\n" in failure
    assert "codediff/execution" not in site.output


def test_wrong_output_is_shown_as_a_difference(site: Site) -> None:
    failure = site.items["index.rst", "Printing"]
    assert failure.startswith("docs/index.rst:27: ")
    assert failure.endswith("\n- 4\n+ 3")


# Before Sphinx 9, autodoc does not tell in which file some docstrings are.
NEW_ONLY = pytest.mark.skipif(version_info < (9,), reason="Sphinx does not tell the file")


@pytest.mark.parametrize(
    ("page", "item", "place"),
    [
        ("index.rst", "Included", "included.txt:6: AttributeError"),
        ("page.md", "D", "page.md:8: TypeError"),
        ("page.md", "F", "page.md:16: TypeError"),
        ("book.ipynb", "D", f"book.ipynb:{line_of(BOOK, '+ ', 2)}: TypeError"),
        ("one.ipynb", "D", "one.ipynb:1: TypeError"),
        ("cells.ipynb", "A", f"cells.ipynb:{line_of(TWICE, '1 / 0')}: ZeroDivisionError"),
        ("cells.ipynb", "B", f"cells.ipynb:{line_of(TWICE, '1 / 0', 2)}: ZeroDivisionError"),
        ("twice.rst", "A", "twice.rst:7: ZeroDivisionError"),
        ("twice.rst", "B", "twice.rst:12: ZeroDivisionError"),
        ("autodoc.rst", "default", "module.py:7: ZeroDivisionError"),
        pytest.param("autodoc.rst", "default", "module.py:14: printed", marks=NEW_ONLY),
        ("lines.rst", "A", "a.py:2: ZeroDivisionError"),
        ("lines.rst", "A", 'a.py", line 8, in <module>'),
        ("picked.rst", "A", "picked.py:7: AttributeError"),
        ("order.rst", "A", "division.py:1: ZeroDivisionError"),
        ("order.rst", "B", "open.py:2: SyntaxError"),
        ("outputs.rst", "A", "outputs.rst:11: printed something else"),
        ("outputs.rst", "B", "output.txt:3: printed something else"),
    ],
)
def test_a_failure_is_found_where_its_code_is_written(
    site: Site, page: str, item: str, place: str
) -> None:
    assert f"docs/{place}" in site.items[page, item]


@pytest.mark.parametrize(
    ("page", "item"),
    [("lines.rst", "B"), ("sessions.rst", "A"), ("colons.rst", "a:b"), ("readme.rst", "Before")],
)
def test_what_is_right_passes(site: Site, page: str, item: str) -> None:
    assert site.items[page, item] == ""


def test_all_sides_are_counted(site: Site) -> None:
    counted = summary_line(site.output)
    skipped = ["9 'Old'", "16 'Session'", "20 'Code'"]
    places = ", ".join(f"docs/skipped.rst:{one}" for one in skipped)
    assert f" 4 skipped by name (docs/mistaken.rst:26 'Shell', {places})" in counted
    assert ("skipped.rst", "Left out") not in site.items


def assert_mistakes_fail(output: str) -> None:
    """Assert that the mistakes on the page are named with their lines and reasons."""
    place = "docs/mistaken.rst"
    assert f"\n{place}:5: no side belongs to the group 'Bee'" in output
    assert f"\n{place}:5: unknown view 'unifed'; did you mean 'unified'? [codediff.vie" in output
    assert f'\n{place}:14: Error in "codediff" directive: unknown option: "titel"' in output
    assert f"\n{place}:28: Bash (not executed); see the warnings" in output
    assert "\ndocs/missing.rst:4: cannot show 'missing.py': " in output
    assert "docs/missing.py:1: Missing (not executed); see the warnings" in output
    assert f'\n{place}:30: Error in "testcode" directive: unknown option: "hidden"' in output


def test_mistakes_fail(site: Site) -> None:
    assert_mistakes_fail(site.output)
    warnings = [name for page, name in site.items if name.startswith("warning")]
    assert len(warnings) == 5


def test_what_failed_fails_again_in_parallel_from_the_cache(site: Site) -> None:
    again = site.run("--lf", "-n", "2")
    failed = sum(bool(text) for text in site.items.values())
    assert f"{failed} failed in " in again
    assert_mistakes_fail(again)
    assert "docs/index.rst:16: ZeroDivisionError" in again


def test_one_item_of_a_page_is_run_and_the_rest_is_counted(site: Site) -> None:
    named = run_pytest(site.folder, "--codediff", "docs/colons.rst::a:b").stdout
    assert "1 passed" in named
    page = site.run("docs/colons.rst", "-k", "colons", "-n", "1")
    assert "3 passed" in page  # pytest's own doctests do not run the page as well
    assert re.search(r": 2 ran, 4 skipped by name .*, \d+ not run$", summary_line(page))


SMALL = "Page\n====\n\n.. codediff::\n   :title: Good, Bad\n\n   1\n   ---\n   1 / 0\n"


def test_the_first_failure_ends_a_run_that_leaves_nothing_without_a_cache(
    run: Run, tmp_path: Path
) -> None:
    arguments = ("docs", "-x", "-n", "1", "-p", "no:cacheprovider", "-rA")
    ended = run(*arguments, index_rst=f"{SMALL}\n.. testcode:: Never\n\n   1\n")
    assert "1 failed, 1 passed" in ended.stdout
    assert "2 sides: 1 ran, 0 skipped by name, 1 failed" in summary_line(ended.stdout)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docs", "pytest.ini"]


def test_a_suppressed_warning_fails_nothing_nor_a_side_in_another_language_that_is_named(
    run: Run,
) -> None:
    conf = CONF.replace("'toc'", "'toc', 'codediff.skip_test', 'codediff.view'")
    page = MISTAKEN.partition(".. codediff::\n   :titel")[0]
    page += MISTAKEN[MISTAKEN.index(".. codediff::\n   :title: Shell") :].partition(".. testc")[0]
    page = page.replace(":skip-test: Shell", ":no-run:")
    assert "2 passed" in run("docs", conf_py=conf, index_rst=page).stdout


def test_settings_of_the_site_apply(run: Run, tmp_path: Path) -> None:
    for folder in ("by_conf", "by_doctest"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}_module.py").touch()
    conf = f"{CONF}doctest_path = [{str(tmp_path / 'by_doctest')!r}]\n"
    conf += f"import sys; sys.path.insert(0, {str(tmp_path / 'by_conf')!r})\n"
    page = "Page\n====\n\n.. testcode::\n\n   import by_conf_module, by_doctest_module\n"
    assert "1 passed" in run("docs", conf_py=conf, index_rst=page).stdout
    conf += "import doctest\ndoctest_default_flags = doctest.SKIP\n"
    skipped = run("docs", conf_py=conf, index_rst=SMALL)
    assert "0 ran, 2 skipped by name" in summary_line(skipped.stdout)


@pytest.mark.parametrize("conf_is_in_docs", [True, False])
def test_a_folder_below_that_of_the_configuration_is_a_part_of_it(
    run: Run, tmp_path: Path, conf_is_in_docs: bool
) -> None:
    page, conf = "P\n=\n\n.. testcode::\n\n   1\n", f"{CONF}codediff_results = 'results.json'\n"
    pages = {"index_rst": page, "sub__index_rst": page}
    results = tmp_path / "results.json"
    if conf_is_in_docs:
        results = tmp_path / "docs" / "results.json"
        every = run("docs", conf_py=conf, **pages)
    else:
        (tmp_path / "conf.py").write_text(conf)
        write(tmp_path, **pages)
        (tmp_path / "docs" / "conf.py").unlink()
        every = run_pytest(tmp_path, "--codediff", "docs")
    assert "2 passed" in every.stdout
    text = results.read_text()
    assert len(json.loads(text)["results"]) == 2
    assert "1 passed" in run_pytest(tmp_path, "--codediff", "docs/sub").stdout
    assert results.read_text() == text


def test_pages_may_be_in_a_link_and_outside_of_the_root_of_the_tests(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("docs")
    root = f"--rootdir={tmp_path / 'elsewhere'}"
    executed = run("link", root, "-k", "Good", index_rst=SMALL)
    assert executed.returncode == 0
    assert "1 blocks, 2 sides: 1 ran" in summary_line(executed.stdout)


def test_what_cannot_be_run_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "conf.py").touch()
    # A folder with the configuration of no pages is not another site.
    assert "1 passed" in run("docs", "other", "-k", "Good", index_rst=SMALL).stdout
    (tmp_path / "other" / "index.rst").touch()
    settings = ("codediff_timeout=soon", "codediff_timeout=-1", "codediff_cwd=nowhere")
    refused = [run("docs", "other"), *(run("docs", "-o", setting) for setting in settings)]
    (tmp_path / "docs" / "conf.py").unlink()
    refused.append(run_pytest(tmp_path, "--codediff", "docs"))
    assert [done.returncode for done in refused] == [pytest.ExitCode.USAGE_ERROR] * 5
    assert f"--codediff: {tmp_path / 'other'} is another site" in refused[0].stderr
    assert "codediff_timeout has to be a number of seconds" in refused[1].stderr
    assert "codediff_timeout has to be a number of seconds" in refused[2].stderr
    assert "codediff_cwd: there is no folder 'nowhere'" in refused[3].stderr
    assert "there is no conf.py in" in refused[4].stderr


@pytest.mark.parametrize("name", ["codedif", "testouput"])
def test_a_misspelt_name_of_a_directive_fails(run: Run, name: str) -> None:
    done = run("docs", index_rst=f"{SMALL}\n.. {name}:: A\n\n   1\n")
    assert f'Unknown directive type "{name}"' in done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED


def test_programs_run_on_other_hosts(run: Run, tmp_path: Path) -> None:
    """Another folder stands for another host: it has the pages elsewhere."""
    (tmp_path / "host" / "docs").mkdir(parents=True)
    (tmp_path / "host" / "pytest.ini").write_text("[pytest]\n")
    docs = tmp_path / "docs"
    host = ("--dist=load", f"--tx=popen//chdir={tmp_path / 'host'}", f"--rsyncdir={docs}")
    elsewhere = run(str(docs), *host, index_rst=PAGE, included_txt=INCLUDED)
    assert "3 failed, 1 passed" in elsewhere.stdout
    assert "\ndocs/index.rst:16: ZeroDivisionError" in elsewhere.stdout
    assert ">   16 |            y / 0," in elsewhere.stdout


ENDLESS = """
Page
====

.. testcode:: I

   import endless

.. testcode:: Left

   import pathlib
   pathlib.Path("left").touch()
   while True: pass
"""


def test_programs_of_a_run_share_what_jax_compiles(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jax")
    code = """
names = []
jax.monitoring.register_event_listener(lambda name, **_: names.append(name))
jax.jit(lambda x: x * 3.5)(1.0)
print(any(name.endswith("cache_hits") for name in names))
"""
    block = ".. testcode:: {0}\n\n   import jax\n{1}\n.. testoutput:: {0}\n\n   {2}\n"
    code = textwrap.indent(code, "   ")
    page = "\n".join(block.format(name, code, found) for name, found in (("A", False), ("B", True)))
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    for _ in range(2):  # nothing is kept for the next run
        assert "2 passed" in run("docs", index_rst=f"Page\n====\n\n{page}").stdout
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "kept"))
    assert "2 passed" in run("docs").stdout
    assert "1 failed, 1 passed" in run("docs").stdout  # now A finds it as well


def test_an_endless_loop_is_ended_and_named(run: Run, tmp_path: Path) -> None:
    pages = {"index_rst": ENDLESS, "endless_py": "while True: pass\n"}
    (tmp_path / "pytest.ini").write_text("[pytest]\ncodediff_timeout = 2\ncodediff_cwd = work\n")
    (tmp_path / "work").mkdir()
    ended = run("docs", "-k", "Left", **pages)
    assert "docs/index.rst:13: did not end within 2 s; it was at line 13" in ended.stdout
    assert (tmp_path / "work" / "left").exists()
    ended = run("docs", "--timeout=1", "-o", "codediff_cwd=", **pages)
    assert "docs/index.rst:7: did not end within 1 s" in ended.stdout
    assert "docs/index.rst:13: did not end within 1 s; it was at line 13" in ended.stdout
    assert "2 failed" in ended.stdout
    assert not list(tmp_path.glob("left"))


def test_an_interrupted_run_names_the_line(run: Run) -> None:
    kill = "import os, signal, time\n   os.kill(int(os.environ['PYTEST_PID']), signal.SIGINT)"
    page = f"Page\n====\n\n.. testcode:: A\n\n   {kill}\n   time.sleep(60)\n"
    # As if not started in the background, where the signal is ignored.
    conftest = (
        "import os, signal\nos.environ['PYTEST_PID'] = str(os.getpid())\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    )
    stopped = run("docs", index_rst=page, conftest_py=conftest)
    assert "KeyboardInterrupt: at docs/index.rst:" in stopped.stdout
    assert stopped.returncode == pytest.ExitCode.INTERRUPTED


def test_a_run_without_the_option_collects_no_page_and_imports_next_to_nothing(
    tmp_path: Path,
) -> None:
    """The plugin is loaded wherever the package is installed."""
    (tmp_path / "conftest.py").write_text(
        "import sys\n\ndef pytest_sessionfinish():\n    print('modules', *sys.modules)\n"
    )
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    (tmp_path / "page.rst").write_text(PAGE)
    found = []
    for plugin in ("no:codediff", "codediff.pytest_plugin"):
        command = [sys.executable, "-m", "pytest", "-s", "-p", plugin, tmp_path]
        environ = {"PYTHONPATH": str(ROOT / "sphinx_ext"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(
            command, env=os.environ | environ, capture_output=True, text=True, check=True
        )
        assert "1 passed" in done.stdout
        (line,) = [line for line in done.stdout.splitlines() if "modules " in line]
        found.append(set(line.split()))
    assert "codediff.pytest_plugin" in found[1]
    assert len(found[1] - found[0]) <= 8, found[1] - found[0]


def test_conf_py_decides_what_programs_can_import(run: Run, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("")
    # With this file, pytest itself can import from the folder; what its hook sets comes later.
    (tmp_path / "conftest.py").write_text(
        "import os\n\ndef pytest_sessionstart(session):\n    os.environ['SET_LATE'] = '1'\n"
    )
    page = "Page\n====\n\n.. testcode:: A\n\n   import os, beside\n   os.environ['SET_LATE']\n"
    assert "No module named 'beside'" in run("docs", index_rst=page).stdout
    conf = f"{CONF}\nimport sys\nsys.path.insert(0, {str(tmp_path)!r})\n"
    assert "1 passed" in run("docs", conf_py=conf).stdout


def test_a_side_in_another_language_asks_for_no_run(run: Run) -> None:
    page = SMALL.replace("\n\n   1", "\n   :language: bash\n\n   1", 1)
    output = run("docs", index_rst=page).stdout
    assert "docs/index.rst:8: Good (not executed); it is not Python; set ':no-run:'" in output
    assert "2 failed" in output
