"""Turn the notebook of a MyST page into one that reads well in plain Jupyter.

Independent of Sphinx: it takes a notebook and the titles of the site's pages.
"""

import re
from collections.abc import Callable

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

DEFINITION = re.compile(r"^\[([^\]]+)\]: (\S+)$\n?", re.MULTILINE)
REFERENCE = re.compile(r"\[([^\[\]]+)\]\[([^\[\]]+)\]")
DOCUMENT = re.compile(r"\{doc\}`([^`]+)`")
CODEDIFF = re.compile(r"^```\{codediff\}\n(.*?)\n\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HIDDEN = {"hide-input", "remove-input"}


def make_plain(notebook: NotebookNode, title_of: Callable[[str], str]) -> None:
    """Change a notebook in place: plain Markdown, no outputs, collapsed code.

    MyST-NB writes the outputs of a run, but not those of a run that it has cached. Without them,
    the notebook is the same in every build.

    Args:
        notebook: the notebook that MyST-NB has written.
        title_of: returns the title of a page, given its name.
    """
    notebook.metadata.pop("language_info", None)
    texts = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    # In Jupyter, a cell does not see the definitions of links in another cell.
    links = {name: url for cell in texts for name, url in DEFINITION.findall(cell.source)}
    for cell in texts:
        text = DEFINITION.sub("", cell.source)
        text = REFERENCE.sub(lambda match: f"[{match[1]}]({links[match[2]]})", text)
        text = DOCUMENT.sub(lambda match: f"*{title_of(match[1].strip('/'))}*", text)
        cell.source = CODEDIFF.sub(_marked_blocks, text).strip()
    notebook.cells = [one for cell in notebook.cells if cell.source for one in _captioned(cell)]
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number}"  # which is random otherwise
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
            if HIDDEN & set(cell.metadata.get("tags", [])):
                cell.metadata["jupyter"] = {"source_hidden": True}


def _captioned(cell: NotebookNode) -> list[NotebookNode]:
    """Return a cell, and the caption of its figure, if it has one, as a cell below it."""
    caption = cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", "").strip()
    return [cell, new_markdown_cell(f"*{caption}*")] if caption else [cell]


def _marked_blocks(match: re.Match[str]) -> str:
    """Return the sides of a codediff as titled code blocks, without markers."""
    options, code = match.groups()
    titles = re.search(r":title: (.*)", options)[1].split(",")
    sides = re.sub(r"[ ]*#!$", "", code, flags=re.MULTILINE).split("\n---\n")
    pairs = zip(titles, sides, strict=True)
    return "\n\n".join(f"**{t.strip()}**\n\n```python\n{side.strip()}\n```" for t, side in pairs)
