"""Programs as pytest items, with what users of pytest know."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sphinx import version_info

from conftest import ROOT, run_pytest

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
MARKDOWN = '# M\n\n```{codediff}\n:title: A, B\n\n1 + 1\n---\n2 + "a"  #!\n```\n'
MODULE = '''"""Module."""


def documented():
    """Do nothing.

    >>> 1 + 1
    2
    >>> 1 / 0
    """
'''

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that writes pages and runs pytest over them."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def run(
        *arguments: str, typed: str | None = None, **pages: str
    ) -> subprocess.CompletedProcess[str]:
        conf = "extensions = ['codediff', 'myst_nb']\nsuppress_warnings = ['toc']\n"
        for name, text in ({"conf_py": conf, "index_rst": PAGE} | pages).items():
            path = tmp_path / "docs" / ".".join(name.rsplit("_", 1))
            if not path.is_file() or path.read_text("utf-8") != text:
                path.write_text(text, "utf-8")
        return run_pytest(
            tmp_path, "--codediff", *arguments, path=[str(tmp_path / "docs")], typed=typed
        )

    return run


def summary_line(output: str) -> str:
    """Return the line that counts the sides."""
    (line,) = [line for line in output.splitlines() if re.match(r"codediff: \d+ blocks", line)]
    return line


def test_each_program_is_an_item(run: Run) -> None:
    collected = run("docs", "--collect-only", "-q", included_txt=INCLUDED, page_md=MARKDOWN)
    assert [line for line in collected.stdout.splitlines() if "::" in line] == [
        "docs/index.rst::Good",
        "docs/index.rst::Bad",
        "docs/index.rst::Printing",
        "docs/index.rst::Included",
        "docs/page.md::A",
        "docs/page.md::B",
    ]


def test_a_failure_names_page_line_side_and_frames(run: Run) -> None:
    failed = run("docs", "-k", "Bad", included_txt=INCLUDED)
    assert failed.returncode == 1
    assert "docs/index.rst:16: ZeroDivisionError: division by zero  (side 'Bad')" in failed.stdout
    assert ">   16 |            y / 0," in failed.stdout
    assert 'docs/index.rst", line 19, in <module>\n    f(1)\n' in failed.stdout
    assert "    y / 0,\n    ~~^~~\n" in failed.stdout
    assert "run.py" not in failed.stdout


def test_a_failure_in_an_included_file_is_found_there(run: Run) -> None:
    failed = run("docs", "-k", "Included", included_txt=INCLUDED)
    assert "docs/included.txt:6: AttributeError" in failed.stdout


def test_a_failure_in_markdown_is_found_there(run: Run) -> None:
    failed = run("docs/page.md", page_md=MARKDOWN, included_txt="")
    assert "docs/page.md:8: TypeError" in failed.stdout
    assert "docs/page.md::B" in failed.stdout


def test_a_failure_in_a_notebook_is_found_in_its_file(run: Run) -> None:
    cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# M\n"]}]
    source = MARKDOWN.partition("\n\n")[2].splitlines(keepends=True)
    cells.append({"cell_type": "markdown", "id": "b", "metadata": {}, "source": source})
    info = {"language_info": {"name": "python"}, "kernelspec": {"name": "python3"}}
    book = {"cells": cells, "metadata": info, "nbformat": 4, "nbformat_minor": 5}
    text = json.dumps(book, indent=1)
    line = 1 + [line.strip() for line in text.splitlines()].index('"2 + \\"a\\"  #!\\n",')
    failed = run("docs", page_ipynb=text, included_txt="")
    assert f"docs/page.ipynb:{line}: TypeError" in failed.stdout


def test_a_failure_in_a_docstring_is_found_in_the_module(run: Run) -> None:
    page = "Page\n====\n\n.. autofunction:: module.documented\n"
    conf = "extensions = ['codediff', 'sphinx.ext.autodoc']\n"
    failed = run("docs", index_rst=page, module_py=MODULE, conf_py=conf)
    assert "docs/module.py:9: ZeroDivisionError" in failed.stdout


TWICE = ".. testcode:: {}\n\n   n = {}\n   1 / n\n\n"


def test_of_equal_code_the_one_that_failed_is_named(run: Run) -> None:
    page = f"Page\n====\n\n{TWICE.format('A', 0)}{TWICE.format('B', 0)}"
    failed = run("docs", index_rst=page)
    lines = [at for at, line in enumerate(page.splitlines(), 1) if "1 / n" in line]
    assert [f"index.rst:{line}: ZeroDiv" in failed.stdout for line in lines] == [True] * 2


def test_of_equal_cells_the_one_that_failed_is_named(run: Run) -> None:
    sources = ["# M\n", "```{testcode} A\n1 / 0\n```\n", "```{testcode} B\n1 / 0\n```\n"]
    cells = [
        {"cell_type": "markdown", "id": str(at), "metadata": {}, "source": text.splitlines(True)}
        for at, text in enumerate(sources)
    ]
    info = {"language_info": {"name": "python"}, "kernelspec": {"name": "python3"}}
    book = {"cells": cells, "metadata": info, "nbformat": 4, "nbformat_minor": 5}
    text = json.dumps(book, indent=1)
    lines = [at for at, line in enumerate(text.splitlines(), 1) if "1 / 0" in line]
    failed = run("docs/page.ipynb", page_ipynb=text, included_txt="")
    assert [f"page.ipynb:{line}: ZeroDivision" in failed.stdout for line in lines] == [True, True]


def test_of_equal_docstrings_the_one_that_failed_is_named(run: Run) -> None:
    module = '"""M."""\n\n\nclass C:\n    """C.\n\n    >>> 1 / 0\n    """\n\n    if True:\n\n'
    module += (
        '        @property\n        def p(self):\n            """P.\n\n            >>> 1 / 0\n'
    )
    module += '            """\n\n    x: int = 1\n    """X.\n\n    >>> 1 / 0\n    """\n'
    page = "Page\n====\n\n.. autoclass:: module.C\n   :members:\n"
    conf = "extensions = ['codediff', 'sphinx.ext.autodoc']\n"
    failed = run("docs", index_rst=page, module_py=module, conf_py=conf)
    # Before Sphinx 9, autodoc does not tell in which file the docstring of an attribute is.
    attribute = "docs/module.py:22" if version_info >= (9,) else "docstring of module.C.x:3"
    for place in ("docs/module.py:7", "docs/module.py:16", attribute):
        assert f"{place}: ZeroDivisionError" in failed.stdout


