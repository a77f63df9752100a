"""What a ``codediff`` is in a doctree, and in builders that have nothing better to show."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx


class codediff(nodes.container):
    """A block: an optional caption, then one captioned literal block a side.

    Each side is a container as ``sphinx.directives.code`` makes it for a code block with a
    caption, so a writer that does not know this class shows ordinary code blocks.
    """


def sides(block: codediff) -> list[tuple[nodes.container, nodes.caption, nodes.literal_block]]:
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


def visit(self: nodes.NodeVisitor, node: codediff) -> None:
    """Show a block's sides one after the other, under its caption."""
    if isinstance(node[0], nodes.caption):
        # Outside of HTML a caption has to belong to something that floats.
        strong = nodes.strong("", "", *node[0].children)
        node[0] = nodes.paragraph("", "", strong)
    if hasattr(self, "hypertarget_to"):  # LaTeX
        self.body.append(self.hypertarget_to(node, anchor=True))  # type: ignore[attr-defined]


def depart(self: nodes.NodeVisitor, node: codediff) -> None:
    """Do nothing: the sides have been shown."""
