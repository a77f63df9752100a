"""Characters in code that readers cannot see, or that reorder what they see.

Such code may be executed otherwise than it reads (CVE-2021-42574). Which characters these are
follows Unicode's properties ``Bidi_Control`` and ``Default_Ignorable_Code_Point``, and control
characters. Left alone are those that writing needs and that no name in code can have: in emoji, and
joiners after letters of scripts that join.

Letters that are written from right to left can be seen; they are kept from reordering the code
around them.

Pure: knows neither Sphinx nor docutils.
"""

from __future__ import annotations

import re
import unicodedata

_EMOJI = (
    r"[\xa9\xae\u203c\u2049\u2122\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934-\u2b55"
    r"\u3030\u303d\u3297\u3299\U0001f000-\U0001faff][\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]?"
)
_NEEDED = (
    # The flags of England, Scotland and Wales; in others, any text could hide.
    r"\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067"
    r"|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
    rf"|{_EMOJI}(?:\u200d{_EMOJI})*"
    r"|[#*0-9]\ufe0f\u20e3"
    r"|[\u0600-\u109f\u1780-\u18aa\ufb50-\ufdff\ufe70-\ufefc][\u200c\u200d]"
)
_HIDDEN = (
    r"[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_PARTS = re.compile(f"(?P<needed>{_NEEDED})|{_HIDDEN}")
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
    return [match.start() for match in _PARTS.finditer(line) if not match["needed"]]


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
    return _PARTS.sub(lambda match: match["needed"] or ascii(match[0])[1:-1], text)


def keep_in_order(html: str) -> str:
    """Return escaped code that reorders nothing around it."""
    if html.isascii() or not _RIGHT_TO_LEFT.search(html):
        return html
    return f'<bdi dir="ltr">{html}</bdi>'
