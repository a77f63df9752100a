"""The builder ``codediff-programs``, which writes the programs of all pages as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from sphinx.builders.dummy import DummyBuilder
from sphinx.errors import ExtensionError

from .collect import collect_page, results_file
from .files import write_file


class ProgramsBuilder(DummyBuilder):
    """Writes ``programs.json``; notebooks are not executed for it."""

    name = "codediff-programs"
    epilog = ""

    def init(self) -> None:
        """Keep MyST-NB from executing notebooks."""
        super().init()
        if "nb_execution_mode" in self.config:
            self.config.nb_execution_mode = "off"
            self.config.suppress_warnings = [*self.config.suppress_warnings, "myst-nb.lexer"]

    def finish(self) -> None:
        """Write the programs of all pages, including those that have not changed.

        Raises:
            ExtensionError: If the file cannot be written.
        """
        docnames = sorted(self.env.found_docs)
        results = results_file(self.config, self.confdir)
        data = {
            "environments": self.config.codediff_environments,
            "path": [*self.config.doctest_path, *sys.path],
            "results": results and str(results),
            "pages": [asdict(collect_page(self.env, name, skip=True)) for name in docnames],
        }
        path = Path(self.outdir, "programs.json")
        try:
            write_file(path, json.dumps(data, ensure_ascii=False))
        except OSError as error:
            raise ExtensionError(f"{path} cannot be written: {error.strerror}") from error
