"""The node of a ``codediff`` in a doctree."""

from __future__ import annotations

from docutils import nodes


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


def text_of_references(block: nodes.Node) -> str:
    """Return what ``:ref:`` and ``:numref:`` show for a block: its caption, or its titles."""
    if isinstance(block.children[0], nodes.caption):
        return block.children[0].astext()
    return ", ".join(side.children[0].astext() for side in block.children)
