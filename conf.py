"""How Sphinx builds the site in docs/."""

import os
import sys
from pathlib import Path

import nbformat
from myst_nb.sphinx_ext import add_global_html_resources

ROOT = Path(__file__).parent
sys.path[:0] = [str(ROOT / "sphinx_ext"), str(ROOT / "docs" / "_ext")]

from plain_notebook import make_plain  # noqa: E402

project = "Dropout in Flax"
version = "1"
author = "The sphinx-codediff authors"
project_copyright = "2026, The sphinx-codediff authors"

extensions = ["codediff", "myst_nb"]
# Blocks state what their code was executed with, once ``nox -s doctest`` has written its results.
codediff_environments = {"pydantic-1": ["pydantic<2"], "pydantic-2": ["pydantic>=2"]}
codediff_results = "_build/results.json"
exclude_patterns = ["codediff/examples", "tutorials/*.ipynb"]
nitpicky = True

# The tutorial is executed once and kept; a cell that fails fails the build.
nb_execution_mode = "cache"
# With the full data set it is another run, though the cells are the same.
data = os.environ.get("DROPOUT_MNIST", "shipped")
nb_execution_cache_path = str(ROOT / "_build" / "jupyter_cache" / data)
nb_execution_raise_on_error = True
nb_execution_timeout = 1800
# The number of pieces in which a cell's output arrives depends on timing.
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["docs/_static"]
templates_path = ["docs/_templates"]
html_favicon = "docs/_static/favicon.svg"
html_css_files = ["site.css"]
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_sidebars = {"**": ["home-link.html", "search-button-field.html", "sbt-sidebar-nav.html"]}
html_theme_options = {
    "home_page_in_toc": True,
    "navbar_persistent": [],
    "show_toc_level": 2,
    "use_fullscreen_button": False,
}

# If the address of the repository is known, such as https://github.com/OWNER/NAME, there are
# buttons to edit a page and to open a notebook on Binder and Colab. Colab opens no Markdown: the
# repository keeps a copy of the notebook, which a test compares with the page.
if repository := os.environ.get("REPOSITORY_URL"):
    html_theme_options |= {
        "repository_url": repository,
        "repository_branch": "main",
        "path_to_docs": "docs",
        "use_repository_button": True,
        "use_edit_page_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
            "notebook_interface": "jupyterlab",
        },
    }


def offer_notebook(app, pagename, _template, context, doctree):
    """Offer the notebook of a page at its download button, readable in plain Jupyter."""
    notebook = Path(app.outdir).parent / "jupyter_execute" / f"{pagename}.ipynb"
    if doctree and notebook.is_file() and app.builder.name == "html":
        target = Path(app.outdir) / "_sources" / f"{pagename}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        content = nbformat.read(notebook, as_version=4)
        make_plain(content, lambda name: app.env.titles[name].astext())
        nbformat.write(content, target)
        context["ipynb_source"] = f"{pagename}.ipynb"


def withdraw_notebook(app, _env, docname):
    """Remove the notebook of a page that is gone."""
    Path(app.outdir, "_sources", f"{docname}.ipynb").unlink(missing_ok=True)


def copy_style(app, _builder):
    """Have MyST-NB copy its style sheet before pages are written, which have its checksum."""
    if app.builder.format == "html":
        Path(app.outdir, "_static").mkdir(exist_ok=True)
        add_global_html_resources(app, None)


def setup(app):
    """Connect the handlers of this site."""
    app.connect("html-page-context", offer_notebook, priority=400)  # before the theme's buttons
    app.connect("env-purge-doc", withdraw_notebook)
    app.connect("write-started", copy_style)
