"""The outputs below a block: beside their sides in HTML, and labelled in other formats."""

from __future__ import annotations

from dataclasses import dataclass, field

from docutils import nodes
from sphinx.application import Sphinx

from ..directive.nodes import codediff, sides
from .translation import _


@dataclass(frozen=True)
class Outputs:
    """The outputs of a block.

    Attributes:
        of_sides: By the index of the side that has printed them.
        shared: What all sides have printed.
    """

    of_sides: dict[int, list[nodes.literal_block]] = field(default_factory=dict)
    shared: list[nodes.literal_block] = field(default_factory=list)


def place(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Move the outputs into their blocks where pages are HTML; elsewhere name their sides.

    The doctree is a copy for the writer: what is executed does not change.
    """
    if app.builder.format not in {"html", "latex", "text", "man", "texinfo"}:
        return
    for block in list(doctree.findall(codediff)):
        titles = [title.astext() for _side, title, _code in sides(block)]
        outputs = Outputs()
        for node, owners in _outputs(block):
            if app.builder.format == "html":
                node.parent.remove(node)
                if len(owners) == len(titles):
                    outputs.shared.append(node)
                else:
                    for owner in owners:
                        outputs.of_sides.setdefault(owner, []).append(node)
            else:
                named = [] if len(owners) == len(titles) else [titles[owner] for owner in owners]
                label = ": ".join([_("Output"), *([", ".join(named)] if named else [])])
                paragraph = nodes.paragraph("", "", nodes.emphasis("", label))
                node.parent.insert(node.parent.index(node), paragraph)
        if outputs.of_sides or outputs.shared:
            block["outputs"] = outputs


def _outputs(block: codediff) -> list[tuple[nodes.literal_block, list[int]]]:
    """Return the outputs directly below a block, each with the indices of its sides."""
    groups = [set(code["groups"]) for _side, _title, code in sides(block)]
    found = []
    for node in block.parent.children[block.parent.index(block) + 1 :]:
        if isinstance(node, nodes.comment):
            continue  # an output that is hidden, or the exception that a side raises
        if not isinstance(node, nodes.literal_block) or "testoutput" not in (
            node.get("testnodetype"),
            node.get("isolated_testnodetype"),
        ):
            break
        names = set(node["groups"])
        owners = [side for side, known in enumerate(groups) if names & (known | {"*"})]
        if not owners or not names <= {"*"}.union(*groups):
            break
        found.append((node, owners))
    return found
