from .run import statements  # noqa: F401
