"""The node of a ``codediff`` in a doctree."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx


class codediff(nodes.container):
    """A block: an optional caption, then one captioned literal block a side.

    Each side is a container as ``sphinx.directives.code`` makes it for a code block with a
    caption, so a writer that does not know this class shows ordinary code blocks.
    """


Side = tuple[nodes.container, nodes.caption, nodes.literal_block]


def sides(block: codediff) -> list[Side]:
    """Return the sides of a block: the container, its title and its code."""
    return [
        (side, side[0], side[1])  # type: ignore[misc]
        for side in block.children
        if isinstance(side, nodes.container)
    ]


def add_labels(app: Sphinx, doctree: nodes.document) -> None:
    """Let ``:ref:`` show the titles of a named block that has no caption."""
    labels = app.env.get_domain("std").labels  # type: ignore[attr-defined]
    for block in doctree.findall(codediff):
        for name in block["names"] if isinstance(block[0], nodes.container) else ():
            titles = ", ".join(title.astext() for _side, title, _code in sides(block))
            labels[name] = app.env.docname, block["ids"][0], titles
