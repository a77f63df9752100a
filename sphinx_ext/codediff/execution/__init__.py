"""Programs in, outcomes out; imports the standard library and its own modules alone.

Any interpreter runs this folder as it is (see ``__main__.py``).
"""
