"""Warnings: each has a type that ``suppress_warnings`` knows, and the place of the mistake.

``codediff.separator``
    A block has titles but no separator, so that it has one side.

``codediff.titles``
    There are more titles than sides, fewer, or none. A side without a title is numbered.

``codediff.empty``
    A block or one of its sides has no code.

``codediff.groups``
    ``:groups:`` does not name one group a side; or two groups of one page differ only in case,
    spaces, hyphens or underscores, as *With dropout* and *With Dropout* do. Or a side is of the
    group ``*``, which stands for all groups of a page.

``codediff.testoutput``
    A ``testoutput`` follows no ``testcode`` or side of its group, or a second one follows the
    same, or a session, which has its own output. Nothing would compare it.

``codediff.skip_test``
    ``:skip-test:`` names a group that no side of the block belongs to.

``codediff.env``
    ``:env:`` has more names than there are sides, or a name that ``codediff_environments`` does
    not have; or two sides of one group are to run in two environments.

``codediff.raises``
    ``:raises:`` has more names than there are sides, or is for a side that is no plain Python;
    or the ``testoutput`` below shows another exception.

``codediff.programs``
    ``codediff-programs`` is on a page without sides that are executed.

``codediff.results``
    The file of results is cut short or of another version. No block is stamped.

``codediff.bidi``
    The code, a title or a caption has a character that readers cannot see, or that reorders what
    they see, so that it may be executed otherwise than it reads. Pages show a symbol in its
    place in code, which copying leaves out; on paper and as text, it is spelled out.

``codediff.output``
    A file of the output cannot be written or removed. The build fails in the end.

``codediff.marker``
    A ``#!`` stands alone on a line.

``codediff.language``
    Pygments has no lexer of this name. The language of the page is used.

``codediff.option``
    There is no option of this name, or it is given twice, lacks a value, or has no effect beside
    or without another one. The code of the block is shown as if it were not there.

``codediff.file``
    A file, or the part of it that is asked for, cannot be read; or the block has code of its own
    beside ``:file:``, and this code is shown.

``codediff.highlight``, ``codediff.view``
    The value is not one of those that there are. The default is used.

``codediff.link``
    A title or caption links to an address that could run a script, such as ``javascript:``. Its
    text is shown alone.

``codediff.context``
    The value is not a number of lines. Nothing is folded.

``codediff.lineno-start``
    The value is not a whole number. Lines are counted from 1.

``codediff.class``
    The value cannot be made into the name of a class.
"""

from __future__ import annotations

from docutils.nodes import Node
from sphinx.util import logging

logger = logging.getLogger(__name__)


def warn(kind: str, message: str, location: Node | tuple[str, int] | str) -> None:
    """Emit one warning of the type ``codediff.KIND``.

    Args:
        kind: The subtype, one of those the manual lists.
        message: What is wrong and how to mend it.
        location: A node, or ``"file:line"``; without a line, the colon tells it from a page's name.
    """
    logger.warning(message, type="codediff", subtype=kind, location=location)
