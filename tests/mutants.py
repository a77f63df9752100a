"""Break each line of the guides' sides in turn and see it caught: ``nox -s mutants``.

A line that begins a statement is replaced by one that raises; one that goes on with a statement
has its first expression replaced by a name that nothing has. Each broken program is run as the
tests run it, and has to fail on exactly the broken line.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

from codediff.execution.data import Piece, Program
from codediff.execution.runner import Runner

ROOT = Path(__file__).parent.parent
BROKEN = "broken_by_a_mutant"


def programs(docs: Path, conf: Path) -> list[Program]:
    """Return the programs of all pages of a documentation set."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sphinx", "-q", "-b", "codediff-programs", "-c", conf]
        subprocess.run([*command, docs, folder], check=True)
        pages = json.loads(Path(folder, "programs.json").read_text("utf-8"))["pages"]
    return [Program.from_json(program) for page in pages for program in page["programs"]]


def mutants(piece: Piece) -> Iterator[tuple[int, str]]:
    """Yield, for each line of code, its index and the code with that line broken."""
    lines = piece.source.split("\n")
    tree = ast.parse(piece.source)
    done = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        start = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))]) - 1
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_docstring or lines[start][: node.col_offset].strip():
            continue
        done.add(start)
        margin = " " * node.col_offset
        gone = [margin + f"raise {BROKEN}", *[""] * (node.end_lineno - start - 1)]
        yield start, "\n".join([*lines[:start], *gone, *lines[node.end_lineno :]])
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Name, ast.Constant)) or node.lineno != node.end_lineno:
            continue
        row = node.lineno - 1
        is_loaded = not isinstance(node, ast.Name) or isinstance(node.ctx, ast.Load)
        if row in done or not is_loaded:
            continue
        done.add(row)
        text = lines[row].encode()
        broken = (text[: node.col_offset] + BROKEN.encode() + text[node.end_col_offset :]).decode()
        yield row, "\n".join([*lines[:row], broken, *lines[row + 1 :]])


def cases(every: list[Program]) -> Iterator[tuple[Program, int]]:
    """Yield each broken program, and the line of the page that is broken."""
    for program in every:
        for at, piece in enumerate(program.pieces):
            if not piece.title:
                continue
            for row, source in mutants(piece):
                pieces = [*program.pieces]
                pieces[at] = replace(piece, source=source)
                yield replace(program, pieces=tuple(pieces)), piece.line + row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="number of lines, chosen at random, to break")
    sample = parser.parse_args().sample
    every = programs(ROOT / "docs", conf=ROOT)
    found = list(cases([program for program in every if "/guides/" in program.page]))
    chosen = random.Random(0).sample(found, sample) if sample else found
    runners: SimpleQueue[Runner] = SimpleQueue()
    for _ in range(2):
        runners.put(Runner(root=ROOT))

    def run(case: tuple[Program, int]) -> str:
        program, line = case
        runner = runners.get()
        try:
            outcome = runner.run(program, timeout=60)
        finally:
            runners.put(runner)
        page = Path(program.page).relative_to(ROOT)
        if outcome.passed:
            return f"{page}:{line}: {program.group!r} passes with this line broken"
        first = outcome.failures[0]
        if (first.line, BROKEN in first.message) != (line, True):
            return f"{page}:{line}: reported at line {first.line}: {first.message}"
        return ""

    with ThreadPoolExecutor(2) as pool:
        missed = [text for text in pool.map(run, chosen) if text]
    print(*missed, sep="\n")
    caught = len(chosen) - len(missed)
    print(f"mutants: {len(chosen)} of {len(found)} lines broken, {caught} caught on that very line")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
