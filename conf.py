"""How Sphinx builds the site in docs/."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT / "sphinx_ext"))

project = "Dropout in Flax"
version = "1"
author = "The sphinx-codediff authors"
project_copyright = "2026, The sphinx-codediff authors"

extensions = ["codediff", "myst_nb"]
# Blocks say with what their code was executed, once ``nox -s doctest`` has left its results.
codediff_environments = {"pydantic-1": ["pydantic<2"], "pydantic-2": ["pydantic>=2"]}
codediff_results = "_build/results.json"
exclude_patterns = ["codediff/examples"]
nitpicky = True

# The tutorial is executed once and kept; a cell that fails fails the build.
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "_build" / "jupyter_cache")
nb_execution_raise_on_error = True
nb_execution_timeout = 300
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["docs/_static"]
templates_path = ["docs/_templates"]
html_favicon = "docs/_static/favicon.svg"
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_sidebars = {"**": ["home-link.html", "search-button-field.html", "sbt-sidebar-nav.html"]}
html_theme_options = {
    "home_page_in_toc": True,
    "navbar_persistent": [],
    "show_toc_level": 2,
    "use_fullscreen_button": False,
}
