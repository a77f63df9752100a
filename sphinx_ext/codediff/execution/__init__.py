"""Programs in, outcomes out: the standard library is all that is needed.

An interpreter that has nothing installed runs this folder as a script (see ``__main__.py``), so
no module here imports anything but the standard library and its own siblings.
"""
