"""The options of a ``codediff``, and their defaults on a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from docutils import nodes
from docutils.parsers.rst.directives import (
    choice,
    class_option,
    flag,
    nonnegative_int,
    unchanged,
    unchanged_required,
)
from sphinx.directives import optional_int
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

HIGHLIGHTS = ("markers", "changes", "both", "none")


def highlight(argument: str) -> str:
    """Return one of `HIGHLIGHTS`, or raise `ValueError`."""
    return str(choice(argument, HIGHLIGHTS))


OPTIONS: dict[str, Callable[[str], Any]] = {
    "title": unchanged_required,
    "title-left": unchanged,
    "title-right": unchanged,
    "sync": flag,
    "groups": unchanged_required,
    "skip-test": unchanged_required,
    "no-run": flag,
    "env": unchanged_required,
    "raises": unchanged_required,
    "code-sep": unchanged_required,
    "caption": unchanged_required,
    "name": unchanged_required,
    "class": class_option,
    "language": unchanged_required,
    "linenos": flag,
    "lineno-start": int,
    "highlight": highlight,
    "view": unchanged_required,
    "context": nonnegative_int,
    "file": unchanged_required,
    "pyobject": unchanged_required,
    "start-after": unchanged_required,
    "end-before": unchanged_required,
    "lines": unchanged_required,
    "dedent": optional_int,
    # Published pages have these.
    "title_left": unchanged,
    "title_right": unchanged,
    "skip_test": unchanged_required,
    "code_sep": unchanged_required,
}
DEFAULTS = {name: OPTIONS[name] for name in ("title", "sync", "env", "language", "highlight")}


class CodeDiffDefaults(SphinxDirective):
    """Set options for the blocks below on the same page, in place of earlier defaults."""

    option_spec = DEFAULTS

    def run(self) -> list[nodes.Node]:
        """Return nothing to show."""
        self.env.temp_data["codediff_defaults"] = self.options
        return []


def complete(given: Mapping[str, Any], env: BuildEnvironment) -> dict[str, Any]:
    """Return the options of a block, spelled with hyphens, with the defaults of its page."""
    options = {name.replace("_", "-"): value for name, value in given.items()}
    defaults: dict[str, Any] = env.temp_data.get("codediff_defaults") or {}
    if options.keys() & {"title-left", "title-right"}:
        defaults = {name: value for name, value in defaults.items() if name != "title"}
    return defaults | options
