"""From a page's doctree to its programs: what stock doctest would execute, as data.

Executes nothing of a page but the conditions of ``:skipif:``, as Sphinx does.
"""

from __future__ import annotations

import doctest
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from docutils import nodes
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from ..directive.nodes import codediff, sides
from ..execution.compare import split_expected
from ..execution.data import Piece, Program
from ..execution.source import skips
from .results import digest
from .source_lines import find_line, read_lines

PIECE_KINDS: dict[str, Literal["setup", "code", "doctest", "cleanup"]] = {
    "testsetup": "setup",
    "testcode": "code",
    "testoutput": "code",
    "doctest": "doctest",
    "testcleanup": "cleanup",
}
FLAGS = doctest.OPTIONFLAGS_BY_NAME
SideLocation = tuple[str, int, str]
"""File, line and title of a side."""


@dataclass(frozen=True)
class PagePiece:
    """A piece as it is written on a page: code, or the expected output of other code."""

    piece: Piece
    is_output: bool = False
    is_skipped: bool = False  # whether its ``:skipif:`` keeps it from being executed
    side: SideLocation | None = None
    raises: bool = False  # whether it is the end of the traceback that ``:raises:`` expects

    @property
    def is_test(self) -> bool:
        """Whether it is code other than set-up and clean-up."""
        return not self.is_output and self.piece.kind in ("code", "doctest")


@dataclass(slots=True)
class Page:
    """What a page has to execute."""

    docname: str
    path: str
    programs: list[Program] = field(default_factory=list)  # of the groups with code to execute
    blocks: int = 0  # number of ``codediff`` blocks
    skipped: list[SideLocation] = field(default_factory=list)  # by name
    unexecuted: list[SideLocation] = field(default_factory=list)  # neither executed nor skipped
    sides: dict[str, int] = field(default_factory=dict)  # number of the other sides, by group
    # Digest of the program of each group, code under ``:skipif:`` included.
    digests: dict[str, str] = field(default_factory=dict)


def results_file(config: Any, confdir: Any) -> Path | None:
    """Return the file that test runs write results to, if the site has one."""
    return Path(confdir, config.codediff_results) if config.codediff_results else None


def collect_page(env: BuildEnvironment, docname: str, *, skip: bool = False) -> Page:
    """Return what a page that has been read has to execute.

    Args:
        env: The environment.
        docname: The page's name.
        skip: Evaluate ``:skipif:`` and leave out code whose condition holds.
    """
    doctree, config = env.get_doctree(docname), env.config
    page = Page(docname, str(env.doc2path(docname)))
    locations = _count_sides(doctree, page)
    groups: defaultdict[str, list[PagePiece]] = defaultdict(list)
    environments: dict[str, str] = {}
    shared: list[PagePiece] = []
    lines_of = cache(read_lines)
    for node in _tests(doctree, config):
        side = locations.get(id(node))
        piece = PagePiece(
            _piece(node, side[2] if side else "", page.path, lines_of),
            is_output=doctest_directive(node) == "testoutput",
            is_skipped=skip and "skipif" in node and _is_true(node["skipif"], config),
            side=side,
            raises="raises" in node,
        )
        named: list[str] = node.get("groups", [config.doctest_test_doctest_blocks])
        if "environment" in node:
            environments.setdefault(named[0], node["environment"])
        for pieces in [shared] if "*" in named else map(groups.__getitem__, named):
            pieces.append(piece)
    for group, pieces in groups.items():
        if any(one.is_test for one in pieces):
            _add_program(page, group, [*pieces, *shared], environments.get(group, ""), config)
    return page


def _count_sides(doctree: nodes.document, page: Page) -> dict[int, SideLocation]:
    """Count the blocks and sides of a page, and return the sides' locations by node's id."""
    locations = {}
    for block in doctree.findall(codediff):
        page.blocks += 1
        for _side, title, code in sides(block):
            locations[id(code)] = location = location_of(code, title, page.path)
            if code.get("skipped"):
                page.skipped.append(location)
            elif not doctest_directive(code):
                page.unexecuted.append(location)
            else:
                group = code["groups"][0]
                page.sides[group] = page.sides.get(group, 0) + 1
    return locations