def test_programs_import_what_the_configuration_lets_pages_import(run: Run, tmp_path: Path) -> None:
    for folder in ("by_conf", "by_doctest"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}_module.py").touch()
    conf = f"extensions = ['codediff']\ndoctest_path = [{str(tmp_path / 'by_doctest')!r}]\n"
    conf += f"import sys; sys.path.insert(0, {str(tmp_path / 'by_conf')!r})\n"
    page = "Page\n====\n\n.. testcode::\n\n   import by_conf_module, by_doctest_module\n"
    assert "1 passed" in run("docs", conf_py=conf, index_rst=page).stdout


def test_lines_of_a_file_may_be_picked(run: Run) -> None:
    code = "def f():\n    return 1 / b\n\nhidden = 1\n\nb = 0\na = 1\nf()\n"
    page = (
        "Page\n====\n\n.. codediff::\n   :title: A, B\n   :file: a.py, b.py\n   :lines: 1-2, 6-8\n"
    )
    failed = run("docs", index_rst=page, a_py=code, b_py=code.replace("b = 0", "b = 1"))
    assert "docs/a.py:2: ZeroDivisionError" in failed.stdout
    assert 'docs/a.py", line 8, in <module>' in failed.stdout
    assert "1 failed, 1 passed" in failed.stdout


OF_FILES = "Page\n====\n\n.. codediff::\n   :title: A, B\n   :file: a.py, b.py\n   :lines: {}\n"


def test_picked_lines_are_executed_as_they_are_shown(run: Run) -> None:
    code = 'text = """\\\na\n# hidden\nb\n"""\nassert text == "a\\nb\\n"\ntext.nothing\n'
    session = ">>> [1,\n# hidden\n... 2]\n[1, 2]\n"
    failed = run("docs", index_rst=OF_FILES.format("1-2, 4-"), a_py=code, b_py=code)
    assert "docs/a.py:7: AttributeError" in failed.stdout
    assert "docs/b.py:7: AttributeError" in failed.stdout
    passed = run("docs", index_rst=OF_FILES.format("1, 3-"), a_py=session, b_py=session)
    assert "2 passed" in passed.stdout


