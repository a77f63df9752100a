"""Finding the line of a file where the code of a node is written.

Parsers note the line of a directive rather than that of its code, and count lines from the start
of a docstring or of a notebook's cell. The code itself is searched for, close to that line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from docutils import nodes

# What may precede a line of code: block quotes of Markdown, and comments that autodoc reads.
_PREFIX = re.compile(r"^(?:(?:>(?: |$))+|#:(?: |$))")
# Between the start of a directive and its content there are options, without an empty line.
_CONTENT = re.compile(r"^$|^(?:```|~~~|:::)", re.MULTILINE)


def read_lines(file: str) -> list[str]:
    """Return the lines of a file without indentation; for a notebook, with strings decoded."""
    try:
        # Only a line feed ends a line in editors and in tracebacks, unlike in docutils.
        lines = [line.strip() for line in Path(file).read_text("utf-8").split("\n")]
    except (OSError, UnicodeError):
        return []
    for index, line in enumerate(lines if file.endswith(".ipynb") else ()):
        with suppress(ValueError):
            lines[index] = str(json.loads(line.rstrip(","))).strip()
    return lines


def find_line(node: nodes.Element, code: str, file: str, lines: Sequence[str]) -> int:
    """Return the number of the line where the code of a node begins, counted from 1.

    The search starts at the node's own line; the lines of the file are those of `read_lines`.
    """
    near = node.line or 1
    if file.endswith(".ipynb"):
        cell, offset = divmod(near, 10_000)  # MyST-NB adds this much for each cell
        cells = [index for index, line in enumerate(lines) if line.startswith('"source":')]
        near = offset + (cells[cell - 1] if 0 < cell <= len(cells) else 0)
    wanted = [line.strip() for line in code.split("\n")]
    size, last = len(wanted), len(lines) - len(wanted)
    starts = [at for at in range(last + 1) if all(map(_holds, lines[at : at + size], wanted))]
    if "testoutput" in (node.get("testnodetype"), node.get("isolated_testnodetype")):
        starts = [at for at in starts if _begins_output(lines[:at])]
    after = [start for start in starts if start + 2 >= near]
    fallback = min(near, len(lines) or near) - 1
    return 1 + min(after or starts, key=lambda start: abs(start + 1 - near), default=fallback)


def _begins_output(above: Sequence[str]) -> bool:
    """Whether the line below these is the first one of a ``testoutput``."""
    at = next((at for at in reversed(range(len(above))) if "testoutput" in above[at]), len(above))
    options = "\n".join(_PREFIX.sub("", line) for line in above[at + 1 :]).rstrip("\n")
    return at < len(above) and not (options and _CONTENT.search(options))


def _holds(line: str, code: str) -> bool:
    """Whether a line of a file holds a line of code, whatever marker or flag follows it."""
    if line[:1] in {">", "#"} and not line.startswith(code):
        line = _PREFIX.sub("", line)
    if not code:
        return line in ("", "#!")
    return line.startswith(code) or line.replace("\\\\", "\\").startswith(code)  # in a docstring
