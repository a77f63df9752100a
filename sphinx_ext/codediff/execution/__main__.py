"""Run this folder with any interpreter: ``python -P -I -S path/to/execution serve FD PATH ...``.

The folder is loaded as a package under a name of its own, whatever is installed beside it.
"""

import importlib.util
import sys
from pathlib import Path

if __name__ == "__main__":
    name, folder = "codediff_execution", Path(__file__).parent
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec
    sys.modules[name] = importlib.util.module_from_spec(spec)
    if sys.argv[1] == "serve":
        importlib.import_module(f"{name}.server").main(*sys.argv[2:])
    else:
        importlib.import_module(f"{name}.execute").execute_file(sys.argv[2])
