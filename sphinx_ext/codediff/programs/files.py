"""Writing files that belong to the extension alone.

Pure: imports neither Sphinx nor pytest.
"""

from __future__ import annotations

import os
from pathlib import Path


def write_file(path: Path, text: str) -> None:
    """Write a text file such that readers see the old content or the new, never a part.

    Raises:
        OSError: If the file cannot be written; the old content is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(text.encode("utf-8"))
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
