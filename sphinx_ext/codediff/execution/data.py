from .run import Failure, Outcome, Piece, Program  # noqa: F401
