"""Having Sphinx read the pages of a site, in a process of its own, and return their programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .results import relative


def read_pages(config: pytest.Config, cache: Path) -> dict[str, Any]:
    """Return what the builder ``codediff-programs`` writes, with its pages by relative path.

    Args:
        config: pytest's configuration.
        cache: Folder for doctrees, so that only pages that changed are read, and ``programs.json``.

    Raises:
        ValueError: If Sphinx fails, or a setting has a wrong value.
    """
    root, limit, cwd = config.rootpath, *map(config.getini, ("codediff_timeout", "codediff_cwd"))
    if not limit.replace(".", "", 1).isdecimal():
        raise ValueError("codediff_timeout has to be a number of seconds, or 0")
    if not (root / cwd).is_dir():
        raise ValueError(f"codediff_cwd: there is no folder {cwd!r}")
    arguments = [config.invocation_params.dir / str(one).partition("::")[0] for one in config.args]
    named: str = config.getini("codediff_source")
    source = root / named if named else _source_folder(arguments[0].resolve())
    conf = _conf_folder(source)
    if conf is None:
        raise ValueError(f"there is no conf.py in {source} or above it")
    for other in map(_conf_folder, arguments):
        if other and any(other.glob("index.*")) and other.resolve() != conf.resolve():
            raise ValueError(f"{other} is another site; run pytest once for each")
    # Import the builder before conf.py is executed, so that it records the initial ``sys.path``.
    code = "from codediff.programs import builder; from sphinx.cmd.build import main; exit(main())"
    command = [sys.executable, "-P", "-c", code, "-q", "-b", "codediff-programs", "-c", str(conf)]
    command += ["-d", str(cache / "doctrees"), str(source), str(cache)]
    path = filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")])
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(path)}
    sphinx = subprocess.run(command, env=environ, stderr=subprocess.PIPE, text=True, check=False)
    if sphinx.returncode:
        raise ValueError(f"Sphinx could not read {source}:\n{sphinx.stderr}")
    sys.stderr.write(sphinx.stderr)
    data: dict[str, Any] = json.loads((cache / "programs.json").read_text("utf-8"))
    # Other hosts may have the pages elsewhere.
    for page in data["pages"]:
        for piece in (piece for program in page["programs"] for piece in program["pieces"]):
            for name in ("file", "output_file"):
                if Path(piece[name]).is_absolute():
                    piece[name] = relative(piece[name], root)
    data["conf"] = os.path.relpath(os.path.realpath(conf), os.path.realpath(root))
    data["pages"] = {relative(page["path"], root): page for page in data["pages"]}
    return data


def _source_folder(first: Path) -> Path:
    """Return the outermost folder with an index around the first page or folder to be tested."""
    folder = first if first.is_dir() else first.parent
    top = _conf_folder(folder) or folder
    between = [one for one in (folder, *folder.parents) if one.is_relative_to(top)]
    return [folder, *(one for one in between if any(one.glob("index.*")))][-1]


def _conf_folder(folder: Path) -> Path | None:
    """Return the nearest folder, from this one upwards, that has a ``conf.py``."""
    return next((one for one in (folder, *folder.parents) if (one / "conf.py").is_file()), None)
