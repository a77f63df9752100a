"""The ``codediff`` directive: options and content in, doctree out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StateMachine
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound
from sphinx.locale import _
from sphinx.util.docutils import SphinxDirective

from . import sides
from .nodes import codediff
from .warn import warn

if TYPE_CHECKING:
    from sphinx.util.typing import OptionSpec

    Place = tuple[str, int] | tuple[None, None]

# Languages whose sides stock Sphinx can execute; the first four are Sphinx's own list.
PYTHON = frozenset({"py", "python", "py3", "python3", "default", "pycon", "pycon3"})


class CodeDiff(SphinxDirective):
    """Show versions of the same code next to each other and have each of them executed."""

    has_content = True
    option_spec: ClassVar[OptionSpec] = {
        "title": directives.unchanged,
        "title-left": directives.unchanged,
        "title-right": directives.unchanged,
        "sync": directives.flag,
        "groups": directives.unchanged,
        "skip-test": directives.unchanged,
        "code-sep": directives.unchanged,
        "caption": directives.unchanged,
        "name": directives.unchanged,
        "class": directives.unchanged,
        "language": directives.unchanged,
        "linenos": directives.flag,
        "lineno-start": directives.unchanged,
        # The older spelling, in use on published pages.
        "title_left": directives.unchanged,
        "title_right": directives.unchanged,
        "skip_test": directives.unchanged,
        "code_sep": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Return the block, followed by what docutils has to say about its titles."""
        messages: list[nodes.Node] = []
        titles: list[nodes.caption] = []
        for title in self._titles():
            caption, said = self._caption(title, "title")
            titles.append(caption)
            messages += said
        language = self._language()
        found, problems = sides.parse(
            list(self.content),
            titles=[title.astext() for title in titles],
            groups=sides.split_names(self._option("groups")),
            skip=sides.split_names(self._option("skip-test")),
            separator=self._option("code-sep") or sides.SEPARATOR,
            language="python" if language in PYTHON else language,
            fallback=_("Side {}"),
        )
        for problem in problems:
            warn(problem.kind, problem.message, self._place(problem.where))
        if not found:
            return messages
        block = codediff("", classes=["codediff"], sync="sync" in self.options)
        block.source, block.line = self.get_source_info()
        block["classes"] += self._classes()
        linenos = self._linenos()
        if "caption" in self.options:
            caption, said = self._caption(self._option("caption"), "caption")
            block += caption
            messages += said
        for number, side in enumerate(found):
            named = number < len(titles) and titles[number].children
            block += self._side(side, titles[number] if named else None, language, linenos)
        self.add_name(block)
        return [block, *messages]

    def _side(
        self,
        side: sides.Side,
        title: nodes.caption | None,
        language: str,
        linenos: dict[str, int] | None,
    ) -> nodes.container:
        """Return the side as a literal block that has a caption and that stock doctest runs."""
        code = nodes.literal_block(side.code, side.code, language=language, groups=[side.group])
        code.source, code.line = self._source_and_line(side.start)
        code["force"] = False
        code["highlight_args"] = dict(linenos or {})
        if linenos is not None:
            code["linenos"] = True
        if side.marked:
            code["highlight_args"]["hl_lines"] = list(side.marked)
        if side.skipped:
            code["skipped"] = True
        elif side.code and language in PYTHON:
            code["testnodetype"] = "doctest" if side.code.startswith(">>>") else "testcode"
            code["options"] = {}
        if title is None:
            title = nodes.caption(side.title, side.title)
            title.source, title.line = code.source, code.line
        return nodes.container(
            "", title, code, literal_block=True, classes=["literal-block-wrapper"]
        )

    def _titles(self) -> list[str]:
        """Return the titles as written, from either spelling."""
        if "title" in self.options:
            return sides.split_titles(self._option("title"))
        pair = [self._option(name) for name in ("title-left", "title-right")]
        return pair if any(pair) else []

    def _caption(self, text: str, option: str) -> tuple[nodes.caption, list[nodes.Node]]:
        """Parse inline markup into a caption that message catalogues find."""
        inline, messages = self.parse_inline(text)
        caption = nodes.caption(text, "", *inline)
        caption.source, caption.line = self._option_place(option)
        return caption, list(messages)

    def _language(self) -> str:
        """Return the language asked for, if Pygments has it, else the page's."""
        page = self.env.temp_data.get("highlight_language") or self.config.highlight_language
        language = self._option("language") or page
        if language not in PYTHON and language not in ("none", "guess", page):
            try:
                get_lexer_by_name(language)
            except ClassNotFound:
                message = f"Pygments has no lexer named {language!r}; using {page!r} instead"
                warn("language", message, self._place("language"))
                return str(page)
        return str(language)

    def _linenos(self) -> dict[str, int] | None:
        """Return the highlighter's arguments where lines are numbered, else None."""
        start = self._option("lineno-start")
        if not start:
            return {} if "linenos" in self.options or "lineno-start" in self.options else None
        try:
            return {"linenostart": int(start)}
        except ValueError:
            message = f"{start!r} is not a line number; write a whole number"
            warn("lineno-start", message, self._place("lineno-start"))
            return {}

    def _classes(self) -> list[str]:
        names = self._option("class").split()
        classes = [(name, nodes.make_id(name)) for name in names]
        for name, made in classes:
            if not made:
                message = f"{name!r} cannot be a class; begin it with a Latin letter"
                warn("class", message, self._place("class"))
        return [made for _name, made in classes if made]

    def _option(self, name: str) -> str:
        """Return an option's value, in either spelling and on one line; empty if not given."""
        value = self.options.get(name, self.options.get(name.replace("-", "_")))
        return " ".join((value or "").split())

    def _place(self, where: int | str) -> str:
        """Return ``file:line`` of a line of the content, or of an option."""
        source, line = (
            self._option_place(where) if isinstance(where, str) else self._source_and_line(where)
        )
        return f"{Path(source or self.env.doc2path(self.env.docname)).absolute()}:{line or ''}"

    def _source_and_line(self, index: int) -> Place:
        """Return the file and line of a line of the content; of the directive if negative."""
        if index < 0:
            return self._directive_line(0)
        if isinstance(self.state_machine, StateMachine):
            return self.state_machine.get_source_and_line(self.content_offset + index + 1)
        # A Markdown parser counts the content's offset from the opening fence.
        return self._directive_line(self.content_offset + index + 1)

    def _option_place(self, option: str) -> Place:
        """Return the file and line of an option, of the directive if it has none there."""
        name = re.sub("[-_]", "[-_]", option) + ("([-_](left|right))?" if option == "title" else "")
        lines = self.block_text.splitlines()
        for offset, line in enumerate(lines):
            if re.match(rf"\s*:?{name}:", line):
                return self._directive_line(offset)
        return self._directive_line(0)

    def _directive_line(self, offset: int) -> Place:
        """Return the file and line that is *offset* lines below the directive's first."""
        if isinstance(self.state_machine, StateMachine):
            return self.state_machine.get_source_and_line(self.lineno + offset)
        source, line = self.state_machine.get_source_and_line(self.lineno)
        return source, line + offset  # A stand-in of the Markdown parser: always known.
