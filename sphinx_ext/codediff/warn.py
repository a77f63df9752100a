"""Warnings: each has a type that ``suppress_warnings`` knows, and the place of the mistake."""

from __future__ import annotations

from docutils.nodes import Node
from sphinx.util import logging

logger = logging.getLogger(__name__)


def warn(kind: str, message: str, location: Node | tuple[str, int] | str) -> None:
    """Emit one warning of the type ``codediff.KIND``.

    Args:
        kind: The subtype, one of those the manual lists.
        message: What is wrong and how to mend it.
        location: A node, or ``"file:line"``.
    """
    logger.warning(message, type="codediff", subtype=kind, location=location)
