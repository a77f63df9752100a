"""Sides that are read from files, as ``literalinclude`` reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sphinx.config import Config
from sphinx.directives.code import LiteralIncludeReader
from sphinx.environment import BuildEnvironment
from sphinx.errors import PycodeError
from sphinx.util.logging import suppress_logging

from .sides import Part, split_titles


def read_files(
    options: Mapping[str, Any], env: BuildEnvironment, warn: Callable[[str, str], None]
) -> list[Part]:
    """Return one part for each path in the option ``file``, without lines if it cannot be read."""
    paths = split_titles(options["file"])
    objects = split_titles(options.get("pyobject", ""))
    if len(objects) != len(paths):
        objects = [options.get("pyobject", "")] * len(paths)
    parts = []
    for path, pyobject in zip(paths, objects, strict=True):
        relative, absolute = env.relfn2path(path)
        env.note_dependency(relative)
        numbered: list[tuple[int, str]] = []
        try:
            numbered = _pick(absolute, {**options, "pyobject": pyobject}, env.config)
        except (OSError, ValueError, IndexError, PycodeError) as error:
            cause = error.__cause__ or error
            warn("file", f"cannot show {path!r}: {getattr(cause, 'strerror', None) or cause}")
        numbers, lines = zip(*numbered, strict=True) if numbered else ((), ())
        parts.append(Part(lines, file=absolute, numbers=numbers))
    return parts


def _pick(path: str, options: Mapping[str, Any], config: Config) -> list[tuple[int, str]]:
    """Return the lines of a file that the options choose, numbered; raise if there are none."""
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
