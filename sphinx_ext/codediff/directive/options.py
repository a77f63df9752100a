"""The options of a ``codediff``, and their defaults on a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from docutils.parsers.rst import directives
from sphinx.directives import optional_int
from sphinx.environment import BuildEnvironment

HIGHLIGHTS = ("markers", "changes", "both", "none")
TEXTS = (
    *("title", "groups", "skip-test", "env", "raises", "code-sep", "caption", "name", "language"),
    *("view", "file", "pyobject", "start-after", "end-before", "lines"),
)
OLDER = ("title-left", "title-right", "skip-test", "code-sep")
OPTIONS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("sync", "no-run", "linenos"), directives.flag),
    **dict.fromkeys(TEXTS, directives.unchanged_required),
    **dict.fromkeys(("title-left", "title-right"), directives.unchanged),
    "class": directives.class_option,
    "lineno-start": int,
    "highlight": lambda argument: directives.choice(argument, HIGHLIGHTS),
    "context": directives.nonnegative_int,
    "dedent": optional_int,
}
OPTIONS |= {name.replace("-", "_"): OPTIONS[name] for name in OLDER}  # on published pages
DEFAULTS = {name: OPTIONS[name] for name in ("title", "sync", "env", "language", "highlight")}


def complete(given: Mapping[str, Any], env: BuildEnvironment) -> dict[str, Any]:
    """Return the options of a block, spelled with hyphens, with the defaults of its page."""
    options = {name.replace("_", "-"): value for name, value in given.items()}
    defaults: dict[str, Any] = env.temp_data.get("codediff_defaults") or {}
    if options.keys() & {"title-left", "title-right"}:
        defaults = {name: value for name, value in defaults.items() if name != "title"}
    return defaults | options
