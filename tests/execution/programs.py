"""Programs on pages of their own, for tests."""

from pathlib import Path

from codediff.execution.data import Failure, Outcome, Piece, Program

Block = str | tuple[str, str] | tuple[str, str, str | None] | tuple[str, str, str | None, dict]


def make(root: Path, *blocks: Block, indent: str = "    ", name: str = "page.rst") -> Program:
    """Write a page of indented blocks, and return it as a program.

    A block is its code, or (kind, code), (kind, code, output) or (kind, code, output, flags).
    """
    lines, pieces = ["Page", "===="], []

    def put(text: str) -> int:
        lines.extend(["", ".. block::", ""])
        first = len(lines) + 1
        lines.extend(f"{indent}{line}" if line else "" for line in text.split("\n"))
        return first

    for at, block in enumerate(blocks):
        kind, source, output, flags = (
            *(("code", block) if isinstance(block, str) else block),
            None,
            {},
        )[:4]
        line = put(source)
        output_line = put(output) if output else 0
        pieces.append(
            Piece(kind, source, name, line, f"Side {at}", output, output_line, flags=flags or {})
        )
    (root / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Program(name, "group", tuple(pieces))


def line_of(program: Program, root: Path, text: str) -> int:
    """Return the line of the page that holds a text."""
    page = (root / program.pieces[0].file).read_text(encoding="utf-8").split("\n")
    (line,) = (at for at, one in enumerate(page, 1) if text in one)
    return line


def only(outcome: Outcome) -> Failure:
    """Return the one failure there is."""
    assert not outcome.passed
    (failure,) = outcome.failures
    return failure
