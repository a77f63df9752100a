"""Which code reaches which doctest group of a page.

Works on stock nodes of ``sphinx.ext.doctest``, wherever they come from.
"""

from __future__ import annotations

import contextlib
import re
import tokenize
from doctest import IGNORE_EXCEPTION_DETAIL
from typing import cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.doctest import TestcleanupDirective, TestsetupDirective
from sphinx.ext.ifconfig import ifconfig

from .nodes import codediff, sides
from .sides import same_spelling
from .warn import logger, warn

# As in coverage.py, so that a page and a module are marked alike.
_PRAGMA = re.compile(
    r"[ \t]*#\s*(?:pragma|PRAGMA)[:\s]?\s*(?:no|NO)\s*(?:cover|COVER)\b[^'\"\n]*$", re.MULTILINE
)
_RAISED = re.compile(r"^Traceback .*\n(?:[ \t].*\n)*(?:\w+\.)*(\w+)", re.MULTILINE)


class SharedSetup(TestsetupDirective):
    """``testsetup`` that runs for every group of the page where it names none."""

    def run(self) -> list[nodes.Node]:
        """Return the stock node, noting that it is shared."""
        return _share(super().run(), bool(self.arguments))


class SharedCleanup(TestcleanupDirective):
    """``testcleanup`` that runs for every group of the page where it names none."""

    def run(self) -> list[nodes.Node]:
        """Return the stock node, noting that it is shared."""
        return _share(super().run(), bool(self.arguments))


def _share(made: list[nodes.Node], named: bool) -> list[nodes.Node]:
    for node in made:
        if isinstance(node, nodes.Element) and not named:
            node["shared"] = True
    return made


def resolve(app: Sphinx, doctree: nodes.document) -> None:
    """Name every group of the page on the code that is shared, in place.

    Stock ``*`` would not do: it runs shared code after that of named groups, and
    set-up has to run in the order in which it is written.
    """
    named: dict[str, nodes.Element] = {}
    shared: list[nodes.Element] = []
    every = [cast("nodes.Element", node) for node in doctree.findall(_is_code)]
    for node in every:
        _hide_pragmas(node)
        if node.get("shared"):
            shared.append(node)
        elif isinstance(node, nodes.doctest_block) and app.config.doctest_test_doctest_blocks:
            named.setdefault(app.config.doctest_test_doctest_blocks, node)
        else:
            group: str
            for group in node.get("groups", ()):
                named.setdefault(group, node)
    _warn_of_near_misses(named)
    groups = [group for group in named if group != "*"]
    for node in shared:
        node["groups"] = groups or node["groups"]
    _check_outputs(every)
    _check_raises(every)
    _set_apart(every)


def _is_code(node: nodes.Node) -> bool:
    return isinstance(node, (nodes.literal_block, nodes.comment, nodes.doctest_block))


def _hide_pragmas(node: nodes.Element) -> None:
    """Take the marks of coverage.py off code that is executed, and note the lines."""
    is_executed = node.get("testnodetype", "testoutput") != "testoutput"
    is_executed |= isinstance(node, nodes.doctest_block)
    if not is_executed and "skipped" not in node:
        return
    lines = node.astext().split("\n")
    hidden = list(map(str.removesuffix, lines, _pragmas(lines)))
    node["no_cover"] = [at for at, line in enumerate(lines) if line != hidden[at]]
    if node["no_cover"]:
        node.rawsource, node.children = "\n".join(hidden), []
        node += nodes.Text(node.rawsource)
        if "test" in node:  # what Sphinx executes where it hides doctest's flags
            node["test"] = _PRAGMA.sub("", node["test"])


def _check_outputs(every: list[nodes.Element]) -> None:
    """Warn of outputs that doctest would compare with nothing, unless only spelling is to blame."""
    waiting: set[str] = set()
    for node in every:
        kind = node.get("testnodetype", "testcode")  # or a side that is skipped
        for group in map(str, node.get("groups", ())):
            known = same_spelling(group)
            if kind == "testcode":
                waiting.add(known)
            elif kind == "testoutput" and waiting.isdisjoint({known, "*"}) and group != "*":
                message = f"nothing compares this output: it is below no code of {group!r}, below "
                message += "a session, or below another output; put it where the code is"
                warn("testoutput", message, node)
            elif kind in {"testoutput", "doctest"} and not _may_be_left_out(node):
                waiting.discard(known)


def _may_be_left_out(node: nodes.Node) -> bool:
    """Whether another output may take the place of this one."""
    if isinstance(node, nodes.Element) and ("raises" in node or "skipif" in node):
        return True
    return isinstance(node, ifconfig) or bool(node.parent and _may_be_left_out(node.parent))


def _pragmas(lines: list[str]) -> list[str]:
    """Return what is to be hidden at the end of each line."""
    found = [match[0] if (match := _PRAGMA.search(line)) else "" for line in lines]
    if any(found):
        with contextlib.suppress(tokenize.TokenError, SyntaxError):  # a session, for instance
            source = iter(f"{line}\n" for line in lines)
            tokens = list(tokenize.generate_tokens(lambda: next(source, "")))
            comments = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
            return [text if at in comments else "" for at, text in enumerate(found, 1)]
    return found


def _check_raises(every: list[nodes.Element]) -> None:
    """Warn where the output that is shown is not of the exception that the side names."""
    expected: dict[str, str] = {}
    for node in every:
        for group in map(str, node.get("groups", ())):
            name = expected.pop(group, None)
            if "raises" in node:
                expected[group] = node["raises"]
            elif name and node.get("testnodetype") == "testoutput":
                shown = _RAISED.search(node.astext())
                if not shown or shown[1] != name.rpartition(".")[2]:
                    message = f"the output is no traceback of {name}, which the side is to raise"
                    warn("raises", message, node)
                # Sphinx ignores messages unless it is told otherwise; here they are what is shown.
                node["options"].setdefault(IGNORE_EXCEPTION_DETAIL, False)


def _set_apart(every: list[nodes.Element]) -> None:
    """Keep from stock doctest what belongs to groups that need an environment of their own."""
    environments: dict[str, str] = {}
    for node in every:
        if name := node.get("environment"):
            group = node["groups"][0]
            if environments.setdefault(group, name) != name:
                message = f"the group {group!r} is in the environment {environments[group]!r} above"
                message += "; name that one, or another group"
                warn("env", message, node["environment_place"])
    for node in every:
        kind = node.get("testnodetype")
        if kind and environments.keys() >= set(node["groups"]):
            node["apart"] = kind
            del node["testnodetype"]


def report_apart(app: Sphinx, exception: Exception | None) -> None:
    """Tell what the stock builder leaves out, at its end."""
    if exception or app.builder.name != "doctest" or not app.config.codediff_environments:
        return
    for docname in sorted(app.env.found_docs):
        for block in app.env.get_doctree(docname).findall(codediff):
            for _side, title, code in sides(block):
                if "environment" in code:
                    logger.info(
                        "%s:%s: side %r runs under `pytest --codediff` only, in the environment %r",
                        *(code.source, code.line, title.astext(), code["environment"]),
                    )


def _warn_of_near_misses(named: dict[str, nodes.Element]) -> None:
    """Warn of groups whose names differ in nothing but spelling."""
    seen: dict[str, str] = {}
    for group, node in named.items():
        first = seen.setdefault(same_spelling(group), group)
        if first != group:
            in_block = isinstance(getattr(node.parent, "parent", None), codediff)
            message = f"the group {group!r} is not the group {first!r} above; spell them alike"
            warn("groups", message, node.parent[0] if in_block else node)
