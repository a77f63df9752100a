"""Writing files that belong to the extension alone."""

from __future__ import annotations

from pathlib import Path

from sphinx.errors import ExtensionError


def write_file(path: Path, text: str) -> None:
    """Write a text file such that readers see the old content or the new, never a part.

    Raises:
        ExtensionError: If the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.part")
        partial.write_bytes(text.encode("utf-8"))
        partial.replace(path)
    except OSError as error:
        raise ExtensionError(f"{path} cannot be written: {error.strerror}") from error
