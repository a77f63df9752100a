"""From pages to programs: what stock doctest would execute, as data.

Needs Sphinx, and executes nothing of a page but the conditions of ``:skipif:``, as Sphinx does.
"""

from __future__ import annotations

import ast
import doctest
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from docutils import nodes
from sphinx.builders.dummy import DummyBuilder
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.ext.ifconfig import ifconfig

from ..directive.nodes import codediff, sides
from ..execution.data import Piece, Program
from ..execution.source import skips
from .files import write_file
from .results import digest

Kind = Literal["setup", "code", "doctest", "cleanup"]
KINDS: dict[str, Kind] = {
    "testsetup": "setup",
    "testcode": "code",
    "doctest": "doctest",
    "testcleanup": "cleanup",
}
FLAGS = doctest.OPTIONFLAGS_BY_NAME
Place = tuple[str, int, str]
_QUOTED = re.compile(r"^(?:(?:>(?: |$))+|#:(?: |$))")


class Written(NamedTuple):
    """Code as it is written on a page.

    Attributes:
        is_output: Whether it is the output of other code.
        is_skipped: Whether a condition keeps it from being executed.
        side: The place of the side that it is.
    """

    piece: Piece
    is_output: bool
    is_skipped: bool = False
    side: Place | None = None


@dataclass(slots=True)
class Page:
    """What there is to run on a page.

    Attributes:
        path: Its file.
        programs: One a group.
        blocks: The number of its ``codediff`` blocks.
        skipped: Files, lines and titles of the sides that are skipped by name.
        idle: The same of the sides that are neither executed nor skipped.
        sides: The number of the other sides, by group.
        digests: What `results.digest` makes of each group as written, ``:skipif:`` or not.
    """

    path: str
    programs: list[Program] = field(default_factory=list)
    blocks: int = 0
    skipped: list[Place] = field(default_factory=list)
    idle: list[Place] = field(default_factory=list)
    sides: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)


class ProgramsBuilder(DummyBuilder):
    """Writes ``programs.json``: the programs of all pages, with notebooks left as they are."""

    name = "codediff-programs"
    epilog = ""

    def init(self) -> None:
        """Keep notebooks from being executed."""
        super().init()
        if "nb_execution_mode" in self.config:
            self.config.nb_execution_mode = "off"
            self.config.suppress_warnings = [*self.config.suppress_warnings, "myst-nb.lexer"]

    def finish(self) -> None:
        """Write the programs of all pages, those that have not changed included."""
        docnames = sorted(self.env.found_docs)
        pages = [asdict(page_of(self.env, docname, skip=True)) for docname in docnames]
        results = results_file(self.config, self.confdir)
        data = {
            "environments": self.config.codediff_environments,
            "path": [*self.config.doctest_path, *sys.path],
            "results": results and str(results),
            "pages": pages,
        }
        write_file(Path(self.outdir, "programs.json"), json.dumps(data, ensure_ascii=False))


def results_file(config: Any, confdir: Any) -> Path | None:
    """Return the file that test runs leave their results in, if the site wants one."""
    return Path(confdir, config.codediff_results) if config.codediff_results else None


