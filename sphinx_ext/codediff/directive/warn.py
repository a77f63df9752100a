"""Warnings: each has a type that ``suppress_warnings`` knows, and the place of the mistake."""

from __future__ import annotations

from docutils.nodes import Node
from sphinx.util import logging

logger = logging.getLogger(__name__)


def warn(kind: str, message: str, location: Node | tuple[str, int] | str) -> None:
    """Emit one warning of the type ``codediff.KIND``.

    Args:
        kind: The subtype; the manual lists all of them.
        message: What is wrong and how to fix it.
        location: A node, or ``"file:line"``; without a line, the colon tells it from a page's name.
    """
    logger.warning(message, type="codediff", subtype=kind, location=location)
