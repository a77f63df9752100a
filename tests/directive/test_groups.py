"""The name of a group means the same wherever it is written."""

from __future__ import annotations

import json

import pytest
from docutils import nodes

from conftest import Build, Built

RST = """
Page
====

.. testsetup:: Using ``setup``, B

   x = 1

.. codediff::
   :title: Using ``setup``, *B*

   print(x)
   ---
   print(x + 1)

.. testoutput:: Using setup

   1

.. testoutput:: *B*

   2

.. testcode:: Using ``setup``

   x = 3

.. codediff::
   :title: Using ``setup``, *B*
   :skip-test: *B*

   print(x)
   ---
   1 / 0

.. testoutput:: Using ``setup``

   3

.. codediff::
   :title: Using *more*, ``a, b``
   :groups: Using ``setup``, ``a, b``
   :skip-test: Using setup

   1 / 0
   ---
   print(4)

.. testoutput:: ``a, b``

   4

.. doctest:: Using ``setup``

   >>> x
   3

.. testcode:: B, a, b

   assert True

.. testcleanup:: ``a, b``, B, Using setup

   assert True
"""
MARKDOWN = """# Page

~~~{testsetup} Using `setup`, B
x = 1
~~~

```{codediff}
:title: Using `setup`, **B**

print(x)
---
print(x + 1)
```

```{testoutput} Using setup
1
```

```{testoutput} **B**
2
```

~~~{testcode} Using `setup`
assert x == 1
~~~

:::{codediff}
:title: Using `setup`, **B**
:skip_test: Using `setup`

1 / 0
---
print(2)
:::

```{testoutput} B
2
```

:::{testcleanup} Using `setup`, **B**
assert True
:::
"""
FORMS = {"page_rst": RST, "page_md": MARKDOWN}
NAMES = {"page_rst": {"Using setup", "B", "a, b"}, "page_md": {"Using setup", "B"}}


@pytest.mark.parametrize("form", FORMS)
def test_groups_are_written_as_titles_or_in_plain_text(build: Build, form: str) -> None:
    built = build(builder="doctest", **{form: FORMS[form]})
    assert locations(built) == []
    assert built.status == 0, built.output
    found = (
        group
        for node in built.doctree("page").findall(nodes.Element)
        for group in node.get("groups", ())
    )
    assert set(found) == NAMES[form]


@pytest.mark.parametrize("form", FORMS)
def test_a_test_run_has_one_program_for_each_group(build: Build, form: str) -> None:
    built = build(builder="codediff-programs", **{form: FORMS[form]})
    pages = json.loads(built.text(".json", "programs"))["pages"]
    (page,) = (page for page in pages if page["blocks"])
    assert {program["group"] for program in page["programs"]} == NAMES[form]


def locations(built: Built) -> list[str]:
    return [line.partition(": WARNING")[0] for line in built.warnings if "[codediff." in line]


def test_an_unknown_group_is_a_warning_that_suggests_the_one_meant(build: Build) -> None:
    page = "Page\n====\n\n.. codediff::\n   :title: Before, After\n{}\n\n   1\n   ---\n   2\n\n"
    other = ".. {}:: {}\n\n   3\n"
    for line, text in (
        (4, page.format("   :skip-test: Befor")),
        (12, page.format("") + other.format("testsetup", "before")),
        (12, page.format("") + other.format("testcleanup", "``Aftr``")),
        (12, page.format("") + other.format("testoutput", "Beforee")),
    ):
        built = build(index_rst=text)
        assert locations(built) == [f"index.rst:{line}"]
        assert "; did you mean '" in built.warnings[0]
    (warning,) = build(index_rst=page.format("") + other.format("testsetup", "xyz")).warnings
    assert "no code on this page is in the group 'xyz'; choose one of 'Before', 'After'" in warning


@pytest.mark.parametrize(
    ("option", "kind", "meant"),
    [
        ("env: pydantic1", "env", "pydantic-1"),
        ("view: Bevore", "view", "Before"),
        ("language: pyton", "language", "python"),
    ],
)
def test_an_unknown_name_in_an_option_is_a_warning_that_suggests_the_one_meant(
    build: Build, option: str, kind: str, meant: str
) -> None:
    text = "Page\n====\n\n.. codediff::\n   :title: Before, After\n   :{}\n\n   1\n   ---\n   2\n"
    conf = "\ncodediff_environments = {'pydantic-1': ['pydantic<2']}\n"
    (warning,) = build(index_rst=text.format(option), conf=conf).warnings
    assert warning.startswith("index.rst:4: WARNING: ")
    assert warning.endswith(f"; did you mean {meant!r}? [codediff.{kind}]")


@pytest.mark.parametrize("language", ["bash", "python"])
def test_a_block_that_is_not_run_is_counted_as_skipped_by_name(build: Build, language: str) -> None:
    text = "Page\n====\n\n.. codediff::\n   :title: Old, New\n   :no-run:\n   :language: {}\n\n"
    text = text.format(language) + "   echo 1\n   ---\n   echo 2\n"
    built = build(builder="codediff-programs", index_rst=text)
    (page,) = json.loads(built.text(".json", "programs"))["pages"]
    assert [title for _file, _line, title in page["skipped"]] == ["Old", "New"]
    assert page["programs"] == []
    assert built.warnings == []
    assert build(builder="doctest", index_rst=text).status == 0
