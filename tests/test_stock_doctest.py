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


@pytest.mark.parametrize(("left", "right"), [("1 / 0", "1 / 1"), ("1 / 1", "1 / 0")])
def test_an_error_in_either_side_fails_and_is_named(build: Build, left: str, right: str) -> None:
    built = build(builder="doctest", index_rst=page(block(left, right)))
    assert built.status == 1
    assert "ZeroDivisionError" in built.output
    side = "No Dropout" if left == "1 / 0" else "With Dropout"
    assert f"in {side}\n" in built.output
    assert 'File "index.rst"' in built.output


def test_sides_of_one_title_are_one_program(build: Build) -> None:
    text = page(block("x = 1", "x = 2"), block("assert x == 1", "assert x == 2"))
    assert build(builder="doctest", index_rst=text).status == 0


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


def test_setup_without_a_group_is_stock_on_pages_without_a_block(build: Build) -> None:
    text = page(shared("import math"), shared("math.pi", "testcode", "Other"))
    built = build(builder="doctest", index_rst=text)
    assert "NameError" in built.output
    assert "1 failure in tests" in built.output


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


def test_a_session_may_begin_with_comments(build: Build) -> None:
    session = "# Twice:\n\n   # two times\n   >>> 2 * {}\n   4"
    text = page(block(session.format(2), "x = 1"))
    built = build(builder="doctest", index_rst=text)
    assert built.status == 0, built.output
    assert ">>> 2 * 2" in build(index_rst=text).sides()[0].select_one(".highlight-pycon").text
    built = build(builder="doctest", index_rst=page(block(session.format(3), "x = 1")))
    assert "Expected:\n    4\nGot:\n    6\n" in built.output


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


def raising(name: str, *outputs: str) -> str:
    option = f"   :raises: {name}\n   :title:"
    return page(block('1 + "a"', "x = 1").replace("   :title:", option), *outputs)


TRACEBACK = """
.. testoutput:: No Dropout

   Traceback (most recent call last):
   TypeError: unsupported operand...
"""


def test_a_side_that_is_meant_to_fail_passes_when_it_does(build: Build) -> None:
    built = build(builder="doctest", index_rst=raising("TypeError"))
    assert built.status == 0, built.output
    built = build(builder="doctest", index_rst=raising("TypeError", TRACEBACK))
    assert (built.status, built.warnings) == (0, [])


@pytest.mark.parametrize("names", ["ValueError", "TypeError, TypeError"])
def test_a_side_that_fails_otherwise_or_not_at_all_fails(build: Build, names: str) -> None:
    built = build(builder="doctest", index_rst=raising(names))
    assert built.status == 1
    assert "1 failure in tests" in built.output


def test_a_message_that_is_shown_is_checked(build: Build) -> None:
    wrong = TRACEBACK.replace("unsupported operand", "another message")
    built = build(builder="doctest", index_rst=raising("TypeError", wrong))
    assert "1 failure in tests" in built.output


PRINTED = ".. testoutput:: No Dropout\n\n   before"


def test_output_before_an_exception_is_shown_and_passes(build: Build) -> None:
    text = raising("TypeError", PRINTED).replace('1 + "a"', 'print("before"); 1 + "a"')
    built = build(builder="doctest", index_rst=text)
    assert (built.status, built.warnings) == (0, []), built.output
    assert "before" in build(index_rst=text).sides()[0].select_one(".codediff-output").text
    built = build(
        builder="doctest", index_rst=text.replace("raises: TypeError", "raises: KeyError")
    )
    assert "1 failure in tests" in built.output


def test_what_is_meant_to_fail_is_not_seen_by_readers(build: Build) -> None:
    built = build(index_rst=raising("TypeError"))
    assert "Traceback" not in built.text(".html")
    assert "raises" not in built.text(".html")


def test_code_of_other_environments_is_left_out(build: Build) -> None:
    text = page(
        shared("import only_there", "testcode", "No Dropout"),
        block("import only_there", "x = 1").replace("   :title:", "   :env: old\n   :title:"),
    )
    conf = "\ncodediff_environments = {'old': ['only-there<2']}\n"
    built = build(builder="doctest", index_rst=text, conf=conf)
    assert built.status == 0, built.output


def test_a_pragma_for_coverage_in_an_output_is_shown(build: Build) -> None:
    output = "1  # pragma: no cover"
    built = build(
        index_rst=f"Page\n====\n\n.. testcode::\n\n   1\n\n.. testoutput::\n\n   {output}\n"
    )
    assert output in built.html("index").text
