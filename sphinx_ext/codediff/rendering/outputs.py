"""The outputs below a block: beside their sides in HTML, and labelled in other formats."""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import get_translation

from ..directive.nodes import Side, codediff, sides

_ = get_translation("codediff")


def place(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Move outputs into their sides, or into the block if it has one for all; elsewhere label them.

    The doctree is a copy for the writer: what is executed does not change.
    """
    if app.builder.format not in {"html", "latex", "text", "man", "texinfo"}:
        return
    for block in list(doctree.findall(codediff)):
        for output, owners in list(_outputs(block)):
            is_shared = len(owners) == len(sides(block))
            if app.builder.format == "html":
                output.parent.remove(output)
                for parent in [block] if is_shared else [side for side, *_rest in owners]:
                    parent += output.deepcopy()
            else:
                titles = ", ".join(title.astext() for _side, title, _code in owners)
                label = _("Output") if is_shared else f"{_('Output')}: {titles}"
                paragraph = nodes.paragraph("", "", nodes.emphasis("", label))
                output.parent.insert(output.parent.index(output), paragraph)


def _outputs(block: codediff) -> Iterator[tuple[nodes.literal_block, list[Side]]]:
    """Yield the outputs directly below a block, each with the sides that print it."""
    found = sides(block)
    known = {"*"}.union(*(code["groups"] for *_rest, code in found))
    for node in block.parent.children[block.parent.index(block) + 1 :]:
        if isinstance(node, nodes.comment):
            continue  # an output that is hidden, or the exception that a side raises
        if not isinstance(node, nodes.literal_block) or "testoutput" not in (
            node.get("testnodetype"),
            node.get("isolated_testnodetype"),
        ):
            break
        names = set(node["groups"])
        if not names <= known:
            break
        yield node, [side for side in found if names.intersection(["*", *side[2]["groups"]])]
