"""From a page's doctree to its programs: what stock doctest would execute, as data.

Executes nothing of a page but the conditions of ``:skipif:``, as Sphinx does.
"""

from __future__ import annotations

import doctest
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ConfigError

from ..directive.nodes import codediff, sides
from ..execution.compare import split_expected
from ..execution.data import Piece, Program
from ..execution.environments import parse_definition
from ..execution.source import skips
from .results import digest
from .source_lines import find_line, read_lines

ORDER = {"setup": 0, "code": 1, "doctest": 1, "cleanup": 2}
FLAGS = doctest.OPTIONFLAGS_BY_NAME
SideLocation = tuple[str, int, str]  # file, line and title of a side


@dataclass(frozen=True)
class Test:
    """Code on a page, or the output that is expected of the code before it."""

    directive: str  # that of ``sphinx.ext.doctest``
    piece: Piece
    side: SideLocation | None = None
    is_skipped: bool = False  # whether its ``:skipif:`` keeps it from being executed
    environment: str = ""  # that it needs


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


def check_environments(_app: Sphinx, config: Config) -> None:
    """Raise a ConfigError if ``codediff_environments`` has another form than the manual says."""
    definitions = config.codediff_environments
    try:
        if not isinstance(definitions, dict):
            raise ValueError(f"{definitions!r} is no dict, such as {{'old': ['pydantic<2']}}")
        for name, definition in definitions.items():
            parse_definition(name, definition)
    except ValueError as error:
        raise ConfigError(f"codediff_environments: {error}") from None


def pages_to_read(_app: Sphinx, env: Any, *_changes: set[str]) -> list[str]:
    """Return all pages if a setting of ``sphinx.ext.doctest`` that affects programs has changed."""
    names = ("global_setup", "global_cleanup", "default_flags", "test_doctest_blocks")
    settings = [env.config[f"doctest_{name}"] for name in names]
    known = getattr(env, "codediff_doctest_settings", settings)
    env.codediff_doctest_settings = settings
    return [] if settings == known else list(env.all_docs)


def results_file(config: Any, confdir: Any) -> Path | None:
    """Return the file that test runs write results to, if the site has one."""
    return Path(confdir, config.codediff_results) if config.codediff_results else None


def collect_page(env: BuildEnvironment, docname: str, *, skip: bool = False) -> Page:
    """Return what a page that has been read has to execute.

    With *skip*, evaluate the conditions of ``:skipif:`` and leave out code for which they hold.
    """
    doctree, config = env.get_doctree(docname), env.config
    page = Page(docname, str(env.doc2path(docname)))
    locations: dict[int, SideLocation] = {}
    for block in doctree.findall(codediff):
        page.blocks += 1
        for _side, title, code in sides(block):
            locations[id(code)] = location_of(code, title, page.path)
    groups: defaultdict[str, list[Test]] = defaultdict(list)
    shared: list[Test] = []
    lines_of = cache(read_lines)
    for node in doctree.findall(nodes.Element):
        side = locations.get(id(node))
        directive = str(node.get("testnodetype") or node.get("isolated_testnodetype") or "")
        if isinstance(node, nodes.doctest_block) and config.doctest_test_doctest_blocks:
            directive = "doctest"
        if not directive:
            if side:
                (page.skipped if node["skipped"] else page.unexecuted).append(side)
            continue
        named: list[str] = node.get("groups", [config.doctest_test_doctest_blocks])
        if side:
            page.sides[named[0]] = page.sides.get(named[0], 0) + 1
        piece = _piece(node, directive, side[2] if side else "", page.path, lines_of)
        is_skipped = skip and "skipif" in node and _is_true(node["skipif"], config)
        test = Test(directive, piece, side, is_skipped, node.get("environment", ""))
        for tests in [shared] if "*" in named else map(groups.__getitem__, named):
            tests.append(test)
    for group, tests in groups.items():
        _add_program(page, group, [*tests, *shared], config)
    return page


def location_of(code: nodes.literal_block, title: nodes.caption, path: str) -> SideLocation:
    """Return the file, line and title of a side on the page of that path."""
    return str(Path(code.source or path).absolute()), code.line or 1, title.astext()


def _is_true(condition: str, config: Any) -> bool:
    """Evaluate the condition of ``:skipif:`` where Sphinx does."""
    names: dict[str, Any] = {}
    exec(config.doctest_global_setup, names)
    return bool(eval(condition, names))


def _piece(node: nodes.Element, directive: str, title: str, path: str, lines_of: Any) -> Piece:
    """Return the code of a node, with the file and line where it is written."""
    source = node.get("test") or node.astext()
    file = (node.source or path).partition(":docstring of ")[0]
    # Lines that ``:lines:`` picked are known; what ``:raises:`` expects is written nowhere.
    is_known = "raises" in node or "lines" in node
    options = node.get("options") or {}
    kind: Any = "code" if directive == "testoutput" else directive.removeprefix("test")
    return Piece(
        kind,
        source,
        str(Path(file).absolute()),
        node.line or 1 if is_known else find_line(node, source, file, lines_of(file)),
        title,
        flags={name: options[flag] for name, flag in FLAGS.items() if flag in options},
        no_cover=node.get("no_cover", ()),
        lines=node.get("lines", ()),
    )


def _add_program(page: Page, group: str, tests: list[Test], config: Config) -> None:
    """Add the program of a group to its page, with set-up and clean-up from ``conf.py``."""
    kinds: tuple[Literal["setup"], Literal["cleanup"]] = ("setup", "cleanup")
    for kind in kinds:
        if source := config[name := f"doctest_global_{kind}"].strip("\n"):
            configured = Test(f"test{kind}", Piece(kind, source, f"<{name}>", 1))
            tests = [configured, *tests] if kind == "setup" else [*tests, configured]
    environment = next((one.environment for one in tests if one.environment), "")
    flags = tuple(name for name, flag in FLAGS.items() if config.doctest_default_flags & flag)
    ordered = _in_order(tests)
    for one in ordered:
        if one.side and skips(one.piece, flags):
            page.skipped.append(one.side)
            page.sides[group] -= 1
    program = Program(page.path, group, tuple(one.piece for one in ordered), environment, flags)
    requirements = config.codediff_environments.get(environment, ())
    page.digests[group] = digest(page.docname, program, requirements)
    left = [one for one in tests if not one.is_skipped]
    if any(one.directive in ("testcode", "doctest") for one in left):
        page.programs.append(replace(program, pieces=tuple(one.piece for one in _in_order(left))))


def _in_order(tests: Iterable[Test]) -> list[Test]:
    """Return set-up, then tests with the output that belongs to them, then clean-up."""
    found: list[Test] = []
    for one in sorted(tests, key=lambda one: ORDER[one.piece.kind]):
        if one.directive != "testoutput":
            found.append(one)
        elif found and found[-1].piece.kind == "code":
            # The same piece may be in other groups: copy it with this output.
            last, output, flags = found[-1].piece, one.piece.source, one.piece.flags
            if split_expected(last.output or "")[1] and not split_expected(output)[1]:
                # Printed before the exception that ``:raises:`` expects.
                output, flags = f"{output}\n{last.output}", {**last.flags, **flags}
            code = replace(last, output=output, flags=flags)
            code = replace(code, output_file=one.piece.file, output_line=one.piece.line)
            found[-1] = replace(found[-1], piece=code)
    return found
