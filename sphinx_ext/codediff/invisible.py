"""Characters in code that readers cannot see, or that reorder what they see.

Such code may be executed otherwise than it reads (CVE-2021-42574). Which characters these are
follows Unicode's properties ``Bidi_Control`` and ``Default_Ignorable_Code_Point``, and control
characters. Those that belong to what is written are left alone: joiners between letters or
emoji, and selectors of a variant after what has variants.

Letters that are written from right to left can be seen; they are kept from reordering the code
around them.

Pure: knows neither Sphinx nor docutils.
"""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = re.compile(
    r"[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b"
    r"\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
    r"|(?<![\u0300-\u1fff\u2070-\U000dffff])[\u200c\u200d]"
    r"|[\u200c\u200d](?![\u0300-\u1fff\u2070-\U000dffff])"
    r"|(?<![#*0-9\xa9\xae\u0300-\u1fff\u2070-\ufdff\ufe10-\U000dffff])[\ufe00-\ufe0f]"
    r"|(?<![\u3400-\u9fff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
)
_RIGHT_TO_LEFT = re.compile(
    r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
REPLACEMENT = "\ufffd"
"""For what neither docutils nor HTML can have, as in CommonMark."""


def name(character: str) -> str:
    """Return the code point, such as ``U+202E``."""
    return f"U+{ord(character):04X}"


def explain(text: str, subject: str = "the code") -> str:
    """Return what an author should know of a line; empty if all of it can be seen."""
    found = dict.fromkeys(text[position] for position in unseen(text))
    if not found:
        return ""
    listed = ", ".join(f"{name(one)} {unicodedata.name(one, '')}".strip() for one in found)
    escape = ascii(next(iter(found)))[1:-1]
    return f"{subject} has {listed}, which cannot be seen; write an escape such as {escape}"


def unseen(line: str) -> list[int]:
    """Return the positions of characters in a line that cannot be seen."""
    if is_plain(line):
        return []
    return [match.start() for match in _INVISIBLE.finditer(line)]


def is_plain(text: str) -> bool:
    """Tell quickly, for nearly all code, that there is nothing to be found in a line."""
    return text.isascii() and text.isprintable()


def show(character: str) -> str:
    """Return HTML in which a style sheet can show what else could not be seen.

    The character is isolated, so that it reorders nothing, and stays where it is.
    """
    return f'<bdi data-character="{name(character)}">{character}</bdi>'


def spell_out(text: str) -> str:
    """Return a text with escapes, as Python has them, for what could not be seen."""
    return _INVISIBLE.sub(lambda match: ascii(match[0])[1:-1], text)


def keep_in_order(html: str) -> str:
    """Return escaped code that reorders nothing around it."""
    if html.isascii() or not _RIGHT_TO_LEFT.search(html):
        return html
    return f'<bdi dir="ltr">{html}</bdi>'
