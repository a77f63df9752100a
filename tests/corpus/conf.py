extensions = ["codediff", "myst_nb", "sphinx.ext.extlinks"]
extlinks = {"risky": ("javascript:hit(%s)", "x%s"), "mine": ("tel:%s", "call %s")}
nb_execution_mode = "off"
project = "Corpus"
html_theme = "basic"
html_copy_source = False
show_warning_types = True  # not yet the default in Sphinx 7
