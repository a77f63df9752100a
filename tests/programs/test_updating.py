"""``pytest --codediff --codediff-update`` writes the output that came, and nothing else."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from doctest import ELLIPSIS
from pathlib import Path

import pytest

from codediff.execution.data import Failure, Program
from codediff.execution.runner import Runner
from codediff.programs.updating import merge, update_outputs
from conftest import Build, Built, run_pytest

PAGE = """
Page
====

.. codediff::
   :title: Before, After

   print("one")
   print("two", id(print))
   print("three")
   ---
   >>> def f():
   ...     print(1)
   ...     print()
   >>> f()
   2
   >>> [10,
   ...  20]  #!
   [10,
    30]
   >>> 3
   >>> 4; None
   4

.. testoutput:: Before

     one
     two ...
     four

.. testcode:: Right

   print("ä ...")

.. testoutput:: Right

   ä ...
"""
UPDATED = (
    PAGE.replace("   >>> f()\n   2\n", "   >>> f()\n   1\n   <BLANKLINE>\n")
    .replace("   [10,\n    30]\n   >>> 3\n", "   [10, 20]\n   >>> 3\n   3\n")
    .replace("     four\n", "     three\n")
)
MARKDOWN = """# M

```{codediff}
:title: A, B

print("a", 1)
---
x = 1
```

> ```{testoutput} A
> a 2
> ```

```{testcode} B
print([x,
       x])
```

```{testoutput} B
[...,
 2]
```
"""
UPDATED_MARKDOWN = MARKDOWN.replace("> a 2", "> a 1").replace("[...,\n 2]", "[1, 1]")
CONF = "extensions = ['codediff', 'myst_nb']\nsuppress_warnings = ['toc']\n"


def notebook(text: str, *, is_ascii: bool = False) -> str:
    source = text.splitlines(True)
    cell = {"cell_type": "markdown", "id": "a", "metadata": {"ü": 1}, "source": source}
    info = {"language_info": {"name": "python"}, "kernelspec": {"name": "python3"}}
    book = {"cells": [cell], "metadata": info, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, ensure_ascii=is_ascii) + "\n"


@dataclass
class Pages:
    """Pages that are executed in this process.

    Attributes:
        build: The fixture that has Sphinx read them.
        text: The page "index.rst" after the last update.
    """

    build: Build
    text: str = ""

    def outcomes(self, **pages: str) -> tuple[Built, list[tuple[Program, Sequence[Failure]]]]:
        built = self.build(builder="codediff-programs", **pages)
        data = json.loads((built.outdir / "programs.json").read_text("utf-8"))
        programs = [Program.from_json(one) for page in data["pages"] for one in page["programs"]]
        with Runner(root=built.srcdir) as runner:
            return built, [(one, runner.run(one).failures) for one in programs]

    def update(self, text: str, since: float | None = None, **pages: str) -> list[str]:
        """Write a page, update its outputs and return the messages about it."""
        built, outcomes = self.outcomes(index_rst=text, **pages)
        since = time.time() if since is None else since
        messages = update_outputs(outcomes, since=since, root=built.srcdir)
        self.text = (built.srcdir / "index.rst").read_text("utf-8")
        return [message.replace(f"{built.srcdir}/", "") for message in messages]


@pytest.fixture
def pages(build: Build) -> Pages:
    return Pages(build)


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a folder of pages in every format after an update, and what pytest printed."""
    folder = tmp_path_factory.mktemp("updated")
    (folder / "docs").mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    files = {
        "conf.py": CONF,
        "index.rst": PAGE,
        "windows.rst": PAGE.replace("\n", "\r\n"),
        "page.md": MARKDOWN,
        "book.ipynb": notebook(MARKDOWN),
        "ascii.ipynb": notebook(MARKDOWN, is_ascii=True),
    }
    for name, text in files.items():
        (folder / "docs" / name).write_bytes(text.encode())
    done = run_pytest(folder, "--codediff", "docs", "--codediff-update", "-n", "2")
    return folder / "docs", done.stdout


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("index.rst", UPDATED),
        ("windows.rst", UPDATED.replace("\n", "\r\n")),
        ("page.md", UPDATED_MARKDOWN),
        ("book.ipynb", notebook(UPDATED_MARKDOWN)),
        ("ascii.ipynb", notebook(UPDATED_MARKDOWN, is_ascii=True)),
    ],
)
def test_outputs_are_written_in_every_format(
    updated: tuple[Path, str], name: str, text: str
) -> None:
    docs, printed = updated
    assert (docs / name).read_bytes().decode() == text, printed
    assert re.search(rf"^codediff: updated docs/{name}:\d+$", printed, re.MULTILINE)


def test_what_is_updated_passes(pages: Pages) -> None:
    _built, outcomes = pages.outcomes(index_rst=UPDATED, page_md=UPDATED_MARKDOWN)
    assert [failures for _program, failures in outcomes] == [()] * 5


