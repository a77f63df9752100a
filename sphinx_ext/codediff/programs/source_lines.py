"""Finding the line of a file where the code of a node is written.

Parsers note the line of a directive rather than that of its code, and count lines from the start
of a docstring or of a notebook's cell. The code itself is searched for, close to that line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from docutils import nodes

# What may precede a line of code: block quotes of Markdown, and comments that autodoc reads.
_PREFIX = re.compile(r"^(?:(?:>(?: |$))+|#:(?: |$))")


def read_lines(file: str) -> tuple[str, ...]:
    """Return the lines of a file without indentation; for a notebook, with strings decoded."""
    try:
        # Only a line feed ends a line in editors and in tracebacks, unlike in docutils.
        lines = Path(file).read_text("utf-8").split("\n")
    except (OSError, UnicodeError):
        return ()
    if file.endswith(".ipynb"):
        lines = [_decoded(line) for line in lines]
    return tuple(line.strip() for line in lines)


def _decoded(line: str) -> str:
    try:
        return str(json.loads(line.strip().rstrip(",")))
    except ValueError:
        return line


def find_line(node: nodes.Element, code: str, file: str, lines: Sequence[str]) -> int:
    """Return the number of the line where the code of a node begins, counted from 1.

    Args:
        node: The node; its line is where the search starts.
        code: The code, as it is executed.
        file: Path of the file that it is written in.
        lines: The lines of that file, from `read_lines`.
    """
    near = node.line or 1
    fallback = near - 1
    if file.endswith(".ipynb"):
        cell, offset = divmod(near, 10_000)  # MyST-NB adds this much for each cell
        cells = [index for index, line in enumerate(lines) if line.startswith('"source":')]
        fallback = cells[cell - 1] if 0 < cell <= len(cells) else 0
        near = fallback + offset
    wanted = [line.strip() for line in code.split("\n")]
    blank = next((index for index, line in enumerate(wanted) if line), 0)
    starts = [
        index - blank
        for index in range(len(lines) - len(wanted) + blank + 1)
        if _holds(lines[index], wanted[blank]) and all(map(_holds, lines[index:], wanted[blank:]))
    ]
    after = [start for start in starts if start + 2 >= near]
    return 1 + min(after or starts, key=lambda start: abs(start + 1 - near), default=fallback)


def _holds(line: str, code: str) -> bool:
    """Whether a line of a file holds a line of code, whatever marker or flag follows it."""
    if line[:1] in {">", "#"} and not line.startswith(code):
        line = _PREFIX.sub("", line)
    if not code:
        return line in ("", "#!")
    return line.startswith(code) or line.replace("\\\\", "\\").startswith(code)  # in a docstring
