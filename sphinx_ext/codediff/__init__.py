"""Two versions of code side by side in Sphinx, and both of them executed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__version__ = "0.1.0"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    # Here, since pytest loads the package for its plugin and has no use for Sphinx.
    from sphinx.config import ENUM

    from .directive import groups, nodes
    from .directive.codediff import CodeDiff, CodeDiffDefaults
    from .directive.options import HIGHLIGHTS
    from .programs import builder, collect, downloads, stamp
    from .rendering import html, outputs, plain

    app.setup_extension("sphinx.ext.doctest")
    app.add_directive("codediff", CodeDiff)
    app.add_directive("codediff-defaults", CodeDiffDefaults)
    app.add_directive("codediff-programs", downloads.CodeDiffPrograms)
    app.add_config_value("codediff_highlight", None, "env", types=ENUM(None, *HIGHLIGHTS))
    app.add_config_value("codediff_environments", {}, "env", types=(dict,))
    app.add_config_value("codediff_results", None, "html", types=(str,))
    app.add_enumerable_node(  # with a caption, it has a number under ``numfig``
        nodes.codediff,
        "code-block",
        html=(html.visit, plain.depart),
        latex=(plain.visit_latex, plain.depart),
        text=(plain.visit_text, plain.depart),
        man=(plain.visit_text, plain.depart),
        texinfo=(plain.visit, plain.depart),
    )
    app.add_message_catalog("codediff", str(html.CATALOGUES))
    app.add_builder(builder.ProgramsBuilder)
    app.connect("config-inited", collect.check_environments)
    app.connect("doctree-read", groups.resolve, priority=480)
    app.connect("doctree-read", nodes.add_labels)
    app.connect("doctree-read", stamp.note_page)
    app.connect("doctree-resolved", downloads.resolve)
    app.connect("doctree-resolved", stamp.add_stamps)
    app.connect("doctree-resolved", outputs.place)
    app.connect("env-get-outdated", collect.pages_to_read)
    app.connect("env-updated", stamp.pages_to_write)
    app.connect("write-started", html.add_static_path)
    app.connect("html-page-context", html.add_assets)
    return {
        "version": __version__,
        "env_version": 4,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
