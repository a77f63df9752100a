"""Stamps: with which versions, and when, the code of a block was executed as it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.environment import BuildEnvironment
from sphinx.locale import get_translation

from ..directive.nodes import codediff, sides
from ..directive.warn import warn
from .collect import Page, collect_page, doctest_directive, location_of, results_file
from .results import Result, read, summary

_ = get_translation("codediff")
DOCTEST_SETTINGS = (
    *("doctest_global_setup", "doctest_global_cleanup"),
    *("doctest_default_flags", "doctest_test_doctest_blocks"),
)
"""Settings of ``sphinx.ext.doctest`` that change programs."""


def note_page(app: Sphinx, doctree: nodes.document) -> None:
    """Note which pages have blocks, and on each block its page: singlehtml merges pages.

    Sides lose the ids that Sphinx gives to numbered code: here, the block is numbered.
    """
    for block in doctree.findall(codediff):
        block["docname"] = app.env.docname
        app.env.metadata[app.env.docname]["codediff"] = True
        for side, _title, _code in sides(block):
            side["ids"] = []


def _pages(env: BuildEnvironment) -> list[str]:
    """Return the names of the pages with blocks."""
    return sorted(name for name, data in env.metadata.items() if "codediff" in data)


def pages_to_read(_app: Sphinx, env: Any, *_changes: set[str]) -> list[str]:
    """Return the pages with blocks if settings that change their programs are different."""
    settings = [env.config[name] for name in DOCTEST_SETTINGS]
    before = getattr(env, "codediff_doctest_settings", settings)
    env.codediff_doctest_settings = settings
    return _pages(env) if settings != before else []


def pages_to_write(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages with blocks that were written before the file of results."""
    path = results_file(app.config, app.confdir)
    outfile = getattr(app.builder, "get_outfilename", None)
    if not path or not path.exists() or not outfile:
        return []
    changed = path.stat().st_mtime_ns
    written = {name: Path(outfile(name)) for name in _pages(env)}
    return [
        name
        for name, file in written.items()
        if file.exists() and file.stat().st_mtime_ns <= changed
    ]


def add_stamps(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Set the attribute ``stamp`` on the blocks whose sides have all passed as they are."""
    results = _results(app.builder) if app.builder.format == "html" else {}
    page_of = cache(partial(collect_page, app.env))
    for block in doctree.findall(codediff) if results else ():
        if stamp := _stamp(block, page_of(block["docname"]), results):
            block["stamp"] = stamp


def _stamp(block: codediff, page: Page, results: Mapping[str, Result]) -> dict[str, str] | None:
    found = [
        results.get(page.digests.get(code["groups"][0], ""))
        if doctest_directive(code) and location_of(code, title, page.path) not in page.skipped
        else None
        for _side, title, code in sides(block)
    ]
    passed = [one for one in found if one]
    if not passed or len(passed) < len(found):
        return None
    libraries, pythons, day = summary(passed)
    text = (
        _("Executed with {libraries} on Python {python}")
        if libraries
        else _("Executed on Python {python}")
    )
    return {"text": text.format(libraries=libraries, python=pythons), "date": day}


@lru_cache(maxsize=1)  # once a build, with one warning
def _results(builder: Builder) -> dict[str, Result]:
    path = results_file(builder.config, builder.confdir)
    try:
        return read(path) if path else {}
    except ValueError as error:
        message = f"no block is stamped, for the results cannot be read ({error}); run the tests"
        warn("results", message, f"{path}:")
        return {}
