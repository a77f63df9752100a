"""Run this folder with any interpreter, whatever is installed beside it.

``python -P -I -S path/to/execution serve FD [PATH ...]`` or ``… execute FILE [PATH ...]``; the
paths are put before ``sys.path``.
"""

import importlib.util
import json
import sys
from pathlib import Path

if __name__ == "__main__":
    name, folder = "codediff_execution", Path(__file__).parent
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec
    sys.modules[name] = importlib.util.module_from_spec(spec)
    _script, action, argument, *path = sys.argv
    server, execute = (importlib.import_module(f"{name}.{one}") for one in ("server", "execute"))
    sys.path[:0] = path  # only now: modules there must not shadow those imported above
    if action == "serve":
        server.serve(argument)
    execute.execute(json.loads(Path(argument).read_text("utf-8")))
