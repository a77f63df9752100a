"""Output and exceptions against what a page shows, by the rules of doctest."""

from __future__ import annotations

import doctest
import re
import traceback

HEADER = re.compile(r"^Traceback \((?:most recent call last|innermost last)\):\s*$", re.MULTILINE)


class _Checker(doctest.OutputChecker):
    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Compare; classes may be shown as under Sphinx's runner, where no module is ``__main__``.

        A program runs as the script that readers download would, so its classes are of
        ``__main__``, while those of a page under ``sphinx-build -b doctest`` are of ``builtins``.
        """
        spellings = (got, got.replace("__main__.", ""), got.replace("__main__.", "builtins."))
        return any(super(_Checker, self).check_output(want, one, optionflags) for one in spellings)


matches = _Checker().check_output
"""Whether output is as expected: ``matches(want, got, flags)``."""


def split_expected(want: str) -> tuple[str, str | None]:
    """Return the expected output, and name and message of the exception that ends it, if any."""
    header = HEADER.search(want)
    if not header:
        return want, None
    lines = want[header.end() + 1 :].split("\n")
    start = next((at for at, line in enumerate(lines) if re.match(r"\w", line)), None)
    return want[: header.start()], None if start is None else "\n".join(lines[start:])


def describe(error: BaseException) -> str:
    """Return an exception's name and message as the last lines of a traceback have them."""
    lines = traceback.TracebackException(type(error), error, None).format_exception_only()
    return list(lines)[-1] if isinstance(error, SyntaxError) else "".join(lines)


def raises_expected(error: BaseException, want: str, flags: int) -> bool:
    """Whether an exception is the one that a page shows; a base class is not.

    With doctest's flag IGNORE_EXCEPTION_DETAIL, its module and message do not matter.
    """
    got = describe(error)
    if matches(want, got, flags):
        return True
    return bool(flags & doctest.IGNORE_EXCEPTION_DETAIL) and _name(want) == _name(got)


def _name(description: str) -> str:
    return description.split("\n")[0].partition(":")[0].rpartition(".")[2].strip()


def first_difference(want: str, got: str, flags: int) -> int:
    """Return the index of the first line of *want* that *got* lacks, or else their number."""
    lines = want.splitlines(keepends=True)
    flags |= doctest.ELLIPSIS
    for number in range(len(lines), 0, -1):
        if matches("".join([*lines[:number], "...\n"]), got, flags):
            return number
    return 0
