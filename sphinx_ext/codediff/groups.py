"""Which code reaches which doctest group of a page.

Works on stock nodes of ``sphinx.ext.doctest``, wherever they come from.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.doctest import TestcleanupDirective, TestsetupDirective

from .nodes import codediff
from .sides import same_spelling
from .warn import warn


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
    for node in doctree.findall(_is_code):
        assert isinstance(node, nodes.Element)
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


def _is_code(node: nodes.Node) -> bool:
    return isinstance(node, (nodes.literal_block, nodes.comment, nodes.doctest_block))


def _warn_of_near_misses(named: dict[str, nodes.Element]) -> None:
    """Warn of groups whose names differ in nothing but spelling."""
    seen: dict[str, str] = {}
    for group, node in named.items():
        first = seen.setdefault(same_spelling(group), group)
        if first != group:
            in_block = isinstance(getattr(node.parent, "parent", None), codediff)
            message = f"the group {group!r} is not the group {first!r} above; spell them alike"
            warn("groups", message, node.parent[0] if in_block else node)
