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


def title(block: codediff) -> str:
    """Return the block's caption, or the titles of its sides, as plain text."""
    if isinstance(block[0], nodes.caption):
        return block[0].astext()
    return ", ".join(title.astext() for _side, title, _code in sides(block))


def add_labels(app: Sphinx, doctree: nodes.document) -> None:
    """Let ``:ref:`` to a named block show its title, as it does for a section."""
    labels = app.env.get_domain("std").labels  # type: ignore[attr-defined]
    for block in doctree.findall(codediff):
        for name in block["names"]:
            labels[name] = app.env.docname, block["ids"][0], title(block)