def block(code: str, output: str, groups: str = "A") -> str:
    """Return a block of code for each group and an output for all of them."""
    code = "".join(f"\n.. testcode:: {one}\n\n   {code}\n" for one in groups.split(", "))
    return f"{code}\n.. testoutput:: {groups}\n\n   {output}\n"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (block("1 / 0", "1"), []),
        (block("print(2)", "1") + block("1 / 0", "1"), []),
        (block("print('a  b '); print('c\\td')", "1"), ["10: a page cannot hold the output"]),
        (block("print('  1')", "1"), ["10: a page cannot hold the output"]),
        (block("None", "1"), ["10: a page cannot hold the output"]),
        (block("print()", "1"), ["10: a page cannot hold the output"]),
        (
            "\n>>> print('... 2')\n1\n"
            + "\n.. codediff::\n   :title: A, B\n\n   1\n   ---\n   2\n",
            ["5: a page cannot hold the output"],
        ),
        (block("print(1)", "1").partition("\n.. testoutput")[0], ["6: the page has no output"]),
        (
            block("print(2)", "Traceback (most recent call last):\n   ValueError: 2"),
            ["10: the page has no output"],
        ),
        (
            "\n.. codediff::\n   :title: A, B\n\n   print(1)\n   ---\n   2\n",
            ["7: the page has no output"],
        ),
        (
            block("print(1)", "2", "A, B").replace("print(1)", "print(3)", 1),
            ["14: another group that shows it prints something else, or did not run"],
        ),
        (
            block("print(1)", "2", "A, B").replace("print(1)", "print(2)", 1),
            ["14: another group that shows it prints something else, or did not run"],
        ),
    ],
)
def test_what_cannot_be_written_is_left(pages: Pages, text: str, messages: list[str]) -> None:
    found = pages.update(f"P\n=\n{text}")
    assert pages.text == f"P\n=\n{text}"
    for message, wanted in zip(found, messages, strict=True):
        assert message.startswith(f"not updated index.rst:{wanted}")


def test_only_the_output_itself_is_written(pages: Pages) -> None:
    table = """
+----------------------+
| .. testcode:: A      |
|                      |
|    print(1)          |
|                      |
| .. testoutput:: A    |
|                      |
|    0                 |
+----------------------+

.. code-block:: text

   0
"""
    assert pages.update(f"P\n=\n{table}") == [
        "not updated index.rst:9: it is written in another way"
    ]
    assert pages.text == f"P\n=\n{table}"
    prose = "# P\n\n```{testcode} A\nprint(1)\n```\n\nThis:\n0\n```{testoutput} A\n0\n```\n"
    built, outcomes = pages.outcomes(index_rst="P\n=\n", page_md=prose)
    messages = update_outputs(outcomes, since=time.time(), root=built.srcdir)
    assert [message.rpartition("/")[2] for message in messages] == ["page.md:10"]
    assert (built.srcdir / "page.md").read_text() == prose.replace("0\n```\n", "1\n```\n")


def test_a_notebook_in_one_line_is_left(pages: Pages) -> None:
    text = json.dumps(json.loads(notebook("# P\n\n```pycon\n>>> 1\n2\n```\n")))
    built, outcomes = pages.outcomes(index_rst=f"P\n=\n{block('print(1)', '0')}", book_ipynb=text)
    messages = update_outputs(outcomes, since=time.time(), root=built.srcdir)
    assert any(message.endswith("index.rst:10") for message in messages)
    assert (built.srcdir / "book.ipynb").read_text() == text


def test_an_output_that_groups_share_is_written_if_they_print_the_same(pages: Pages) -> None:
    assert pages.update(f"P\n=\n{block('print(1)', '2', 'A, B')}") == ["updated index.rst:14"]
    assert pages.text == f"P\n=\n{block('print(1)', '1', 'A, B')}"


def test_an_output_of_a_program_that_did_not_run_is_left(tmp_path: Path) -> None:
    page = f"P\n=\n{block('print(1)', '2', 'A, B')}"
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conf.py").write_text(CONF)
    (tmp_path / "index.rst").write_text(page)
    done = run_pytest(tmp_path, "--codediff", "index.rst::A", "--codediff-update")
    assert "not updated index.rst:14: another group that shows it" in done.stdout
    assert (tmp_path / "index.rst").read_text() == page


def test_what_is_printed_before_an_exception_is_written(pages: Pages) -> None:
    page = "P\n=\n\n.. codediff::\n   :title: A, B\n   :raises: KeyError\n\n   print(1)\n   {}[1]\n"
    page += "   ---\n   1\n\n.. testoutput:: A\n\n   2\n"
    assert pages.update(page) == ["updated index.rst:15"]
    assert pages.text == page.replace("   2\n", "   1\n")


def test_a_file_that_has_changed_since_it_was_read_is_left(pages: Pages) -> None:
    page = f"P\n=\n{block('print(1)', '2')}"
    assert pages.update(page, since=time.time() - 1) == [
        "not updated index.rst: the file has changed since it was read"
    ]
    assert pages.text == page


def test_docstrings_and_sides_from_files_are_left(pages: Pages) -> None:
    page = "P\n=\n\n.. codediff::\n   :title: A, B\n   :file: a.txt, b.txt\n   :lines: 2-\n\n"
    session = "hidden\n>>> 1\n2\n"
    found = pages.update(page, a_txt=session, b_txt=session)
    assert [re.sub("^.*:", "", one) for one in found] == [
        " the page has no output there that can be replaced"
    ] * 2


@pytest.mark.parametrize(
    ("want", "got", "merged"),
    [
        ("a\nb", "a\nc", "a\nc"),
        ("a ...\nb", "a 1\nc", "a ...\nc"),
        ("a\nb ...\nc", "x\nb 1\ny", "x\nb ...\ny"),
        ("a\n...\nz", "a\n1\n2\ny", "a\n...\ny"),
        ("a\n...\nz\nend", "b\n1\n2\nz\nend", "b\n...\nz\nend"),
        ("a\nb\nc", "a\nc", "a\nc"),
        ("", "a", "a"),
    ],
)
def test_ellipses_that_still_match_are_kept(want: str, got: str, merged: str) -> None:
    assert merge(want.splitlines(), got.splitlines(), ELLIPSIS) == merged.splitlines()
