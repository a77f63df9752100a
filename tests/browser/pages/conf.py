extensions = ["codediff"]
project = "Pages"
html_copy_source = False
html_sidebars = {"**": []}
