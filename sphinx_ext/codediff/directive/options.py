"""The options of a ``codediff``, as docutils, MyST-Parser and editors read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from docutils.parsers.rst.directives import (
    choice,
    class_option,
    flag,
    nonnegative_int,
    unchanged,
    unchanged_required,
)
from sphinx.directives import optional_int

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