def test_picked_lines_may_be_out_of_order(run: Run) -> None:
    page = OF_FILES.format("4, 1-2")
    code = "def f():\n    return (1 /\n\nx = 0\n"
    failed = run("docs", index_rst=page, a_py=code.replace("(1 /", "1 / x"), b_py=code)
    assert "docs/b.py:2: SyntaxError" in failed.stdout
    failed = run("docs", index_rst=page, a_py="1 / x\n\n\nx = 0\n", b_py="1\n2\n3\n4\n")
    assert "docs/a.py:1: ZeroDivisionError" in failed.stdout


def test_wrong_output_is_found_in_the_file_that_it_is_in(run: Run) -> None:
    page = OF_FILES.format("1-") + "\n.. testoutput:: A\n\n   2\n"
    failed = run("docs", index_rst=page, a_py="print(1)\n", b_py="x = 1\n")
    assert "docs/index.rst:11: printed something else than expected" in failed.stdout
    included = OF_FILES.format("1-") + "\n.. include:: out.txt\n"
    output = ".. testoutput:: A\n\n   2\n"
    failed = run("docs", index_rst=included, out_txt=output)
    assert "docs/out.txt:3: printed something else than expected" in failed.stdout


def test_a_failure_in_a_quotation_is_found_in_it(run: Run) -> None:
    quoted = MARKDOWN.partition("\n\n")[2].replace("A, B", "C, D")
    quoted = "".join(f"> {line}\n" for line in quoted.splitlines())
    failed = run("docs/page.md", page_md=f"{MARKDOWN}\n{quoted}", included_txt="")
    assert "docs/page.md:8: TypeError" in failed.stdout
    assert "docs/page.md:16: TypeError" in failed.stdout


@pytest.mark.skipif(version_info < (9,), reason="Sphinx does not tell which file it is in")
def test_a_failure_in_a_comment_for_autodoc_is_found_in_the_module(run: Run) -> None:
    module = f"{MODULE}\n\n#: Rows.\n#:\n#: >>> 1 + 1\n#: 3\nROWS = 1\n"
    page = "Page\n====\n\n.. autodata:: module.ROWS\n"
    conf = "extensions = ['codediff', 'sphinx.ext.autodoc']\n"
    failed = run("docs", index_rst=page, module_py=module, conf_py=conf)
    assert "docs/module.py:16: " in failed.stdout


def test_a_notebook_on_one_line_has_one_line(run: Run) -> None:
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": MARKDOWN}
    info = {"language_info": {"name": "python"}, "kernelspec": {"name": "python3"}}
    book = {"cells": [cell], "metadata": info, "nbformat": 4, "nbformat_minor": 5}
    failed = run("docs/page.ipynb", page_ipynb=json.dumps(book), included_txt="")
    assert "docs/page.ipynb:1: TypeError" in failed.stdout
    indented = json.dumps(book, indent=1)
    failed = run("docs/page.ipynb", page_ipynb=indented, included_txt="")
    line = next(at for at, text in enumerate(indented.splitlines(), 1) if '"source"' in text)
    assert f"docs/page.ipynb:{line}: TypeError" in failed.stdout


def test_a_folder_below_that_of_the_configuration_is_a_part_of_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "docs" / "sub").mkdir()
    (tmp_path / "docs" / "sub" / "page.rst").write_text("P\n=\n\n.. testcode::\n\n   1\n")
    conf = "extensions = ['codediff']\ncodediff_results = 'results.json'\n"
    every = run("docs", conf_py=conf, included_txt="")
    results = (tmp_path / "docs" / "results.json").read_text()
    assert "1 failed" not in every.stdout or len(json.loads(results)["results"]) > 1
    assert "1 passed" in run("docs/sub", conf_py=conf, included_txt="").stdout
    assert (tmp_path / "docs" / "results.json").read_text() == results


def test_a_folder_of_pages_below_the_configuration_is_found_from_within(
    tmp_path: Path,
) -> None:
    (tmp_path / "docs" / "sub").mkdir(parents=True)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conf.py").write_text(
        "extensions = ['codediff']\ncodediff_results = 'results.json'\n"
    )
    for name in ("index", "sub/index"):
        page = "P\n=\n\n.. testcode::\n\n   1\n"
        (tmp_path / "docs" / f"{name}.rst").write_text(page)
    assert "2 passed" in run_pytest(tmp_path, "--codediff", "docs").stdout
    results = (tmp_path / "results.json").read_text()
    assert "1 passed" in run_pytest(tmp_path, "--codediff", "docs/sub").stdout
    assert (tmp_path / "results.json").read_text() == results


def test_pages_in_a_folder_that_is_a_link_are_executed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("docs")
    executed = run("link", "-k", "Good", included_txt="")
    assert executed.returncode == 0
    assert summary_line(executed.stdout).startswith("codediff: 1 blocks, 2 sides: 1 ran")


