from .run import Runner  # noqa: F401
