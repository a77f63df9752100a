"""The ``codediff-programs`` directive: downloads of a page's programs and of their differences."""

from __future__ import annotations

import contextlib
import difflib
import doctest
import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from ..directive.nodes import codediff, sides
from ..directive.warn import warn
from ..execution.data import Piece, Program
from .collect import collect_page
from .results import write_file


class programs(nodes.General, nodes.Element):
    """Placeholder of the list, which is replaced when a page is written."""


class CodeDiffPrograms(SphinxDirective):
    """List the page's programs as downloads, and their differences as patches."""

    def run(self) -> list[nodes.Node]:
        """Return the placeholder."""
        node = programs(docname=self.env.docname)  # some builders put many pages into one
        self.set_source_info(node)
        return [node]


def script(program: Program) -> str:
    """Return a program as one Python file, with imports from ``__future__`` moved to its start."""
    future = re.compile(r"^from __future__ import .*\n*", re.MULTILINE)
    text = "\n\n\n".join(map(_as_script, program.pieces)) + "\n"
    first = dict.fromkeys(line.strip("\n") for line in future.findall(text))
    return "\n".join([*first, "", ""] if first else []) + future.sub("", text)


def _as_script(piece: Piece) -> str:
    """Return the code of a piece; of a session, with its prompts removed and output as comments."""
    if piece.kind == "doctest":
        with contextlib.suppress(ValueError):  # malformed sessions fail in the test run
            return doctest.script_from_examples(piece.source).strip("\n")
    return piece.source


def patch(first: str, second: str, name: str) -> str:
    """Return the unified difference of two texts of a file, for ``patch`` and ``git apply``."""
    # Only a line feed ends a line here, unlike in `str.splitlines`.
    old, new = (re.findall(r".*\n", text) for text in (first, second))
    return "".join(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}"))


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace placeholders by lists of downloads, and write these, if the builder has downloads."""
    for node in list(doctree.findall(programs)):
        if getattr(app.builder, "download_support", False):
            entries = (nodes.paragraph("", "", *links) for links in _links(app, node))
            items = [nodes.list_item("", entry) for entry in entries]
            node.replace_self(nodes.bullet_list("", *items, classes=["codediff-programs"]))
        else:
            node.parent.remove(node)


def _links(app: Sphinx, node: programs) -> Iterator[list[nodes.Node]]:
    """Yield the links to downloads for each set of groups that share a block."""
    docname = node["docname"]
    blocks = app.env.get_doctree(docname).findall(codediff)
    sets = [[code["groups"][0] for _side, _title, code in sides(block)] for block in blocks]
    names: dict[str, str] = {}
    texts: dict[str, str] = {}
    for program in collect_page(app.env, docname).programs:
        if any(program.group in groups for groups in sets):
            name = nodes.make_id(program.group) or f"side-{len(names) + 1}"
            name = name if name not in names.values() else f"{name}-{len(names) + 1}"
            names[program.group], texts[program.group] = name, script(program)
    if not names:
        warn("programs", "there is no codediff above or below whose sides are executed", node)
    linked: set[str] = set()
    for groups in sets:
        executed = [group for group in groups if group in names]
        files = {f"{names[group]}.py": texts[group] for group in executed}
        for other in executed[1:]:
            first = executed[0]
            if text := patch(texts[first], texts[other], f"{names[first]}.py"):
                files[f"{names[first]}-to-{names[other]}.patch"] = text
        links: list[nodes.Node] = []
        for name in [one for one in files if one not in linked]:
            links += [nodes.Text(", "), _download(app, docname, name, files[name])]
        linked |= files.keys()
        if links:
            yield links[1:]


def _download(app: Sphinx, docname: str, name: str, text: str) -> nodes.Node:
    """Write a file beside Sphinx' own downloads, and return a link to it."""
    filename = f"codediff/{docname}/{name}"
    path = Path(app.outdir, "_downloads", filename)
    try:
        write_file(path, text)
    except OSError as error:
        raise ExtensionError(f"{path} cannot be written: {error.strerror}") from error
    label = nodes.inline(name, name)
    return addnodes.download_reference("", "", label, filename=filename, reftarget=name)
