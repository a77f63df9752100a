"""Warnings: each has a type that ``suppress_warnings`` knows, and the place of the mistake."""

from __future__ import annotations

from docutils.nodes import Node
from sphinx.util import logging

logger = logging.getLogger(__name__)


def warn(kind: str, message: str, location: Node | str) -> None:
    """Warn with the type ``codediff.KIND`` at a node, or at ``"file:line"``, or ``"file:"``."""
    logger.warning(message, type="codediff", subtype=kind, location=location)