@pytest.mark.parametrize("parallel", [(), ("-n", "2")])
def test_pages_that_pytest_passes_over_fail(
    run: Run, tmp_path: Path, parallel: tuple[str, ...]
) -> None:
    """Folders of some names, such as "build", are no tests to pytest."""
    (tmp_path / "docs" / "build").mkdir()
    (tmp_path / "docs" / "build" / "page.rst").write_text("P\n=\n\n.. testcode::\n\n   1\n")
    page = MARKDOWN.replace('2 + "a"', "2")
    pages = {"index_rst": "Page\n====\n", "page_md": page}
    left_out = run("docs", *parallel, **pages)
    assert "codediff: pytest did not collect docs/build/page.rst" in left_out.stdout
    assert left_out.returncode == pytest.ExitCode.TESTS_FAILED
    if parallel:
        return
    assert run("docs", *parallel, "--ignore=elsewhere", **pages).returncode != 0
    assert run("docs", *parallel, "--ignore=docs/build", **pages).returncode == 0
    (tmp_path / "docs" / "build" / "page.rst").rename(tmp_path / "docs" / "other.rst")
    assert run("docs", *parallel, "--ignore-glob=*/other.rst", **pages).returncode == 0
    (tmp_path / "conftest.py").write_text("collect_ignore = ['docs/other.rst']\n")
    assert run("docs", *parallel, **pages).returncode == 0
    assert run("docs/page.md", *parallel, **pages).returncode == 0


def test_a_second_site_is_not_passed_over(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "conf.py").touch()
    assert "1 passed" in run("docs", "other", "-k", "Good", included_txt="").stdout  # of no pages
    (tmp_path / "other" / "index.rst").touch()
    refused = run("docs", "other", included_txt="")
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"--codediff: {tmp_path / 'other'} is another site" in refused.stderr