def page_of(
    env: BuildEnvironment, docname: str, *, builder: str = "html", skip: bool = False
) -> Page:
    """Return what there is to run on a page.

    Args:
        env: Has read the page.
        docname: Its name.
        builder: Name of the builder that shows it; test runs execute what HTML shows.
        skip: Leave out the code whose condition in ``:skipif:`` holds, which is evaluated.
    """
    doctree, config = env.get_doctree(docname), env.config
    path = str(env.doc2path(docname))
    gone = _remove_hidden(doctree, config, builder)
    page = Page(path)
    places = {}
    for block in doctree.findall(codediff):
        page.blocks += 1
        for _side, title, code in sides(block):
            places[id(code)] = where = place_of(code, title, path)
            if code.get("skipped"):
                page.skipped.append(where)
            elif not kind_of(code):
                page.idle.append(where)
            else:
                group = code["groups"][0]
                page.sides[group] = page.sides.get(group, 0) + 1
    groups: defaultdict[str, list[Written]] = defaultdict(list)  # as written
    environments: dict[str, str] = {}
    everywhere: list[Written] = []
    for node in _tests(doctree, config):
        named = [name for name in _groups(node, config) if name not in gone]
        if "environment" in node:
            environments.setdefault(named[0], node["environment"])
        is_skipped = skip and "skipif" in node and _holds(node["skipif"], config)
        place = places.get(id(node))
        written = _piece(node, place[2] if place else "", path)
        written = written._replace(is_skipped=is_skipped, side=place)
        if "*" in named:
            everywhere.append(written)
        for group in named if "*" not in named else ():
            groups[group].append(written)
    executed = {
        name
        for name, pieces in groups.items()
        if not all(one.is_skipped or one.is_output for one in pieces)
    }
    for pieces in groups.values():
        pieces += everywhere
    default = tuple(name for name, flag in FLAGS.items() if config.doctest_default_flags & flag)
    for group, pieces in groups.items():
        whole = [*_configured(config, "setup"), *pieces, *_configured(config, "cleanup")]
        environment = environments.get(group, "")
        ordered = list(_in_order(whole))
        pieces_of_all = tuple(one.piece for one in ordered)
        program = Program(path, group, pieces_of_all, environment, default)
        for one in ordered:
            if one.side and skips(one.piece, default):
                page.skipped.append(one.side)
                page.sides[group] -= 1
        requirements = config.codediff_environments.get(environment, ())
        page.digests[group] = digest(docname, program, requirements)
        if group in executed:
            left = _in_order(written for written in whole if not written.is_skipped)
            page.programs.append(replace(program, pieces=tuple(one.piece for one in left)))
    return page


def place_of(code: nodes.literal_block, title: nodes.caption, path: str) -> Place:
    """Return the file, line and title of a side on the page of that path."""
    return str(Path(code.source or path).absolute()), code.line or 1, title.astext()


def _remove_hidden(doctree: nodes.document, config: Config, builder: str) -> set[str]:
    """Take out what ``ifconfig`` keeps from being shown; return the groups gone with it."""
    names = {value.name: value.value for value in config} | {"builder": builder}
    hidden = []
    for node in list(doctree.findall(ifconfig)):
        try:
            is_shown = eval(node["expr"], dict(names))
        except Exception:  # Sphinx shows the error in place of the code.
            is_shown = False
        if not is_shown:
            hidden.append(node)
            node.parent.remove(node)
    removed, left = (
        {
            name
            for part in parts
            for node in _tests(part, config)
            if not node.get("shared")
            for name in _groups(node, config)
        }
        for parts in (hidden, [doctree])
    )
    return removed - left


def _groups(node: nodes.Element, config: Config) -> list[str]:
    groups: list[str] = node.get("groups", [config.doctest_test_doctest_blocks])
    return groups


def _tests(part: nodes.Element, config: Config) -> Iterator[nodes.Element]:
    for node in part.findall(nodes.Element):
        if isinstance(node, nodes.doctest_block):
            is_test = bool(config.doctest_test_doctest_blocks)
        else:
            is_test = isinstance(node, (nodes.literal_block, nodes.comment)) and bool(kind_of(node))
        if is_test:
            yield node


def kind_of(node: nodes.Element) -> str:
    """Return what the code is for, to stock doctest or in an environment of its own."""
    return str(node.get("testnodetype") or node.get("isolated_testnodetype") or "")


def _holds(condition: str, config: Any) -> bool:
    """Evaluate the condition of ``:skipif:`` where Sphinx does."""
    names: dict[str, Any] = {}
    exec(config.doctest_global_setup, names)
    return bool(eval(condition, names))


def _configured(config: Any, kind: Literal["setup", "cleanup"]) -> Iterator[Written]:
    source = getattr(config, f"doctest_global_{kind}")
    if source:
        place = f"<doctest_global_{kind}>"
        yield Written(Piece(kind, source.strip("\n"), place, 1), False)


def _in_order(written: Iterable[Written]) -> Iterator[Written]:
    """Yield set-up, then tests with the output that belongs to them, then clean-up."""
    setups: list[Written] = []
    tests: list[Written] = []
    cleanups: list[Written] = []
    for one in written:
        piece = one.piece
        if not one.is_output:
            {"setup": setups, "cleanup": cleanups}.get(piece.kind, tests).append(one)
        elif tests and tests[-1].piece.kind == "code":
            # The same piece may be in other groups: make one with this output.
            code = replace(tests[-1].piece, output=piece.source, flags=piece.flags)
            code = replace(code, output_file=piece.file, output_line=piece.line)
            tests[-1] = tests[-1]._replace(piece=code)
    yield from (*setups, *tests, *cleanups)


