import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

extensions = [
    *("codediff", "myst_nb", "sphinx.ext.autodoc", "sphinx.ext.ifconfig", "sphinx.ext.napoleon"),
    *("sphinx_codeautolink", "sphinx_copybutton", "sphinx_design", "sphinx_tabs.tabs"),
    "sphinx_togglebutton",
]
project = "Neighbours"
html_theme = "alabaster"
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence"]
show_warning_types = True  # not yet the default in Sphinx 7
# Of names with a part that is marked as changed.
suppress_warnings = ["codeautolink.match_name"]
