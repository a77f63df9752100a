"""Every side is executed, by stock doctest, from the block that readers see."""

from __future__ import annotations

import pytest

from conftest import Build

BLOCK = """
.. codediff::
   :title: {titles}

   {left}
   ---
   {right}
"""


def block(left: str, right: str, titles: str = "No Dropout, With Dropout") -> str:
    return BLOCK.format(titles=titles, left=left, right=right)


def page(*parts: str) -> str:
    return "\n\n".join(["Page\n====", *parts, ""])


def shared(code: str, directive: str = "testsetup", groups: str = "") -> str:
    return f".. {directive}:: {groups}\n\n   {code}"


@pytest.mark.parametrize("builder", ["doctest", "codediff"])
@pytest.mark.parametrize(("left", "right"), [("1 / 0", "1 / 1"), ("1 / 1", "1 / 0")])
def test_an_error_in_either_side_fails_and_is_named(
    build: Build, builder: str, left: str, right: str
) -> None:
    built = build(builder=builder, index_rst=page(block(left, right)))
    assert built.status == 1
    assert "ZeroDivisionError" in built.output
    side = "No Dropout" if left == "1 / 0" else "With Dropout"
    assert f"in {side}\n" in built.output
    assert 'File "index.rst"' in built.output


@pytest.mark.parametrize("builder", ["doctest", "codediff"])
def test_sides_of_one_title_are_one_program(build: Build, builder: str) -> None:
    text = page(block("x = 1", "x = 2"), block("assert x == 1", "assert x == 2"))
    assert build(builder=builder, index_rst=text).status == 0


def test_programs_do_not_see_each_other(build: Build) -> None:
    built = build(builder="doctest", index_rst=page(block("x = 1", "assert x == 1")))
    assert built.status == 1
    assert "NameError" in built.output


def test_setup_without_a_group_reaches_every_group(build: Build) -> None:
    text = page(
        shared("import math"),
        block("math.pi", "math.pi"),
        shared("math.pi", "testcode"),
        shared("math.pi", "testcode", "Other"),
        ">>> math.floor(2.5)\n2",
    )
    assert build(builder="doctest", index_rst=text).status == 0


def test_setup_runs_in_the_order_in_which_it_is_written(build: Build) -> None:
    text = page(
        shared("order = [1]"),
        shared("order.append(2)", groups="With Dropout"),
        shared("order.append(3)"),
        block("assert order == [1, 3]", "assert order == [1, 2, 3]"),
    )
    assert build(builder="doctest", index_rst=text).status == 0


def test_setup_for_a_named_group_reaches_that_group_alone(build: Build) -> None:
    text = page(shared("import math", groups="With Dropout"), block("math.pi", "math.pi"))
    built = build(builder="doctest", index_rst=text)
    assert "in No Dropout\n" in built.output
    assert "1 failure in tests" in built.output


def test_cleanup_without_a_group_reaches_every_group(build: Build) -> None:
    text = page(block("x = 0", "x = 1"), shared("1 / x", "testcleanup"))
    built = build(builder="doctest", index_rst=text)
    assert "1 failure in cleanup code" in built.output


def test_output_of_one_side_is_checked(build: Build) -> None:
    output = ".. testoutput:: With Dropout\n\n   {}"
    good = page(block("x = 1", "print(2)"), output.format(2))
    assert build(builder="doctest", index_rst=good).status == 0
    bad = page(block("x = 1", "print(2)"), output.format(3))
    built = build(builder="doctest", index_rst=bad)
    assert built.status == 1
    assert "Expected:\n    3\nGot:\n    2\n" in built.output


def test_a_session_is_a_doctest(build: Build) -> None:
    assert build(builder="doctest", index_rst=page(block(">>> 1 + 1\n   2", "x = 1"))).status == 0
    built = build(builder="doctest", index_rst=page(block(">>> 1 + 1\n   3", "x = 1")))
    assert "Expected:\n    3\nGot:\n    2\n" in built.output


@pytest.mark.parametrize("option", ["skip-test", "skip_test"])
def test_a_skipped_side_is_not_executed(build: Build, option: str) -> None:
    text = page(block("1 / 0", "x = 1")).replace(
        "   :title:", f"   :{option}: No Dropout\n   :title:"
    )
    assert build(builder="doctest", index_rst=text).status == 0


def test_sides_share_a_group_that_both_name(build: Build) -> None:
    text = page(block("x = 1", "assert x == 1")).replace(
        "   :title:", "   :groups: one, one\n   :title:"
    )
    assert build(builder="doctest", index_rst=text).status == 0


def test_groups_of_titles_with_markup_are_plain_text(build: Build) -> None:
    text = page(
        block("x = 1", "print(2)", titles="``setup``, ``nn.compact``"),
        ".. testoutput:: nn.compact\n\n   2",
    )
    assert build(builder="doctest", index_rst=text).status == 0


def last_line(output: str) -> str:
    return output.rstrip("\n").rpartition("\n")[2]


def test_the_account_is_the_last_line(build: Build) -> None:
    skipped = block("1 / 0", "x = 1").replace("   :title:", "   :skip-test: No Dropout\n   :title:")
    built = build(builder="codediff", index_rst=page(block("x = 1", ">>> 1\n   1"), skipped))
    assert built.status == 0
    assert last_line(built.output) == (
        "codediff: 2 blocks, 4 sides: 3 ran, 1 skipped by name (index.rst:19 'No Dropout')"
    )


def test_a_side_that_did_not_run_fails_the_account(build: Build) -> None:
    bash = block("echo", "echo").replace("   :title:", "   :language: bash\n   :title:")
    built = build(builder="codediff", index_rst=page(bash, block("x = 1", "x = 2")))
    assert built.status == 1
    assert built.warnings == [
        "ERROR: index.rst:9 'No Dropout' neither ran nor is named in ':skip-test:'",
        "ERROR: index.rst:11 'With Dropout' neither ran nor is named in ':skip-test:'",
    ]
    assert last_line(built.output) == (
        "codediff: 2 blocks, 4 sides: 2 ran, 0 skipped by name, 2 did not run"
    )


def test_a_broken_setup_leaves_sides_that_did_not_run(build: Build) -> None:
    built = build(
        builder="codediff",
        index_rst=page(shared("1 / 0", groups="With Dropout"), block("x = 1", "x = 2")),
    )
    assert built.status == 1
    assert last_line(built.output).endswith("1 ran, 0 skipped by name, 1 did not run")
