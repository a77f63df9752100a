"""The words that readers see, in the language of their pages.

``nox -s catalogues`` brings the catalogues in ``locale/`` up to date with the code.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.locale import get_translation

DOMAIN = "codediff"
CATALOGUES = Path(__file__).parent / "locale"

_ = get_translation(DOMAIN)