def _add_program(
    page: Page, group: str, pieces: list[PagePiece], environment: str, config: Config
) -> None:
    """Add the program of a group to its page, with set-up and clean-up from ``conf.py``."""
    flags = tuple(name for name, flag in FLAGS.items() if config.doctest_default_flags & flag)
    every = [*_configured(config, "setup"), *pieces, *_configured(config, "cleanup")]
    ordered = list(_in_order(every))
    for one in ordered:
        if one.side and skips(one.piece, flags):
            page.skipped.append(one.side)
            page.sides[group] -= 1
    program = Program(page.path, group, tuple(one.piece for one in ordered), environment, flags)
    requirements = config.codediff_environments.get(environment, ())
    page.digests[group] = digest(page.docname, program, requirements)
    if any(one.is_test and not one.is_skipped for one in pieces):
        left = _in_order(one for one in every if not one.is_skipped)
        page.programs.append(replace(program, pieces=tuple(one.piece for one in left)))


def location_of(code: nodes.literal_block, title: nodes.caption, path: str) -> SideLocation:
    """Return the file, line and title of a side on the page of that path."""
    return str(Path(code.source or path).absolute()), code.line or 1, title.astext()


def _tests(doctree: nodes.document, config: Config) -> Iterator[nodes.Element]:
    """Yield the nodes that hold code or its expected output."""
    for node in doctree.findall(nodes.Element):
        if isinstance(node, nodes.doctest_block):
            if config.doctest_test_doctest_blocks:
                yield node
        elif isinstance(node, (nodes.literal_block, nodes.comment)) and doctest_directive(node):
            yield node


def doctest_directive(node: nodes.Element) -> str:
    """Return the directive of ``sphinx.ext.doctest`` that code stands for; "" if none.

    Code that runs in an environment of its own is hidden from stock doctest: there, another
    attribute holds it.
    """
    return str(node.get("testnodetype") or node.get("isolated_testnodetype") or "")


def _is_true(condition: str, config: Any) -> bool:
    """Evaluate the condition of ``:skipif:`` where Sphinx does."""
    names: dict[str, Any] = {}
    exec(config.doctest_global_setup, names)
    return bool(eval(condition, names))


def _configured(config: Any, kind: Literal["setup", "cleanup"]) -> Iterator[PagePiece]:
    """Yield the set-up or clean-up that ``conf.py`` has for every group."""
    if source := getattr(config, f"doctest_global_{kind}"):
        yield PagePiece(Piece(kind, source.strip("\n"), f"<doctest_global_{kind}>", 1))


def _in_order(pieces: Iterable[PagePiece]) -> Iterator[PagePiece]:
    """Yield set-up, then tests with the output that belongs to them, then clean-up."""
    setups: list[PagePiece] = []
    tests: list[PagePiece] = []
    cleanups: list[PagePiece] = []
    for one in pieces:
        piece = one.piece
        if not one.is_output:
            {"setup": setups, "cleanup": cleanups}.get(piece.kind, tests).append(one)
        elif tests and tests[-1].piece.kind == "code":
            # The same piece may be in other groups: copy it with this output.
            last, output, flags = tests[-1].piece, piece.source, piece.flags
            if tests[-1].raises and split_expected(output)[1] is None:  # printed before it raises
                output, flags = f"{output}\n{last.output}", {**last.flags, **flags}
            code = replace(last, output=output, flags=flags)
            code = replace(code, output_file=piece.file, output_line=piece.line)
            tests[-1] = replace(tests[-1], piece=code, raises=one.raises)
    yield from (*setups, *tests, *cleanups)


def _piece(node: nodes.Element, title: str, path: str, lines_of: Any) -> Piece:
    """Return the code of a node, with the file and line where it is written."""
    source = node.get("test") or node.astext()
    file = (node.source or path).partition(":docstring of ")[0]
    # Lines that ``:lines:`` picked are known; what ``:raises:`` expects is written nowhere.
    is_known = "raises" in node or "lines" in node
    options = node.get("options") or {}
    return Piece(
        PIECE_KINDS[doctest_directive(node) or "doctest"],
        source,
        str(Path(file).absolute()),
        node.line or 1 if is_known else find_line(node, source, file, lines_of(file)),
        title,
        flags={name: options[flag] for name, flag in FLAGS.items() if flag in options},
        no_cover=node.get("no_cover", ()),
        lines=node.get("lines", ()),
    )
