"""The ``codediff`` directive: options and content in, doctree out."""

from __future__ import annotations

from doctest import IGNORE_EXCEPTION_DETAIL
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StateMachine
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.util import ClassNotFound
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective

from . import sides
from .files import read_files
from .invisible import explain
from .nodes import codediff
from .nodes import sides as sides_of
from .options import OPTIONS, complete
from .warn import warn

_ = get_translation("codediff")

# Languages whose sides stock Sphinx can execute; the first four are Sphinx's own list.
PYTHON = frozenset({"py", "python", "py3", "python3", "default", "pycon", "pycon3"})
VIEWS = {"side-by-side": "", "unified": "unified"}


class CodeDiff(SphinxDirective):
    """Show versions of the same code next to each other and have each of them executed."""

    has_content = True
    option_spec = OPTIONS

    def run(self) -> list[nodes.Node]:
        """Return the block, its expected exceptions, and docutils' messages about its titles."""
        self.options = complete(self.options, self.env)
        self.messages: list[nodes.Node] = []
        captions = [self._caption(title) for title in self._titles()]
        titles = {caption.rawsource: caption.astext() for caption in captions}
        self.language = self._language()
        found, problems = sides.parse(
            self._parts(),
            titles=[caption.astext() for caption in captions],
            groups=sides.split_names(self.options.get("groups", ""), titles),
            skip=sides.split_names(self.options.get("skip-test", ""), titles),
            language="python" if self.language in PYTHON else self.language,
            # Translators: the title of a version of code that has none, such as "Side 2".
            fallback=_("Side {}"),
        )
        for problem in problems:
            warn(problem.kind, problem.message, self._location(problem.line))
        if not found:
            return self.messages
        block = self._block(found, captions)
        return [block, *self._expected_exceptions(block), *self.messages]

    def _parts(self) -> list[sides.Part]:
        """Return the lines of each side, from the content or from files."""
        if "file" not in self.options:
            separator = self.options.get("code-sep", sides.SEPARATOR)
            return sides.split(self.content.data, separator)
        if self.content:
            message = "the block has code of its own; drop it, or drop ':file:'"
            warn("file", message, self._location())
            return sides.split(self.content.data)
        parts, problems = read_files(self.options, self.env)
        for problem in problems:
            warn(problem.kind, problem.message, self._location())
        return parts

    def _block(self, found: list[sides.Side], captions: list[nodes.caption]) -> codediff:
        """Return the node of the whole block."""
        titles = [side.title for side in found]
        block = codediff(
            "",
            classes=["codediff", *self.options.get("class", ())],
            titles=titles,
            sources={caption.rawsource: caption.astext() for caption in captions},
            sync="sync" in self.options,
            **{name: self.options[name] for name in {"highlight", "context"} & self.options.keys()},
            **self._view(titles),
        )
        block.source, block.line = self.get_source_info()
        if "caption" in self.options:
            block += self._caption(self.options["caption"])
            if message := explain(block[0].astext(), "the caption"):
                warn("bidi", message, self._location())
        environments = self._environments(len(found))
        for number, (side, environment) in enumerate(zip(found, environments, strict=True)):
            named = number < len(captions) and captions[number].children
            block += self._side(side, captions[number] if named else None, environment)
        self.add_name(block)
        return block

    def _side(
        self, side: sides.Side, title: nodes.caption | None, environment: str
    ) -> nodes.container:
        """Return the side as a literal block that has a caption and that stock doctest runs."""
        code = nodes.literal_block(
            side.code, side.code, language=self.language, groups=[side.group]
        )
        if side.file:
            code.source, code.line = side.file, next(iter(side.numbers), 1)
            code["lines"] = list(side.numbers)
        else:
            code.source, code.line = self._source_and_line(side.start)
        code["force"] = False
        code["highlight_args"] = arguments = {}
        if "linenos" in self.options or "lineno-start" in self.options:
            code["linenos"] = True
        if "lineno-start" in self.options:
            arguments["linenostart"] = self.options["lineno-start"]
        if side.marked:
            arguments["hl_lines"] = list(side.marked)
        if side.skipped or "no-run" in self.options:
            code["skipped"] = True
        elif side.code and self.language in PYTHON:
            code["testnodetype"] = "doctest" if side.code.startswith(">>>") else "testcode"
            code["options"] = {}
            if environment:
                code["environment"] = environment
        if title is None:
            title = nodes.caption(side.title, side.title)
            title.source, title.line = code.source, code.line
        return nodes.container(
            "", title, code, literal_block=True, classes=["literal-block-wrapper"]
        )

    def _environments(self, number: int) -> list[str]:
        """Return the name of each side's environment, empty for that of the test run."""
        names = self._one_a_side("env", number)
        known: dict[str, Any] = self.config.codediff_environments
        for name in dict.fromkeys(names):
            if name and name not in known:
                message = f"'codediff_environments' has no {name!r}; {sides.suggest(name, known)}"
                warn("env", message, self._location())
        return names

    def _expected_exceptions(self, block: codediff) -> list[nodes.comment]:
        """Return, for each side that is meant to fail, the end of its traceback as output.

        The output is hidden, and compared by doctest; a ``testoutput`` below takes its place.
        """
        found = sides_of(block)
        outputs = []
        names = self._one_a_side("raises", len(found))
        for (_side, title, code), name in zip(found, names, strict=True):
            if not name or code.get("skipped"):
                continue
            if code.get("testnodetype") != "testcode":
                message = f"{title.astext()!r} cannot raise: it is no plain code in Python"
                warn("raises", message, self._location())
                continue
            text = f"Traceback (most recent call last):\n{name}"
            flags = {IGNORE_EXCEPTION_DETAIL: True}
            output = nodes.comment(text, text, testnodetype="testoutput", options=flags)
            output["groups"], output["raises"] = code["groups"], name
            output.source, output.line = self.get_source_info()
            outputs.append(output)
        return outputs

    def _one_a_side(self, option: str, number: int) -> list[str]:
        """Return the names that an option gives the sides in turn, with or without gaps."""
        names = sides.split_names(self.options.get(option, ""), {})
        if len(names) > number:
            message = f"{len(names)} names for {number} sides; give one a side, or leave a gap"
            warn(option, message, self._location())
        return [*names, *[""] * number][:number]

    def _view(self, titles: list[str]) -> dict[str, str]:
        """Return the attribute for the view that is shown at first, if there is such a view."""
        view = self.options.get("view")
        views = {title: str(titles.index(title)) for title in titles} | VIEWS
        if view and view not in views:
            message = f"there is no view {view!r}; {sides.suggest(view, views)}"
            warn("view", message, self._location())
        return {"view": views[view]} if view in views else {}

    def _titles(self) -> list[str]:
        """Return the titles as written, from either spelling."""
        if "title" in self.options:
            return sides.split_titles(self.options["title"])
        pair = [self.options.get(name, "") for name in ("title-left", "title-right")]
        return pair if any(pair) else []

    def _caption(self, text: str) -> nodes.caption:
        """Parse inline markup into a caption that message catalogues find."""
        inline, messages = self.parse_inline(text)
        caption = nodes.caption(text, "", *inline)
        caption.source, caption.line = self.get_source_info()
        self.messages += messages
        return caption

    def _language(self) -> str:
        """Return the language that the block names, if Pygments has it, else the page's."""
        page = self.env.temp_data.get("highlight_language") or self.config.highlight_language
        language: str = self.options.get("language", page)
        if language not in PYTHON and language not in ("none", "guess", page):
            try:
                get_lexer_by_name(language)
            except ClassNotFound:
                known = [alias for _name, aliases, *_rest in get_all_lexers() for alias in aliases]
                message = f"Pygments has no lexer {language!r}; {sides.suggest(language, known)}"
                warn("language", message, self._location())
                return str(page)
        return language

    def _location(self, index: int | None = None) -> str:
        """Return ``file:line`` of a line of the content, or of the directive."""
        source, line = self.get_source_info() if index is None else self._source_and_line(index)
        return f"{Path(source or self.env.doc2path(self.env.docname)).absolute()}:{line or ''}"

    def _source_and_line(self, index: int) -> tuple[str, int] | tuple[None, None]:
        """Return the file and line of a line of the content."""
        line = self.content_offset + index + 1
        if not isinstance(self.state_machine, StateMachine):
            line += self.lineno  # MyST-Parser counts from the opening fence.
        return self.state_machine.get_source_and_line(line)
