extensions = ["codediff", "myst_nb"]
nb_execution_mode = "off"
project = "Pages"
html_theme = "basic"
html_copy_source = False
myst_enable_extensions = ["colon_fence"]
show_warning_types = True  # not yet the default in Sphinx 7
codediff_environments = {"old": ["pydantic<2"], "new": ["pydantic>=2"]}
