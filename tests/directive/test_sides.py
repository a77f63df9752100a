"""Whatever an author writes, nothing raises and no line of code is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codediff.directive import sides

LINES = st.sampled_from(
    [
        *("---", "--- ", "===", "a = 1", "  b  #!", "#!", "x #!", '"""', "'''", "", " \t", "\f"),
        *("# comment", "``x, y``", "`", "\u2028", "é", "|"),
    ]
) | st.text(alphabet="-:#! `,ab\r\u2028'\"|", max_size=12)
LISTS = st.text(alphabet="ab, `\\\n*", max_size=12)


def without_marker(line: str) -> str:
    return line.rstrip().removesuffix(sides.MARKER).rstrip()


@given(st.lists(LINES, max_size=14), LISTS, LISTS, st.sampled_from(["python", "bash", "unknown"]))
def test_no_line_is_lost_doubled_or_moved(
    lines: list[str], titles: str, groups: str, language: str
) -> None:
    found, problems = sides.parse(
        sides.split(lines),
        titles=sides.split_titles(titles) if titles else [],
        groups=sides.split_names(groups, {}),
        language=language,
    )
    shown = [line for side in found for line in side.code.split("\n")]
    written = [line for line in lines if line.rstrip() != sides.SEPARATOR]
    assert [*filter(None, map(without_marker, shown))] == [
        *filter(None, map(without_marker, written))
    ]
    assert all(problem.line is None or 0 <= problem.line < len(lines) for problem in problems)
