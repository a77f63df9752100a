"""Stock doctest, followed by an account of which sides ran."""

from __future__ import annotations

import doctest
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.ext.doctest import DocTestBuilder
from sphinx.util import logging

from .nodes import codediff, sides

logger = logging.getLogger(__name__)


class AccountBuilder(DocTestBuilder):
    """The doctest builder, which fails if a side neither ran nor is skipped by name."""

    name = "codediff"
    epilog = ""

    def init(self) -> None:
        """Start with nothing executed."""
        super().init()
        self.blocks = self.ran_sides = 0
        self.skipped_sides: list[str] = []
        self.missed_sides: list[str] = []
        self.executed: defaultdict[str, set[str]] = defaultdict(set)

    def compile(self, code: str, name: str, type: str, flags: Any, dont_inherit: bool) -> Any:  # noqa: A002
        """Note what is about to be executed; doctest calls the code ``<doctest GROUP[0]>``."""
        group = name.removeprefix("<doctest ").rpartition("[")[0]
        self.executed[group].add(code)
        return super().compile(code, name, type, flags, dont_inherit)

    def test_doc(self, docname: str, doctree: nodes.Node) -> bool:
        """Execute a page, then look for each of its sides in what was executed."""
        self.executed.clear()
        success = super().test_doc(docname, doctree)
        for block in doctree.findall(codediff):
            self.blocks += 1
            for _side, title, code in sides(block):
                file = self.get_filename_for_node(code, docname)
                place = f"{file}:{code.line} {title.astext()!r}"
                if code.get("skipped"):
                    self.skipped_sides.append(place)
                elif self._ran(code):
                    self.ran_sides += 1
                else:
                    self.missed_sides.append(place)
        return success

    def _ran(self, code: nodes.literal_block) -> bool:
        executed = self.executed[code["groups"][0]]
        sources = list(_sources(code))
        return bool(sources) and executed.issuperset(sources)

    def finish(self) -> None:
        """Fail, by name, for sides that neither ran nor are skipped."""
        super().finish()
        for place in self.missed_sides:
            logger.error("%s neither ran nor is named in ':skip-test:'", place)
        if self.missed_sides:
            (getattr(self, "_app", None) or self.app).statuscode = 1  # named so before Sphinx 8.2

    def cleanup(self) -> None:
        """Say how many sides ran, as the last thing of all."""
        total = self.ran_sides + len(self.skipped_sides) + len(self.missed_sides)
        skipped = f" ({', '.join(self.skipped_sides)})" if self.skipped_sides else ""
        missed = f", {len(self.missed_sides)} did not run" if self.missed_sides else ""
        logger.info(
            f"codediff: {self.blocks} blocks, {total} sides: {self.ran_sides} ran, "
            f"{len(self.skipped_sides)} skipped by name{skipped}{missed}"
        )


def _sources(code: nodes.literal_block) -> Iterator[str]:
    """Yield the pieces that doctest compiles for a side, none if it is not executed."""
    kind, text = code.get("testnodetype"), code.astext()
    if kind == "testcode":
        yield text + "\n"
    elif kind == "doctest":
        for example in doctest.DocTestParser().get_examples(text):
            if not example.options.get(doctest.SKIP):
                yield example.source
            else:
                yield "skipped by its own flag"
