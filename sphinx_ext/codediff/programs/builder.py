"""The builder ``codediff-programs``, which writes the programs of all pages as JSON."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.builders.dummy import DummyBuilder
from sphinx.util.logging import NAMESPACE, get_node_location, is_suppressed_warning

from .collect import collect_page, results_file
from .results import write_file

_PATH = [*sys.path]  # before conf.py changes it, if pytest started Sphinx
# How docutils and MyST-Parser begin to report mistakes in options and in names of directives.
_PARSER_ERROR = re.compile(
    """Error in "(codediff|(doc)?test)|'(codediff|test)|Unknown directive type:? .(code-?d|test)"""
)


class ProgramsBuilder(DummyBuilder):
    """Writes ``programs.json``; notebooks are not executed for it."""

    name = "codediff-programs"
    epilog = ""
    allow_parallel = False  # pages are collected in this process

    def init(self) -> None:
        """Record warnings, and keep MyST-NB from executing notebooks."""
        recorder = logging.Handler(logging.WARNING)
        recorder.emit = self.record  # type: ignore[method-assign]
        logging.getLogger(NAMESPACE).addHandler(recorder)
        if "nb_execution_mode" in self.config:
            self.config.nb_execution_mode = "off"
            self.config.suppress_warnings = [*self.config.suppress_warnings, "myst-nb.lexer"]

    def get_outdated_docs(self) -> set[str]:
        """Return the pages whose programs are not known from an earlier run, or may differ."""
        self.path = Path(self.outdir, "programs.json")
        self.pages: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            data = json.loads(self.path.read_text("utf-8"))
            self.pages = {page["docname"]: page for page in data["pages"]}
        read = self.env.all_docs.items()  # with the time when each was read
        return {name for name, time in read if self.pages.get(name, {}).get("time") != time}

    def write_doc(self, docname: str, doctree: nodes.document) -> None:
        """Collect the programs of a page; conditions in it are evaluated in each run."""
        is_conditional = any("skipif" in node for node in doctree.findall(nodes.Element))
        self.pages[docname] = {
            **asdict(collect_page(self.env, docname, skip=True)),
            "warnings": self.env.metadata[docname].get("codediff_warnings", []),
            "time": None if is_conditional else self.env.all_docs[docname],
        }

    def record(self, record: Any) -> None:
        """Keep a warning about a block with the page, until that is read again."""
        text = " ".join(logging.LogRecord.getMessage(record).split("\n")[:2])
        kind, subtype = getattr(record, "type", ""), getattr(record, "subtype", "")
        is_suppressed = is_suppressed_warning(kind, subtype, self.config.suppress_warnings)
        docname = self.env.temp_data.get("docname")  # none when Sphinx emits all a second time
        if docname and not is_suppressed and (kind == "codediff" or _PARSER_ERROR.match(text)):
            location = getattr(record, "location", "")
            if isinstance(location, nodes.Node):
                location = get_node_location(location)
            elif isinstance(location, tuple):
                location = f"{self.env.doc2path(docname)}:{location[1]}"
            warnings = self.env.metadata[docname].setdefault("codediff_warnings", [])
            warnings.append((location, f"{kind}.{subtype}".strip("."), text))

    def finish(self) -> None:
        """Write the programs of all pages, including those that have not changed."""
        results = results_file(self.config, self.confdir)
        data = {
            "environments": self.config.codediff_environments,
            "path": [*self.config.doctest_path, *(one for one in sys.path if one not in _PATH)],
            "results": results and str(results),
            "pages": [self.pages[name] for name in sorted(self.env.found_docs & {*self.pages})],
        }
        write_file(self.path, json.dumps(data, ensure_ascii=False))
