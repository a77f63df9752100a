extensions = ["codediff", "myst_nb"]
nb_execution_mode = "off"
project = "Corpus"
html_theme = "basic"
html_copy_source = False
show_warning_types = True  # not yet the default in Sphinx 7