def test_pages_may_be_outside_of_the_root_of_the_tests(run: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    executed = run("docs", f"--rootdir={tmp_path / 'elsewhere'}", "-k", "Good", included_txt="")
    assert "2 sides: 1 ran" in summary_line(executed.stdout)


def test_an_output_whose_code_is_left_out_is_no_program(run: Run) -> None:
    page = "Page\n====\n\n.. testcode:: A\n   :skipif: True\n\n   print(1)\n\n"
    page += ".. testoutput:: A\n\n   1\n\n.. testcode:: B\n\n   1\n"
    executed = run("docs", index_rst=page)
    assert "1 passed" in executed.stdout
    assert executed.returncode == 0


def test_a_page_that_is_named_is_not_executed_by_pytest_as_well(run: Run) -> None:
    page = PAGE.partition(".. codediff")[0] + ">>> math.floor(1.5)\n1\n"
    executed = run("docs/index.rst", index_rst=page)
    assert "1 passed" in executed.stdout


def test_titles_may_hold_colons(run: Run) -> None:
    page = "Page\n====\n\n.. codediff::\n   :title: a::b, c\n\n   1\n   ---\n   2\n"
    assert "1 passed" in run("docs/index.rst::a:b", index_rst=page).stdout
    assert summary_line(run("docs", index_rst=page).stdout).endswith("2 ran, 0 skipped by name")


def test_a_session_with_skipped_lines_counts_as_skipped(run: Run) -> None:
    session = ">>> launch()  # doctest: +SKIP\n   >>> 1\n   1\n"
    page = f"Page\n====\n\n.. codediff::\n   :title: A, B\n\n   {session}   ---\n   x = 1\n"
    counted = summary_line(run("docs", index_rst=page).stdout)
    assert counted.endswith("2 sides: 1 ran, 1 skipped by name (docs/index.rst:7 'A')")
    output = "\n.. testoutput:: B\n   :options: +SKIP\n\n   1\n"
    counted = summary_line(run("docs", index_rst=page + output).stdout)
    assert "0 ran, 2 skipped by name" in counted
    comment = page.replace("x = 1", "x = 1  # doctest: +SKIP")  # to doctest, not in plain code
    assert "1 ran, 1 skipped by name" in summary_line(run("docs", index_rst=comment).stdout)
    conf = "import doctest\nextensions = ['codediff']\ndoctest_default_flags = doctest.SKIP\n"
    run("docs", index_rst=page)
    counted = summary_line(run("docs", index_rst=page, conf_py=conf).stdout)
    assert "0 ran, 2 skipped by name" in counted


@pytest.mark.parametrize("between", ["", ".. testcleanup:: A, B\n\n   1\n\n"])
@pytest.mark.parametrize("groups", ["A, B", "*"])
def test_a_side_whose_output_is_skipped_counts_as_skipped(
    run: Run, between: str, groups: str
) -> None:
    page = "Page\n====\n\n.. codediff::\n   :title: A, B\n\n   1 / 0\n   ---\n   1 / 0\n\n"
    page += f"{between}.. testoutput:: {groups}\n   :options: +SKIP\n\n   1\n"
    assert "0 ran, 2 skipped by name" in summary_line(run("docs", index_rst=page).stdout)


def test_the_example_that_introduces_the_package_passes(run: Run) -> None:
    readme = (ROOT / "sphinx_ext" / "README.md").read_text("utf-8")
    example = readme.partition("```rst\n")[2].partition("```")[0]
    assert summary_line(run("docs", index_rst=f"Page\n====\n\n{example}").stdout).endswith(
        "2 sides: 2 ran, 0 skipped by name"
    )


def test_wrong_output_is_shown_as_a_difference(run: Run) -> None:
    failed = run("docs", "-k", "Printing", included_txt=INCLUDED)
    assert "docs/index.rst:27: " in failed.stdout
    assert "\n- 4\n" in failed.stdout
    assert "\n+ 3\n" in failed.stdout


def test_sides_that_nothing_executes_fail(run: Run) -> None:
    page = PAGE.replace("   :title:", "   :language: bash\n   :title:")
    failed = run("docs", "-k", "Bad", index_rst=page, included_txt=INCLUDED)
    assert "Bad (not executed); name its group in ':skip-test:'" in failed.stdout


def test_all_sides_are_counted(run: Run) -> None:
    block = ".. codediff::\n   :title: Old, Good\n   :skip-test: Old\n\n   1 / 0\n   ---\n   1"
    page = f"{PAGE}\n{block}"
    every = run("docs", index_rst=page, included_txt=INCLUDED)
    skipped = "docs/index.rst:35 'Old'"
    assert summary_line(every.stdout) == (
        f"codediff: 2 blocks, 4 sides: 2 ran, 1 skipped by name ({skipped}), 1 failed"
    )
    some = run("docs", "-k", "Bad", "-n", "1", index_rst=page, included_txt=INCLUDED)
    assert summary_line(some.stdout).endswith(
        f"0 ran, 1 skipped by name ({skipped}), 1 failed, 2 not run"
    )


def test_a_debugger_stops_on_the_line_of_the_page(run: Run) -> None:
    page = PAGE.replace("   f(1)", "   breakpoint()\n   f(1)")
    typed = "n\nc\np y + 41\nq\n"
    stopped = run("docs", "-k", "Bad", "--pdb", typed=typed, index_rst=page, included_txt="")
    assert "docs/index.rst(20)<module>()\n-> f(1)\n" in stopped.stdout
    assert "docs/index.rst(16)f()\n-> y / 0,\n(Pdb) 42\n" in stopped.stdout
    assert "docs/index.rst:16: ZeroDivisionError" in stopped.stdout
    assert "run.py" not in stopped.stdout


def test_nothing_is_left_behind_without_a_cache(run: Run, tmp_path: Path) -> None:
    passed = run("docs", "-p", "no:cacheprovider", "-k", "Good", "-n", "1", included_txt=INCLUDED)
    assert "1 passed" in passed.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docs", "pytest.ini"]


def test_last_failed_runs_only_what_failed(run: Run) -> None:
    run("docs", "--lf", included_txt=INCLUDED)
    again = run("docs", "--lf", included_txt=INCLUDED)
    assert "3 failed" in again.stdout
    assert "passed" not in again.stdout


def test_the_first_failure_ends_the_run_and_durations_are_told(run: Run) -> None:
    ended = run("docs", "-x", "--durations=0", "-vv", included_txt=INCLUDED)
    assert "1 failed, 1 passed" in ended.stdout
    assert "call     docs/index.rst::Good" in ended.stdout
    assert summary_line(ended.stdout).endswith("2 sides: 1 ran, 0 skipped by name, 1 failed")


def test_results_go_into_a_junit_file(run: Run, tmp_path: Path) -> None:
    run("docs", "--junitxml=junit.xml", included_txt=INCLUDED)
    cases = ElementTree.parse(tmp_path / "junit.xml").iter("testcase")
    assert {case.get("name"): case.find("failure") is None for case in cases} == {
        "Good": True,
        "Bad": False,
        "Printing": False,
        "Included": False,
    }


def test_programs_run_in_parallel(run: Run) -> None:
    parallel = run("docs", "-n", "2", included_txt=INCLUDED)
    assert "3 failed, 1 passed" in parallel.stdout
    assert "docs/index.rst:16: ZeroDivisionError" in parallel.stdout


def test_programs_run_on_other_hosts(run: Run, tmp_path: Path) -> None:
    """Another folder stands for another host: it has the pages elsewhere."""
    (tmp_path / "host" / "docs").mkdir(parents=True)
    (tmp_path / "host" / "pytest.ini").write_text("[pytest]\n")
    docs = tmp_path / "docs"
    host = ("--dist=load", f"--tx=popen//chdir={tmp_path / 'host'}", f"--rsyncdir={docs}")
    elsewhere = run(str(docs), *host, included_txt=INCLUDED)
    assert "3 failed, 1 passed" in elsewhere.stdout
    assert "\ndocs/index.rst:16: ZeroDivisionError" in elsewhere.stdout
    assert ">   16 |            y / 0," in elsewhere.stdout


def test_an_endless_loop_is_ended_and_named(run: Run) -> None:
    page = PAGE.replace("f(1)", "while True:\n       pass")
    endless = "Page\n====\n\n.. testcode:: I\n\n   import endless\n"
    ended = run("docs", "--timeout=2", index_rst=endless, endless_py="while True: pass\n")
    assert "docs/index.rst:6: did not end within 2 s" in ended.stdout
    assert "1 failed" in ended.stdout
    ended = run("docs", "--timeout=1", index_rst=page, included_txt="")
    assert "did not end within 1 s; it was at line 19" in ended.stdout
    assert "2 failed, 1 passed" in ended.stdout


def test_pages_without_a_configuration_are_a_usage_error(run: Run, tmp_path: Path) -> None:
    run("docs", included_txt="")
    (tmp_path / "docs" / "conf.py").rename(tmp_path / "docs" / "other.py")
    missing = run_pytest(tmp_path, "--codediff", "docs")
    assert missing.returncode == 4
    assert "there is no conf.py in" in missing.stderr


def test_pytest_without_the_option_collects_no_page(tmp_path: Path) -> None:
    (tmp_path / "page.rst").write_text(PAGE)
    assert run_pytest(ROOT, tmp_path).returncode == 5


def test_a_run_without_the_option_imports_next_to_nothing(tmp_path: Path) -> None:
    """The plugin is loaded wherever the package is installed."""
    (tmp_path / "conftest.py").write_text(
        "import sys\n\ndef pytest_sessionfinish():\n    print('modules', *sys.modules)\n"
    )
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    found = []
    for plugin in ("no:codediff", "codediff.pytest_plugin"):
        command = [sys.executable, "-m", "pytest", "-s", "-p", plugin, tmp_path]
        environ = {"PYTHONPATH": str(ROOT / "sphinx_ext"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(
            command, env=os.environ | environ, capture_output=True, text=True, check=True
        )
        (line,) = [line for line in done.stdout.splitlines() if "modules " in line]
        found.append(set(line.split()))
    assert "codediff.pytest_plugin" in found[1]
    assert len(found[1] - found[0]) <= 8, found[1] - found[0]


def test_no_control_character_of_a_page_reaches_the_terminal(run: Run) -> None:
    code = "   x = 1  # \x1b[31m\n   raise ValueError('\\x1b]52;c;\\x07')\n   ---\n   y = 1\n"
    page = f"Page\n====\n\n.. codediff::\n   :title: A\x1b[5m, B\n\n{code}"
    failed = run("docs", index_rst=page)
    assert failed.returncode == 1
    assert r"\x1b]52;c;\x07" in failed.stdout
    assert r"A\x1b[5m" in failed.stdout
    assert "\x1b" not in failed.stdout


def test_settings_limit_time_and_fix_the_working_directory(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\ncodediff_timeout = 3\ncodediff_cwd = work\n")
    (tmp_path / "work").mkdir()
    page = "P\n=\n\n.. testcode:: A\n\n   while True: pass\n\n.. testcode:: B\n\n   "
    page += "import pathlib\n   pathlib.Path('left').touch()\n"
    found = run("docs", index_rst=page)
    assert "did not end within 3 s; it was at line 6" in found.stdout
    assert (tmp_path / "work" / "left").exists()
