"""The quiet line below a block whose code has run as it is shown: with what, and when."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.config import Config
from sphinx.util.i18n import format_date

from ..directive.nodes import codediff, sides
from ..directive.warn import warn
from ..rendering.translation import _
from .collect import Page, kind_of, page_of, place_of, results_file
from .results import Result, digest_of_file, read, summary


def note_state(app: Sphinx, config: Config) -> None:
    """Have Sphinx write all pages anew when what stamps and downloads depend on has changed."""
    path = results_file(config, app.confdir)
    names = ("global_setup", "global_cleanup", "default_flags", "test_doctest_blocks")
    config.codediff_state = [
        digest_of_file(path) if path else "",
        config.codediff_environments,
        *(config[f"doctest_{name}"] for name in names),
    ]


def note_page(app: Sphinx, doctree: nodes.document) -> None:
    """Note on each block which page it is of; some builders put many pages into one.

    Its sides give back the ids that Sphinx has given them to be numbered by: the block is.
    """
    for block in doctree.findall(codediff):
        block["docname"] = app.env.docname
        for side, _title, _code in sides(block):
            side["ids"] = []


def stamp(builder: Builder, block: codediff) -> str:
    """Return the line for a block as HTML; empty unless each of its sides has passed as it is."""
    results = _results(builder)
    if not results:
        return ""
    page = _page(builder, block["docname"])
    found = [
        results.get(page.digests.get(code["groups"][0], ""))
        if kind_of(code) and place_of(code, title, page.path) not in page.skipped
        else None
        for _side, title, code in sides(block)
    ]
    passed = [one for one in found if one]
    if not passed or len(passed) < len(found):
        return ""
    libraries, pythons, day = summary(passed)
    text = (
        _("Executed with {libraries} on Python {python}")
        if libraries
        else _("Executed on Python {python}")
    )
    text = escape(text.format(libraries=libraries, python=pythons))
    language = builder.config.language
    shown = format_date("%x", date=datetime.fromisoformat(day), language=language)
    return f'<p class="codediff-stamp">{text}, <time datetime="{day}">{escape(shown)}</time></p>\n'


@lru_cache(maxsize=1)  # All blocks of a build ask.
def _results(builder: Builder) -> dict[str, Result]:
    path = results_file(builder.config, builder.confdir)
    try:
        return read(path) if path else {}
    except ValueError as error:
        message = f"no block is stamped, for the results cannot be read ({error}); run the tests"
        warn("results", message, f"{path}:")
        return {}


@lru_cache(maxsize=1)  # All blocks of a page ask.
def _page(builder: Builder, docname: str) -> Page:
    return page_of(builder.env, docname, builder=builder.name)
