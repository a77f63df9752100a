"""The code of a piece: its examples, the lines it is on, and what it imports."""

from __future__ import annotations

import ast
import contextlib
import doctest
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, cast

from .data import Piece, Program

_PARSER_MESSAGE = re.compile(r"line (\d+) of the (?:docstring|doctest) for .*? (?=has|lacks)")


class SessionError(ValueError):
    """A ``>>>`` session is malformed; the arguments are a message and the index of the line."""


def examples(piece: Piece) -> list[doctest.Example]:
    """Return a piece as doctest's examples; plain code is one.

    Raises:
        SessionError: If a session is malformed or, as a side, shows a line that would not run.
    """
    flags = {doctest.register_optionflag(name): on for name, on in piece.flags.items()}
    if piece.kind != "doctest":
        flags[doctest.DONT_ACCEPT_BLANKLINE] = True  # as in Sphinx: an output stands alone
        return [doctest.Example(piece.source, piece.output or "", options=flags)]
    if piece.title:
        _check_session(piece.source.split("\n"))
        # The message is on the page for readers to rely on.
        flags = {doctest.IGNORE_EXCEPTION_DETAIL: False} | flags
    try:
        found = doctest.DocTestParser().get_examples(piece.source, piece.file)
    except ValueError as error:  # such as "line 3 of the docstring for FILE has ..."
        match, lines = _PARSER_MESSAGE.match(str(error)), piece.source.split("\n")
        index = int(match[1]) - 1 if match else 0
        if "option" in str(error):  # which may be on a line of the example below its first
            named = re.search(r"option: '(.*)'$", str(error))
            text = named[1] if named else "doctest:"
            index = next((at for at in range(index, len(lines)) if text in lines[at]), index)
        raise SessionError(_PARSER_MESSAGE.sub("this line ", str(error)), index) from None
    for example in found:
        example.options = flags | example.options
    return found


def _check_session(lines: Sequence[str]) -> None:
    """Raise a SessionError for a line that a side shows and doctest would take for prose."""
    in_example = False
    for index, line in enumerate(lines):
        text = line.strip()
        in_example = text.startswith(">>>") or (in_example and bool(text))
        if text and not in_example and not text.startswith("#"):
            message = "this line has no prompt, and is no output of a line above it"
            if any(line.strip().startswith(">>>") for line in lines[:index]):
                message += "; write <BLANKLINE> for an empty line in an output"
            raise SessionError(message, index)


def skips(piece: Piece, flags: Collection[str] = ()) -> bool:
    """Return whether SKIP keeps some of a piece from running; *flags* hold by default."""
    with contextlib.suppress(ValueError):
        default = {doctest.SKIP: "SKIP" in flags}
        return any((default | one.options)[doctest.SKIP] for one in examples(piece))
    return False


def leading_imports(program: Program) -> list[str]:
    """Return the imports before any other code runs, each as one statement without ``as``."""
    found: dict[str, None] = {}
    with contextlib.suppress(SyntaxError, ValueError):  # it is the program that has to fail
        for example in (example for piece in program.pieces for example in examples(piece)):
            is_skipped = example.options.get(doctest.SKIP, False)
            for node in () if is_skipped else ast.parse(example.source).body:
                imports = _imports(node)
                is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                if not imports and not is_docstring:
                    return list(found)
                found |= dict.fromkeys(imports)
    return list(found)


def _imports(node: ast.AST) -> list[str]:
    """Return what a statement imports, each as one statement without ``as``."""
    match node:
        case ast.Import(names=names):
            return [f"import {alias.name}" for alias in names]
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return [f"from {module} import {alias.name}" for alias in names]
    return []


def imported_packages(program: Program) -> Iterator[str]:
    """Yield the top-level names of all that a program's own code imports."""
    for piece in program.pieces:
        with contextlib.suppress(SyntaxError, ValueError):
            trees = (ast.parse(example.source) for example in examples(piece))
            imports = (one for tree in trees for node in ast.walk(tree) for one in _imports(node))
            yield from (one.split()[1].partition(".")[0] for one in imports)


def parse(
    source: str, file: str, line_numbers: Sequence[int], mode: str = "exec", flags: int = 0
) -> ast.Module:
    """Return a syntax tree, for `compile`, whose nodes are on the given lines of a file.

    Raises:
        SyntaxError: With its line in the file.
    """
    flags |= ast.PyCF_ONLY_AST
    if isinstance(line_numbers, range):  # with padding, warnings name the right line as well
        padded = "\n" * (line_numbers.start - 1) + source
        return cast("ast.Module", compile(padded, file, mode, flags, dont_inherit=True))
    try:
        tree: ast.Module = compile(source, file, mode, flags, dont_inherit=True)
    except SyntaxError as error:
        error.lineno = line_numbers[min(error.lineno or 1, len(line_numbers)) - 1]
        error.end_lineno = error.lineno
        raise
    nodes: list[Any] = [node for node in ast.walk(tree) if hasattr(node, "end_col_offset")]
    for node in nodes:
        node.lineno = line_numbers[node.lineno - 1]
        node.end_lineno = max(line_numbers[node.end_lineno - 1], node.lineno)
        if node.end_lineno == node.lineno:
            node.end_col_offset = max(node.end_col_offset, node.col_offset)
    return tree


def shown_lines(program: Program, file: str) -> list[str]:
    """Return a file as tracebacks and `inspect` see it: blank but for the program's own code."""
    lines: dict[int, str] = {}
    for piece in program.pieces:
        if piece.file != file:
            continue
        code = piece.source.split("\n")
        if piece.kind == "doctest":
            prompt = re.compile(r"\s*(?:>>>|\.\.\.)(?: |$)")
            code = [prompt.sub("", line) if prompt.match(line) else "" for line in code]
        lines.update(zip(piece.line_numbers, code, strict=False))
    return [f"{lines.get(number, '')}\n" for number in range(1, max(lines, default=0) + 1)]
