"""Which code belongs to which doctest group of a page.

Works on the nodes that ``sphinx.ext.doctest`` makes, and on the sides of blocks.
"""

from __future__ import annotations

import contextlib
import re
import tokenize
from collections.abc import Sequence
from doctest import IGNORE_EXCEPTION_DETAIL

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.ifconfig import ifconfig

from .nodes import codediff, sides
from .sides import split_names, suggest
from .warn import logger, warn

# As in coverage.py, so that a page and a module are marked alike.
_PRAGMA = re.compile(
    r"[ \t]*#\s*(?:pragma|PRAGMA)[:\s]?\s*(?:no|NO)\s*(?:cover|COVER)\b[^'\"\n]*$", re.MULTILINE
)
_RAISED = re.compile(r"^Traceback .*\n(?:[ \t].*\n)*(?:\w+\.)*(\w+)", re.MULTILINE)


def resolve(app: Sphinx, doctree: nodes.document) -> None:
    """Prepare the tests of a page: hide coverage pragmas, and resolve the names of groups."""
    default = app.config.doctest_test_doctest_blocks
    tests = []
    for node in doctree.findall(nodes.Element):
        if isinstance(node, (nodes.literal_block, nodes.comment, nodes.doctest_block)):
            _hide_pragmas(node)
            if "groups" in node or (default and isinstance(node, nodes.doctest_block)):
                tests.append(node)
    blocks = list(doctree.findall(codediff))
    if not blocks:
        return  # Other pages are as stock doctest has them.
    titles: dict[str, str] = {}
    for block in blocks:
        titles |= block["sources"]
    for node in tests:
        if isinstance(node, nodes.doctest_block):
            node["groups"] = [default]
        elif not _is_side(node) and "raises" not in node:
            node["groups"] = split_names(", ".join(node["groups"]), titles)
    _share(tests)
    _check_names(tests)
    _check_exceptions(tests)
    _isolate(tests)


def _is_side(node: nodes.Element) -> bool:
    return isinstance(getattr(node.parent, "parent", None), codediff)


def _kind(node: nodes.Element) -> str:
    """Return what a test is for; a skipped side counts as code."""
    default = "doctest" if isinstance(node, nodes.doctest_block) else "testcode"
    return str(node.get("testnodetype", default))


def _share(tests: Sequence[nodes.Element]) -> None:
    """Add every group of the page to the set-up and clean-up that name none.

    Stock ``*`` would run them after the code of named groups; set-up has to run in the order
    in which it is written.
    """
    shared = [
        node
        for node in tests
        if _kind(node) in ("testsetup", "testcleanup") and node["groups"] == ["default"]
    ]
    for node in shared:
        node["shared"] = True
    named = [group for node in tests if "shared" not in node for group in node["groups"]]
    for node in shared:
        node["groups"] = [group for group in dict.fromkeys(named) if group != "*"]


def _hide_pragmas(node: nodes.Element) -> None:
    """Remove the pragmas of coverage.py from code that is executed, and note the lines."""
    is_executed = node.get("testnodetype", "testoutput") != "testoutput"
    if not (is_executed or "skipped" in node or isinstance(node, nodes.doctest_block)):
        return
    pragmas = _pragmas(lines := node.astext().split("\n"))
    node["no_cover"] = [index for index, pragma in enumerate(pragmas) if pragma]
    if node["no_cover"]:
        node.rawsource = "\n".join(map(str.removesuffix, lines, pragmas))
        node.children = []
        node += nodes.Text(node.rawsource)
        if "test" in node:  # what Sphinx executes where it hides doctest's flags
            node["test"] = _PRAGMA.sub("", node["test"])


def _pragmas(lines: list[str]) -> list[str]:
    """Return the pragma at the end of each line, or an empty string."""
    found = [match[0] if (match := _PRAGMA.search(line)) else "" for line in lines]
    if any(found):
        with contextlib.suppress(tokenize.TokenError, SyntaxError):  # a session, for instance
            source = iter(f"{line}\n" for line in lines)
            tokens = tokenize.generate_tokens(lambda: next(source, ""))
            comments = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
            return [text if at in comments else "" for at, text in enumerate(found, 1)]
    return found


def _check_names(tests: Sequence[nodes.Element]) -> None:
    """Warn about groups without code, and outputs that doctest would compare with nothing."""
    code = {
        group: None
        for node in tests
        if _kind(node) in ("testcode", "doctest")
        for group in node["groups"]
    }
    waiting: set[str] = set()
    for node in tests:
        kind = _kind(node)
        for group in map(str, node["groups"]):
            if group not in code and group != "*" and "shared" not in node:
                message = f"no code on this page is in the group {group!r}; {suggest(group, code)}"
                warn("groups", message, node)
            elif kind == "testcode":
                waiting.add(group)
            elif kind == "testoutput" and group != "*" and waiting.isdisjoint({group, "*"}):
                message = f"nothing compares this output: it is below no code of {group!r}, below "
                message += "a session, or below another output; put it where the code is"
                warn("testoutput", message, node)
            elif kind in {"testoutput", "doctest"} and not _is_conditional(node):
                waiting.discard(group)


def _is_conditional(node: nodes.Node) -> bool:
    """Return whether another output may take the place of this one."""
    if isinstance(node, nodes.Element) and ("raises" in node or "skipif" in node):
        return True
    return isinstance(node, ifconfig) or bool(node.parent and _is_conditional(node.parent))


def _check_exceptions(tests: Sequence[nodes.Element]) -> None:
    """Warn where the output that is shown is not of the exception that the side names."""
    expected: dict[str, str] = {}
    for node in tests:
        for group in map(str, node["groups"]):
            name = expected.pop(group, None)
            if "raises" in node:
                expected[group] = node["raises"]
            elif name and _kind(node) == "testoutput":
                shown = _RAISED.search(node.astext())
                if not shown or shown[1] != name.rpartition(".")[2]:
                    message = f"the output is no traceback of {name}, which the side is to raise"
                    warn("raises", message, node)
                # Sphinx ignores the message of an exception by default; here readers see it.
                node["options"].setdefault(IGNORE_EXCEPTION_DETAIL, False)


def _isolate(tests: Sequence[nodes.Element]) -> None:
    """Hide from stock doctest the groups that need an environment of their own."""
    environments: dict[str, str] = {}
    for node in tests:
        if name := node.get("environment"):
            group = node["groups"][0]
            if environments.setdefault(group, name) != name:
                message = f"the group {group!r} is in the environment {environments[group]!r} above"
                message += "; name that one, or another group"
                warn("env", message, node.parent.parent)
    for node in tests:
        if "testnodetype" in node and environments.keys() >= set(node["groups"]):
            node["isolated_testnodetype"] = node["testnodetype"]
            del node["testnodetype"]


def report_isolated(app: Sphinx, exception: Exception | None) -> None:
    """List the sides that the stock builder leaves out, at its end."""
    if exception or app.builder.name != "doctest" or not app.config.codediff_environments:
        return
    for docname in sorted(app.env.found_docs):
        for block in app.env.get_doctree(docname).findall(codediff):
            for _side, title, code in sides(block):
                if "environment" in code:
                    logger.info(
                        "%s:%s: side %r needs the environment %r; run it with pytest --codediff",
                        *(code.source, code.line, title.astext(), code["environment"]),
                    )
