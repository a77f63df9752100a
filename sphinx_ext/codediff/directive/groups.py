"""Which code belongs to which doctest group of a page.

Works on the nodes that ``sphinx.ext.doctest`` makes, and on the sides of blocks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from contextlib import suppress
from doctest import IGNORE_EXCEPTION_DETAIL

from docutils import nodes
from sphinx.application import Sphinx

from .nodes import codediff
from .sides import split_names, suggest
from .warn import warn

# As in coverage.py, so that a page and a module are marked alike.
_PRAGMA = re.compile(r"(?m)[ \t]*#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(cover|COVER)\b[^'\"\n]*$")
_RAISED = re.compile(r"^Traceback .*\n(?:[ \t].*\n)*(?:\w+\.)*(\w+)", re.MULTILINE)


def resolve(app: Sphinx, doctree: nodes.document) -> None:
    """Prepare the tests of a page: hide coverage pragmas, and resolve the names of groups."""
    default = app.config.doctest_test_doctest_blocks
    tests = [
        node
        for node in doctree.findall(nodes.Element)
        if (default and isinstance(node, nodes.doctest_block))
        or ("groups" in node and isinstance(node, (nodes.literal_block, nodes.comment)))
    ]
    for node in tests:
        if _kind(node) != "testoutput":
            _hide_pragmas(node)
    blocks = list(doctree.findall(codediff))
    if not blocks:
        return  # Other pages are as stock doctest has them.
    titles = {source: text for block in blocks for source, text in block["sources"].items()}
    for node in tests:
        if isinstance(node, nodes.doctest_block):
            node["groups"] = [default]
        elif not {"skipped", "raises"} & node.attributes.keys():
            node["groups"] = split_names(", ".join(node["groups"]), titles)
    _share(tests)
    _check_names(tests)
    _check_exceptions(tests)
    _isolate_environments(tests)


def _kind(node: nodes.Element) -> str:
    """Return what a test is for; a skipped side counts as code."""
    default = "doctest" if isinstance(node, nodes.doctest_block) else "testcode"
    return str(node.get("testnodetype", default))


def _hide_pragmas(node: nodes.Element) -> None:
    """Remove the pragmas of coverage.py from code, and note the indices of the lines."""
    text = _PRAGMA.sub("", source := node.astext())
    with suppress(SyntaxError, ValueError):  # a session, for instance
        if text == source or ast.dump(ast.parse(source)) != ast.dump(ast.parse(text)):
            return  # There is none, or it is inside a string.
    lines = source.split("\n")
    node["no_cover"] = [index for index, line in enumerate(lines) if _PRAGMA.search(line)]
    node.rawsource = text
    node[:] = [nodes.Text(text)]
    if "test" in node:  # what Sphinx executes where it hides doctest's flags
        node["test"] = _PRAGMA.sub("", node["test"])


def _share(tests: Sequence[nodes.Element]) -> None:
    """Add every group of the page to the set-up and clean-up that name none."""
    # Stock ``*`` would run set-up after that of named groups rather than in the order on the page.
    kinds = ("testsetup", "testcleanup")
    shared = [node for node in tests if _kind(node) in kinds and node["groups"] == ["default"]]
    named = [group for node in tests if node not in shared for group in node["groups"]]
    for node in shared:
        node["shared"] = True
        node["groups"] = [group for group in dict.fromkeys(named) if group != "*"]


def _check_names(tests: Sequence[nodes.Element]) -> None:
    """Warn about groups without code, and outputs that doctest would compare with nothing."""
    code = [node for node in tests if _kind(node) in ("testcode", "doctest")]
    known = dict.fromkeys(group for node in code for group in node["groups"])
    waiting: set[str] = set()
    optional = {"raises", "skipif"}  # an output with either may be replaced by the next one
    for node in tests:
        kind = _kind(node)
        for group in map(str, node["groups"]):
            if group not in {"*", *known} and "shared" not in node:
                message = f"no code on this page is in the group {group!r}; {suggest(group, known)}"
                warn("groups", message, node)
            elif kind == "testcode":
                waiting.add(group)
            elif kind == "testoutput" and group != "*" and waiting.isdisjoint({group, "*"}):
                message = f"nothing to compare; code of {group!r} has one output, a session none"
                warn("testoutput", message, node)
            elif kind in {"testoutput", "doctest"} and not optional & node.attributes.keys():
                waiting.discard(group)


def _check_exceptions(tests: Sequence[nodes.Element]) -> None:
    """Compare the output of a side that is meant to fail with the exception that it names."""
    expected: dict[str, str] = {}
    for node in tests:
        for group in map(str, node["groups"]):
            name = expected.pop(group, None)
            if "raises" in node:
                expected[group] = node["raises"]
            elif name and _kind(node) == "testoutput":
                shown = _RAISED.search(node.astext())
                if not shown:  # printed before the exception, which stock doctest does not compare
                    _isolate(node)
                elif shown[1] != name.rpartition(".")[2]:
                    message = f"the output is no traceback of {name}, which the side is to raise"
                    warn("raises", message, node)
                else:  # Sphinx ignores the message of an exception by default; readers see it.
                    node["options"].setdefault(IGNORE_EXCEPTION_DETAIL, False)


def _isolate_environments(tests: Sequence[nodes.Element]) -> None:
    """Hide from stock doctest the groups that need an environment of their own."""
    environments: dict[str, str] = {}
    for node in tests:
        if name := node.get("environment"):
            group = node["groups"][0]
            if environments.setdefault(group, name) != name:
                message = f"the group {group!r} is in the environment {environments[group]!r} above"
                warn("env", f"{message}; name that one, or another group", node.parent.parent)
    for node in tests:
        if "testnodetype" in node and environments.keys() >= set(node["groups"]):
            _isolate(node)


def _isolate(node: nodes.Element) -> None:
    """Hide a test from stock doctest, not from ``pytest --codediff``."""
    node["isolated_testnodetype"] = node.attributes.pop("testnodetype")
