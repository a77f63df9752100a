"""Sides that are read from files, as ``literalinclude`` reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sphinx.config import Config
from sphinx.directives.code import LiteralIncludeReader
from sphinx.environment import BuildEnvironment
from sphinx.errors import PycodeError
from sphinx.util.logging import suppress_logging

from .sides import Part, Problem, split_titles


def read_files(
    options: Mapping[str, Any], env: BuildEnvironment
) -> tuple[list[Part], list[Problem]]:
    """Read one side from each path in the option ``file``.

    Args:
        options: Those of the directive, spelled with hyphens.
        env: Resolves the paths, and rebuilds the page when a file changes.

    Returns:
        One part a path, without lines if it cannot be read, and the mistakes found.
    """
    paths = split_titles(options["file"])
    objects = split_titles(options.get("pyobject", ""))
    if len(objects) != len(paths):
        objects = [options.get("pyobject", "")] * len(paths)
    parts: list[Part] = []
    problems: dict[str, Problem] = {}  # by reason: two files often have the same
    for path, pyobject in zip(paths, objects, strict=True):
        relative, absolute = env.relfn2path(path)
        env.note_dependency(relative)
        picked = {"pyobject": pyobject} if pyobject else {}
        try:
            numbered = _pick(absolute, {**options, **picked}, env.config)
        except (OSError, ValueError, IndexError, PycodeError) as error:
            numbered = []
            cause = error.__cause__ if isinstance(error, PycodeError) else error
            reason = re.sub(" (in|from) include file .*", "", str(cause))
            problems.setdefault(reason, Problem("file", f"cannot show {path!r}: {reason}"))
        lines, numbers = [line for _, line in numbered], [number for number, _ in numbered]
        parts.append(Part(lines, file=absolute, numbers=numbers))
    return parts, list(problems.values())


def _pick(path: str, options: Mapping[str, Any], config: Config) -> list[tuple[int, str]]:
    """Return the lines of a file that the options choose, each with its number.

    Raises:
        OSError, ValueError, IndexError, PycodeError: The lines cannot be read, or there are none.
    """
    names = ("pyobject", "start-after", "end-before")
    choice = {name: options[name] for name in names if name in options}
    with suppress_logging() as logged:  # Sphinx warns of some mistakes and raises for others.
        reader = LiteralIncludeReader(path, choice | {"lineno-match": True}, config)
        lines = reader.read()[0].splitlines(keepends=True)
        numbered: Any = list(enumerate(lines, reader.lineno_start))
        rest = {name: options[name] for name in ("lines", "dedent") if name in options}
        reader = LiteralIncludeReader(path, rest, config)
        numbered = reader.lines_filter(numbered)
        lines = reader.dedent_filter([line for _, line in numbered])
    if logged.buffer:
        raise ValueError(logged.buffer[0].getMessage())
    if not any(map(str.strip, lines)):
        raise ValueError("there is no code in it")
    return [(number, line.rstrip("\n")) for (number, _), line in zip(numbered, lines, strict=True)]
