"""What sphinx-codeautolink needs to link names inside sides.

It looks for names in the HTML of pages, as Pygments writes them, once all pages are written:
until then, nothing may stand between tokens or inside of them.
"""

from __future__ import annotations

import re
from html import escape, unescape
from itertools import groupby
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from .leftovers import writing

# A line with words noted: what is before the note, a tag, ranges, what is after it, the code.
_NOTED = re.compile(r'(<[^<>]*) data-words="(ins|del) ([-\d ]+)"([^<>]*>)(.*)')
_PARTS = re.compile("(<[^>]*>)|([^<]+)")


def awaits_links(config: Config, builder: str) -> bool:
    """Whether sphinx-codeautolink will look for names in what Pygments writes.

    Nothing may stand between tokens then.
    """
    return "codeautolink_concat_default" in config and builder in ("html", "dirhtml")


def mark_pages(app: Sphinx, exception: Exception | None) -> None:
    """Mark the words that differ, on pages in which sphinx-codeautolink has linked names."""
    if exception or not awaits_links(app.config, app.builder.name):
        return
    for docname in app.env.found_docs:
        path = Path(app.builder.get_outfilename(docname))  # type: ignore[attr-defined]
        if not path.is_file():  # others were named to Sphinx
            continue
        with writing(app, path):
            text = path.read_text("utf-8")
            marked = _NOTED.sub(_mark, text)
            if marked != text:
                path.write_text(marked, "utf-8")


def _mark(noted: re.Match[str]) -> str:
    """Return a line with the words marked that are noted on it, whatever elements it has."""
    before, tag, pairs, after, line = noted.groups()
    ranges = [range(*map(int, pair.split("-"))) for pair in pairs.split()]
    written, position = [before, after], 0
    for element, text in _PARTS.findall(line):
        written.append(element)
        numbered = enumerate(unescape(text), position)
        for differs, run in groupby(numbered, lambda one: any(one[0] in words for words in ranges)):
            positions, characters = zip(*run, strict=True)
            position = positions[-1] + 1
            word = escape("".join(characters), quote=False)
            written.append(f"<{tag}>{word}</{tag}>" if differs else word)
    return "".join(written)
