"""Translations of the words that readers see.

``nox -s catalogues`` updates the catalogues in ``locale/`` from the code.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.locale import get_translation

DOMAIN = "codediff"
CATALOGUES = Path(__file__).parent / "locale"

_ = get_translation(DOMAIN)
