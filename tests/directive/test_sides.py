"""Whatever an author writes, nothing raises and no line of code is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codediff.directive import sides

OPTIONS = ("title", "groups", "raises", "env")
LINES = st.sampled_from(
    [
        *("---", "--- ", "===", "a = 1", "  b  #!", "#!", "x #!", '"""', "'''", "", " \t", "\f"),
        *(":title: A, B", ":title:", ":groups: `a, b`, c", ":env: a, , b", ":nope: 1", "title: |"),
        *("   more", "# comment", "``x, y``", "`", "\u2028", "é\0", "|"),
    ]
) | st.text(alphabet="-:#! `,ab\r\0\u2028'\"|", max_size=12)


def without_marker(line: str) -> str:
    return line.rstrip().removesuffix(sides.MARKER).rstrip()


@given(st.lists(LINES, max_size=14), st.booleans(), st.sampled_from(["python", "bash", "unknown"]))
def test_no_line_is_lost_doubled_or_moved(lines: list[str], quotes: bool, language: str) -> None:
    options, start, problems = sides.read_options(lines, OPTIONS, quotes=quotes)
    given_names = {name: option.value for name, option in options.items()}
    found, mistakes = sides.parse(
        sides.split(lines, sides.SEPARATOR, start),
        titles=sides.split_titles(given_names["title"]) if "title" in given_names else [],
        groups=sides.split_names(given_names.get("groups", "")),
        language=language,
    )
    shown = [line for side in found for line in side.code.split("\n")]
    lines = [line.replace("\0", "\ufffd") for line in lines]  # as in CommonMark
    written = [line for line in lines[start:] if line.rstrip() != sides.SEPARATOR]
    expected = filter(None, map(without_marker, written))
    assert list(filter(None, map(without_marker, shown))) == list(expected)
    places = [problem.where for problem in [*problems, *mistakes]]
    assert all(isinstance(place, str) or -1 <= place < len(lines) for place in places)
