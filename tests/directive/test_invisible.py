"""What readers cannot see in code is shown and told, and everything else is left alone."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codediff.directive.invisible import explain, unseen
from conftest import Build, code_of

# From Unicode's property Bidi_Control, and others that have no glyph of their own.
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
UNSEEN = "\u00ad\u034f\u115f\u1160\u180e\u200b\u2028\u2029\u2060\u2063\u3164\ufeff\uffa0\U000e0041"
SEEN = (
    "plain\ttext ünï 日本語 ひらがな  ",
    "👨‍👩‍👧 ❤️ ❤️‍🔥 1️⃣ ©️ 🏳️‍🌈 ‼️ 👍🏽",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "می‌خواهم क्‍ष می\u200c",
    "שלום سلام",
)


@pytest.mark.parametrize("character", [*BIDI, *UNSEEN, *map(chr, range(9)), "\x1b", "\x7f", "\x9f"])
def test_it_is_shown_and_told(character: str) -> None:
    name = f"U+{ord(character):04X}"
    assert name in explain(f"a{character}b")
    assert unseen(f"a{character}b") == [1]


@pytest.mark.parametrize("text", SEEN)
def test_what_belongs_to_writing_is_left_alone(text: str) -> None:
    assert explain(text) == ""


@pytest.mark.parametrize(
    "text", ["a\u200db", "\u200d", "é\u200d", "日\u200d本", "م\u200c\u200c", "👍\u200d"]
)
def test_joiners_that_join_nothing_are_told(text: str) -> None:
    assert explain(text)


@pytest.mark.parametrize("text", ["変\ufe0f", "葛\U000e0100", "a1\ufe0f", "ж\ufe0e", "ᠠ\u180b"])
def test_names_that_look_alike_are_told(text: str) -> None:
    assert text.isidentifier()
    assert explain(f"{text} = 1")


def test_text_that_hides_in_a_flag_is_told() -> None:
    hidden = "".join(chr(0xE0000 + ord(one)) for one in ") or True")
    assert explain(f"a = '\U0001f3f4{hidden}\U000e007f'")


@given(st.text())
def test_no_format_or_control_character_is_missed(text: str) -> None:
    unseen = {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")}
    # Some signs of writing have a form although they are of the category.
    unseen -= set("\t\n\u200c\u200d\u06dd\u070f\u08e2") | set(map(chr, range(0x600, 0x606)))
    unseen = {one for one in unseen if not 0x11000 <= ord(one) < 0x14000}
    told = explain(text)
    assert all(f"U+{ord(one):04X}" in told for one in unseen)


def test_what_stands_next_to_a_character_decides_wherever_words_differ(build: Build) -> None:
    page = """
.. codediff::
   :title: A, B​

   x = "👨‍👩‍👧 میخواهم é"
   y = ["👨‍👩‍👧", "क्ष", b‮e]
   ---
   x = "👨‍👩‍👦 می‌خواهم e"
   y = ["👩‍👩‍👧", "क्‍ष", b‮f]
"""
    built = build(index_rst=f"Page\n====\n{page}")
    assert [line.split(",")[0] for line in built.warnings if "bidi" in line] == [
        "index.rst:4: WARNING: the title has U+200B ZERO WIDTH SPACE",
        "index.rst:8: WARNING: the code has U+202E RIGHT-TO-LEFT OVERRIDE",
        "index.rst:11: WARNING: the code has U+202E RIGHT-TO-LEFT OVERRIDE",
    ]
    first, second = built.sides()
    assert [one["data-character"] for one in first.select("[data-character]")] == ["U+202E"]
    words = [one.get_text() for one in first.select("del del, .cd-c del")]
    assert words == ["👨‍👩‍👧", "क्ष", "e"]
    assert second.select("bdi[dir=ltr]")


def test_a_page_warns_on_the_line_and_keeps_the_code(build: Build) -> None:
    code = ["a = 1", "b = 'x\u202e'  # y", "---", "a = 1", "c = '\1'"]
    text = "\n".join(["Page", "====", "", ".. codediff::", "   :title: A, B", ""])
    built = build(index_rst=text + "\n" + "\n".join(f"   {line}" for line in code) + "\n")
    told = [line.partition(";")[0] for line in built.warnings]
    assert told == [
        "index.rst:8: WARNING: the code has U+202E RIGHT-TO-LEFT OVERRIDE, which cannot be seen",
        "index.rst:11: WARNING: the code has U+0001, which cannot be seen",
    ]
    assert [code_of(side) for side in built.sides()] == [
        "a = 1\nb = 'x\u202e'  # y\n",
        "a = 1\nc = '\1'\n",
    ]
