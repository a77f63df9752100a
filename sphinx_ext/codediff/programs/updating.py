"""Writing the output of programs to pages, for ``pytest --codediff --codediff-update``.

Changes nothing but the lines of an output, and only if the file has them as they were read.
Pure: imports neither Sphinx nor pytest.
"""

from __future__ import annotations

import doctest
import json
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from ..execution.compare import HEADER, matches
from ..execution.data import Failure, Location, Piece, Program
from ..execution.source import examples

# Lines that would end the output, the side or the fence, or that a parser of pages would change.
_NOT_LITERAL = re.compile(
    r"^\s*(?:>>>(?: |$)|---$|```|~~~|:::|:[\w-]+:)|\t|[ \r\f\v]$|#!$|^\[\d+ characters left out\]$"
)


@dataclass(frozen=True)
class Edit:
    """New lines for an output."""

    line: int  # number of its first line, or of the line where it would be
    above: str  # the line of a session above it, without indentation; "" if it is a block
    old: tuple[str, ...]  # its lines, as they were read
    new: tuple[str, ...]


def update_outputs(
    outcomes: Iterable[tuple[Program, Sequence[Failure]]], *, since: float, root: Path
) -> list[str]:
    """Write the outputs of programs that failed for nothing but their output.

    Returns a message for each output: that it is updated, or why it is not.

    Args:
        outcomes: The programs of all pages, each with its failures; none if it did not run.
        since: Time when reading the pages began, in seconds; files changed later are left alone.
        root: Folder that files are relative to.
    """
    messages, shown = [], set[Location]()
    edits: dict[Location, set[Edit]] = defaultdict(set)
    for program, failures in outcomes:
        if any(one.kind != "output" for one in failures):
            continue
        failed = {one.piece for one in failures}
        shown |= {_block(one) for at, one in enumerate(program.pieces) if at not in failed}
        for failure in failures:
            try:
                edit = _edit(program, failure)
                edits[_block(program.pieces[failure.piece])].add(edit)
            except ValueError as error:
                messages.append(f"not updated {failure.file}:{failure.line}: {error}")
    by_file: dict[str, list[Edit]] = defaultdict(list)
    for (file, line), found in edits.items():
        if (file, line) in shown or len({edit.line for edit in found}) < len(found):
            message = "another group that shows it prints something else, or did not run"
            messages.append(f"not updated {file}:{line}: {message}")
        else:
            by_file[file] += found
    for file, wanted in by_file.items():
        try:
            messages += _write(root, file, wanted, since)
        except OSError as error:
            messages.append(f"not updated {file}: {error.strerror}")
    return messages


def _block(piece: Piece) -> Location:
    """Return where the output of a piece begins, or the session that holds it."""
    if piece.kind == "doctest":
        return piece.file, piece.line
    return piece.output_file or piece.file, piece.output_line


def _edit(program: Program, failure: Failure) -> Edit:
    """Return the new lines for an output; a ValueError says why a page cannot have them."""
    piece = program.pieces[failure.piece]
    old, got = failure.expected.splitlines(), failure.got.splitlines()
    (file, line), above, example = _block(piece), "", examples(piece)[failure.example]
    if piece.kind == "doctest" and not piece.lines:
        source = piece.source.split("\n")
        end = example.lineno + 1
        while source[end:] and source[end].lstrip().startswith("..."):
            end += 1
        line, above = piece.line + end, source[end - 1].strip()
        got = [line or "<BLANKLINE>" for line in got]
    is_shown = above or (old and piece.output_line)
    if not is_shown or HEADER.search(failure.expected) or file.endswith(".py"):
        raise ValueError("the page has no output there that can be replaced")
    flags = {doctest.register_optionflag(name): True for name in program.flags} | example.options
    bits = sum(flag for flag, is_set in flags.items() if is_set)
    for lines in (merge(old, got, bits), got):
        text = "".join(f"{line}\n" for line in lines)
        # Of a block, parsers remove the indentation, and empty lines at either end.
        is_literal = above or "\n" != text.strip("\n") + "\n" == text == textwrap.dedent(text)
        is_code = above and text.startswith("...")  # it would go on with the line above
        is_literal = is_literal and not is_code and not any(map(_NOT_LITERAL.search, lines))
        if is_literal and matches(text, failure.got, bits):
            return Edit(line, above, tuple(old), tuple(lines))
    raise ValueError("a page cannot hold the output that was printed")


def merge(want: Sequence[str], got: Sequence[str], flags: int) -> list[str]:
    """Return the lines of *got*, or those of *want*, a page, that match under doctest's flags."""
    patterns, lines = [one for one in want if one.strip() != "..."], list[str]()
    known = [
        next((one for one in patterns if matches(f"{one}\n", f"{line}\n", flags)), line)
        for line in got
    ]
    pairs = SequenceMatcher(None, want, known, autojunk=False)
    for _kind, start, stop, got_start, got_stop in pairs.get_opcodes():
        old, new = want[start:stop], known[got_start:got_stop]
        dots = next((at for at, line in enumerate(old) if line.strip() == "..."), None)
        if dots is not None and len(new) >= len(old) - 1:  # it stands for all but the lines around
            new = [*new[:dots], old[dots], *new[len(new) - (len(old) - dots - 1) :]]
        lines += new
    return lines


def _write(root: Path, file: str, edits: Sequence[Edit], since: float) -> list[str]:
    """Write edits to a file, unless it has changed since, and return a message for each."""
    path = root / file
    if path.stat().st_mtime > since:
        return [f"not updated {file}: the file has changed since it was read"]
    text = path.read_bytes().decode("utf-8")
    lines, messages = text.split("\n"), []
    is_notebook, is_ascii = path.suffix == ".ipynb", text.isascii()
    for edit in sorted(edits, key=lambda edit: edit.line, reverse=True):
        at = edit.line - 1
        place, known = (at - 1, edit.above) if edit.above else (at, edit.old[0])
        raw = "".join(lines[place : place + 1])  # a notebook may have all in one line
        # In a notebook, each line is a string.
        end = ('\\n",' if is_notebook else "") + ("\r" if raw.endswith("\r") else "")
        shown, *encoded = [
            json.dumps(line, ensure_ascii=is_ascii)[1:-1] if is_notebook else line
            for line in (known, *edit.old, *edit.new)
        ]
        before = raw.partition(shown)[0]
        written = [f"{before}{line}".rstrip() + end for line in encoded]
        old, new = written[: len(edit.old)], written[len(edit.old) :]
        if shown in raw and raw.endswith(end) and lines[at : at + len(old)] == old:
            lines[at : at + len(old)] = new
            messages.append(f"updated {file}:{edit.line}")
        else:
            messages.append(f"not updated {file}:{edit.line}: it is written in another way")
    path.write_bytes("\n".join(lines).encode("utf-8"))
    return messages[::-1]