def _piece(node: nodes.Element, title: str, path: str) -> Written:
    """Return the code of a node, with the file and line where it is really written."""
    source = node.get("test") or node.astext()
    file = (node.source or path).partition(":docstring of ")[0]
    # Where the option ``raises`` stands for an output, it is written nowhere.
    is_known = node.line and ("raises" in node or "lines" in node)
    line = node.line if is_known and node.line else locate(node, source, file)
    options = node.get("options") or {}
    flags = {name: options[flag] for name, flag in FLAGS.items() if flag in options}
    kind = kind_of(node) or "doctest"
    absolute = str(Path(file).absolute())
    piece = Piece(
        *(KINDS.get(kind, "code"), source, absolute, line, title),
        flags=flags,
        no_cover=tuple(node.get("no_cover", ())),
        lines=tuple(node.get("lines", ())),
    )
    return Written(piece, kind == "testoutput")


@cache
def _lines_of(file: str) -> tuple[str, ...]:
    """Return the lines of a file without indentation; of a notebook, what its strings say."""
    try:
        # Only these end a line in editors and in tracebacks, unlike in docutils.
        lines = Path(file).read_text("utf-8").split("\n")
    except (OSError, UnicodeError):
        return ()
    if file.endswith(".ipynb"):
        lines = [_unquoted(line) for line in lines]
    return tuple(line.strip() for line in lines)


def _unquoted(line: str) -> str:
    try:
        return str(json.loads(line.strip().rstrip(",")))
    except ValueError:
        return line


def locate(node: nodes.Element, source: str, file: str) -> int:
    """Return the line of a file where the code of a node begins.

    What a parser noted may be the line of a directive, or be counted from the start of a
    docstring or of a cell; the code itself is looked for close to it.
    """
    near = node.line or 1
    lines = _lines_of(file)
    if ":docstring of " in (node.source or ""):
        near += _line_of_object(file, (node.source or "").partition(":docstring of ")[2])
    lost = near - 1
    if file.endswith(".ipynb"):
        cell, offset = divmod(near, 10_000)  # as MyST-NB counts
        cells = [index for index, line in enumerate(lines) if line.startswith('"source":')]
        begin = cells[cell - 1] if 0 < cell <= len(cells) else 0
        near, lost = begin + offset, begin  # all of a cell may be on one line
    wanted = [line.strip() for line in source.split("\n")]
    blank = next((index for index, line in enumerate(wanted) if line), 0)
    starts = [
        index - blank
        for index in range(len(lines) - len(wanted) + blank + 1)
        if _holds_code(lines[index], wanted[blank])
        and all(map(_holds_code, lines[index:], wanted[blank:]))
    ]
    after = [start for start in starts if start + 2 >= near]
    best = min(after or starts, key=lambda start: abs(start + 1 - near), default=lost)
    return best + 1


def _holds_code(line: str, code: str) -> bool:
    """Whether a line of a file holds a line of code, markers and flags apart."""
    if line.startswith("|"):  # one cell of a table
        return any(_holds_code(cell.strip(), code) for cell in line[1:].split("|"))
    if line[:1] in {">", "#"} and not line.startswith(code):  # quoted, or a comment for autodoc
        line = _QUOTED.sub("", line)
    if not code:
        return line in ("", "#!")
    return line.startswith(code) or line.replace("\\\\", "\\").startswith(code)  # in a docstring


def _line_of_object(file: str, name: str) -> int:
    """Return the line where the object with a dotted name is defined in a Python file."""
    try:
        scope: ast.AST = ast.parse(Path(file).read_text("utf-8"))
    except (OSError, ValueError, SyntaxError):
        return 0
    line = 0
    for part in name.split("."):
        for child in ast.walk(scope):
            targets = getattr(child, "targets", [getattr(child, "target", None)])
            if part in [getattr(child, "name", None), *(getattr(t, "id", None) for t in targets)]:
                scope, line = child, getattr(child, "lineno", line)
                break
    return line
