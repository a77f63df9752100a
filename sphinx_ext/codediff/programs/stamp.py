"""Stamps: with which versions, and when, the code of a block was executed as it is shown."""

from __future__ import annotations

from functools import cache, lru_cache, partial
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.environment import BuildEnvironment
from sphinx.locale import get_translation

from ..directive.nodes import codediff, sides
from .collect import collect_page, location_of, results_file
from .results import Result, read, summary

_ = get_translation("codediff")


def note_page(app: Sphinx, doctree: nodes.document) -> None:
    """Note which pages have blocks, and on each block its page: singlehtml merges pages."""
    for block in doctree.findall(codediff):
        block["docname"] = app.env.docname
        app.env.metadata[app.env.docname]["codediff"] = True
        for side, _title, _code in sides(block):
            side["ids"] = []  # given to numbered code; here, the block is numbered


def pages_to_write(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages with blocks that were written before the file of results."""
    path = results_file(app.config, app.confdir)
    outfile = getattr(app.builder, "get_outfilename", None)
    if not path or not path.exists() or not outfile:
        return []
    changed = path.stat().st_mtime_ns
    pages = {name: Path(outfile(name)) for name in env.metadata if "codediff" in env.metadata[name]}
    return [
        name for name, file in pages.items() if file.exists() and file.stat().st_mtime_ns <= changed
    ]


def add_stamps(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Set the attribute ``stamp`` on the blocks whose sides have all passed as they are."""
    results = _results(app.builder) if app.builder.format == "html" else {}
    page_of = cache(partial(collect_page, app.env))
    for block in doctree.findall(codediff) if results else ():
        page = page_of(block["docname"])
        unexecuted = [*page.skipped, *page.unexecuted]
        found = [
            results.get(page.digests.get(code["groups"][0], ""))
            for _side, title, code in sides(block)
            if location_of(code, title, page.path) not in unexecuted
        ]
        passed = [one for one in found if one]
        if len(passed) == len(sides(block)):
            libraries, pythons, day = summary(passed)
            text = _("Executed on Python {python}")
            if libraries:
                text = _("Executed with {libraries} on Python {python}")
            text = text.format(libraries=libraries, python=pythons)
            block["stamp"] = {"text": text, "date": day}


@lru_cache(maxsize=1)  # once a build
def _results(builder: Builder) -> dict[str, Result]:
    path = results_file(builder.config, builder.confdir)
    return read(path) if path else {}
