"""Having Sphinx read the pages of a site, in a process of its own, and return their programs.

Pure: imports neither Sphinx nor pytest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


class ReadingError(Exception):
    """The pages cannot be read; the message says why."""


def source_folder(first: Path) -> Path:
    """Return the outermost folder with an index around the first page or folder to be tested."""
    folder = first if first.is_dir() else first.parent
    top = conf_folder(folder) or folder
    between = [one for one in (folder, *folder.parents) if one.is_relative_to(top)]
    return [folder, *(one for one in between if any(one.glob("index.*")))][-1]


def conf_folder(folder: Path) -> Path | None:
    """Return the nearest folder, from this one upwards, that has a ``conf.py``."""
    return next((one for one in (folder, *folder.parents) if (one / "conf.py").is_file()), None)


def read_pages(source: Path, cache: Path, *, root: Path, arguments: list[Path]) -> dict[str, Any]:
    """Return what the builder ``codediff-programs`` writes, with its pages by relative path.

    The folder of ``conf.py`` is added as ``conf``.

    Args:
        source: Folder of the pages.
        cache: Folder for doctrees, so that only pages that changed are read, and ``programs.json``.
        root: Folder that paths are made relative to, as other hosts may have it elsewhere.
        arguments: The pages and folders that are to be tested.

    Raises:
        ReadingError: If there is no ``conf.py``, more than one site, or Sphinx fails.
    """
    conf = conf_folder(source)
    if conf is None:
        raise ReadingError(f"there is no conf.py in {source} or above it")
    for other in map(conf_folder, arguments):
        if other and any(other.glob("index.*")) and other.resolve() != conf.resolve():
            raise ReadingError(f"{other} is another site; run pytest once for each")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "codediff-programs", "-c", str(conf)]
    command += ["-d", str(cache / "doctrees"), str(source), str(cache)]
    path = filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")])
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(path)}
    sphinx = subprocess.run(command, env=environ, stderr=subprocess.PIPE, text=True, check=False)
    if sphinx.returncode:
        raise ReadingError(f"Sphinx could not read {source}:\n{sphinx.stderr}")
    sys.stderr.write(sphinx.stderr)
    data: dict[str, Any] = json.loads((cache / "programs.json").read_text("utf-8"))
    for page in data["pages"]:
        for piece in (piece for program in page["programs"] for piece in program["pieces"]):
            for name in ("file", "output_file"):
                if Path(piece[name]).is_absolute():
                    piece[name] = relative(piece[name], root)
    data["conf"] = os.path.relpath(os.path.realpath(conf), os.path.realpath(root))
    return data | {"pages": {relative(page["path"], root): page for page in data["pages"]}}


def relative(path: str | Path, root: Path) -> str:
    """Return a path relative to a folder, with links to folders resolved, as Sphinx does."""
    folder = os.path.relpath(os.path.realpath(Path(path).parent), os.path.realpath(root))
    return str(Path(folder, Path(path).name))
