from .run import skips  # noqa: F401
