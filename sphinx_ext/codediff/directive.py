"""The ``codediff`` directive: options and content in, doctree out."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StateMachine
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound
from sphinx.directives.code import LiteralIncludeReader
from sphinx.locale import _
from sphinx.util.docutils import SphinxDirective

from . import sides
from .nodes import codediff
from .warn import warn

Place = tuple[str, int] | tuple[None, None]

# Languages whose sides stock Sphinx can execute; the first four are Sphinx's own list.
PYTHON = frozenset({"py", "python", "py3", "python3", "default", "pycon", "pycon3"})

TITLES = ("title", "title-left", "title-right")
# Options are spelled with hyphens; published pages have underscores in some of them.
OPTIONS = (
    *TITLES,
    *("sync", "groups", "skip-test", "code-sep", "caption", "name", "class", "language"),
    *("linenos", "lineno-start", "highlight", "view", "context"),
    *("file", "lines", "start-after", "end-before", "pyobject", "dedent"),
)
HIGHLIGHTS = ("markers", "changes", "both", "none")
VIEWS = {"side-by-side": "", "unified": "unified"}


class CodeDiff(SphinxDirective):
    """Show versions of the same code next to each other and have each of them executed."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the block, followed by what docutils has to say about its titles."""
        content = list(self.content)
        self.given, start, problems = sides.read_options(content, OPTIONS)
        messages: list[nodes.Node] = []
        titles: list[nodes.caption] = []
        for title in self._titles():
            caption, said = self._caption(title, "title")
            titles.append(caption)
            messages += said
        language = self._language()
        self.origins: list[Place] = []
        self.unread: list[str] = []
        parts = self._read_files(content[start:]) or sides.split(
            content, self._option("code-sep") or sides.SEPARATOR, start
        )
        found, mistakes = sides.parse(
            parts,
            titles=[title.astext() for title in titles],
            groups=sides.split_names(self._option("groups")),
            skip=sides.split_names(self._option("skip-test")),
            language="python" if language in PYTHON else language,
            fallback=_("Side {}"),
        )
        for problem in [*problems, *mistakes]:
            where = problem.where
            if self.origins and problem in mistakes and isinstance(where, int):
                if problem.kind == "empty" and self.unread:
                    continue  # has been said
                where = "file"
            warn(problem.kind, problem.message, self._place(where))
        if not found:
            return messages
        block = codediff("", classes=["codediff", *self._classes()], sync="sync" in self.given)
        block.source, block.line = self.get_source_info()
        self._add_looks(block, [side.title for side in found])
        linenos = self._linenos()
        if "caption" in self.given:
            caption, said = self._caption(self._option("caption"), "caption")
            block += caption
            messages += said
        for number, side in enumerate(found):
            named = number < len(titles) and titles[number].children
            place = self.origins[number] if self.origins else self._source_and_line(side.start)
            block += self._side(side, titles[number] if named else None, language, linenos, place)
        self.options = {"name": self._option("name")} if "name" in self.given else {}
        self.add_name(block)
        return [block, *messages]

    def _side(
        self,
        side: sides.Side,
        title: nodes.caption | None,
        language: str,
        linenos: dict[str, int] | None,
        place: Place,
    ) -> nodes.container:
        """Return the side as a literal block that has a caption and that stock doctest runs."""
        code = nodes.literal_block(side.code, side.code, language=language, groups=[side.group])
        code.source, code.line = place
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

    def _add_looks(self, block: codediff, titles: list[str]) -> None:
        """Put on the block how it is to be shown at first."""
        if mode := self._choice("highlight", HIGHLIGHTS):
            block["highlight"] = mode
        if view := self._choice("view", [*VIEWS, *titles]):
            block["view"] = VIEWS.get(view, str(titles.index(view)) if view in titles else "")
        if context := self._option("context"):
            if context.isdecimal():
                block["context"] = int(context)
            else:
                message = f"{context!r} is not a number of lines; write 0 or a whole number above"
                warn("context", message, self._place("context"))

    def _choice(self, option: str, allowed: Collection[str]) -> str:
        """Return an option's value if it is one of those allowed, else nothing."""
        value = self._option(option)
        if value and value not in allowed:
            message = f"{value!r} is not one of {', '.join(map(repr, allowed))}"
            warn(option, message, self._place(option))
            return ""
        return value

    def _read_files(self, content: list[str]) -> list[sides.Part]:
        """Return the sides that ``:file:`` names, and remember where they come from."""
        paths = sides.split_titles(self._option("file")) if self._option("file") else []
        if paths and any(line.strip() for line in content):
            message = "the block has code of its own; drop it, or drop ':file:'"
            warn("file", message, self._place("file"))
            return []
        objects = sides.split_titles(self._option("pyobject"))
        parts = []
        for number, path in enumerate(paths):
            relative, absolute = self.env.relfn2path(path)
            self.env.note_dependency(relative)
            pyobject = objects[number] if len(objects) == len(paths) else self._option("pyobject")
            text, line = self._read_file(absolute, path, pyobject)
            part = sides.Part(0, text.splitlines())
            skipped = next((i for i, text in enumerate(part.lines) if text.strip()), 0)
            self.origins.append((absolute, line + skipped))
            parts.append(part)
        return parts

    def _read_file(self, absolute: str, path: str, pyobject: str) -> tuple[str, int]:
        """Return what ``literalinclude`` would show of a file, and the line where it begins."""
        location = self.env.docname, self._source_and_line("dedent")[1] or self.lineno
        options: dict[str, Any] = {
            name: self._option(name)
            for name in ("lines", "start-after", "end-before")
            if self._option(name)
        }
        if pyobject:
            options["pyobject"] = pyobject
        try:
            if "dedent" in self.given:
                options["dedent"] = int(self._option("dedent")) if self._option("dedent") else None
            if "," not in options.get("lines", ""):
                options["lineno-match"] = True  # only for lines that follow each other
            reader = LiteralIncludeReader(absolute, options, self.config)
            return reader.read(location)[0], reader.lineno_start
        except (OSError, ValueError) as error:
            message = f"cannot show {path!r}: {error}"
            warn("file", message, self._place("file"))
            self.unread.append(path)
        return "", 1

    def _titles(self) -> list[str]:
        """Return the titles as written, from either spelling."""
        if "title" in self.given:
            return sides.split_titles(self._option("title"))
        pair = [self._option(name) for name in ("title-left", "title-right")]
        return pair if any(pair) else []

    def _caption(self, text: str, option: str) -> tuple[nodes.caption, list[nodes.Node]]:
        """Parse inline markup into a caption that message catalogues find."""
        inline, messages = self.parse_inline(text)
        caption = nodes.caption(text, "", *inline)
        caption.source, caption.line = self._source_and_line(option)
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
            return {} if "linenos" in self.given or "lineno-start" in self.given else None
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
        """Return an option's value; empty if it was not given."""
        return self.given[name].value if name in self.given else ""

    def _place(self, where: int | str) -> str:
        """Return ``file:line`` of a line of the content, or of an option."""
        source, line = self._source_and_line(where)
        source = source or str(self.env.doc2path(self.env.docname))
        return f"{Path(source).absolute()}:{line or ''}"

    def _source_and_line(self, where: int | str) -> Place:
        """Return the file and line of a line of the content, or of an option.

        A negative line, and an option that was not given, stand for the directive itself.
        """
        if isinstance(where, str):
            if where == "title":
                where = next((name for name in TITLES if name in self.given), where)
            where = self.given[where].line if where in self.given else -1
        in_rst = isinstance(self.state_machine, StateMachine)
        line = self.lineno if where < 0 else self.content_offset + where + 1
        if where >= 0 and not in_rst:
            line += self.lineno  # A Markdown parser counts from the opening fence.
        return self.state_machine.get_source_and_line(line)
