"""The ``codediff`` directive: options and content in, doctree out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from doctest import IGNORE_EXCEPTION_DETAIL
from itertools import zip_longest
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StateMachine
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.util import ClassNotFound
from sphinx.highlighting import lexer_classes
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective

from . import sides
from .files import read_files
from .nodes import codediff
from .options import DEFAULTS, OPTIONS, complete
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
        """Return the block, and docutils' messages about its titles."""
        self.options = complete(self.options, self.env)
        self.messages: list[nodes.Node] = []
        pair = [self.options.get(name, "") for name in ("title-left", "title-right")]
        written = sides.split_titles(self.options["title"]) if "title" in self.options else pair
        captions = [self._caption(title) for title in written if any(written)]
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
            self._warn(problem.kind, problem.message, problem.line)
        if not found:
            return self.messages
        block = self._block(found, titles)
        environments, exceptions = (self._one_a_side(one, len(found)) for one in ("env", "raises"))
        self._knows_environments(environments)
        for side, title, environment, exception in zip_longest(
            found, captions[: len(found)], environments, exceptions
        ):
            code = self._code(side, environment)
            children = [code, *self._expected_exception(code, exception)]
            if title is None or not title.children:
                title = nodes.caption(side.title, side.title)
                title.source, title.line = code.source, code.line
            classes = ["literal-block-wrapper"]
            block += nodes.container("", title, *children, literal_block=True, classes=classes)
        self.add_name(block)
        return [block, *self.messages]

    def _parts(self) -> list[sides.Part]:
        """Return the lines of each side, from the content or from files."""
        if "file" in self.options and not self.content:
            return read_files(self.options, self.env, self._warn)
        if "file" in self.options:
            self._warn("file", "the block has code of its own; drop it, or drop ':file:'")
        return sides.split(self.content.data, self.options.get("code-sep", sides.SEPARATOR))

    def _block(self, found: list[sides.Side], sources: dict[str, str]) -> codediff:
        """Return the node of the block, without its sides."""
        titles = [side.title for side in found]
        block = codediff(
            "",
            classes=["codediff", *self.options.get("class", ())],
            titles=titles,
            sources=sources,
            sync="sync" in self.options,
            **{name: self.options[name] for name in {"highlight", "context"} & self.options.keys()},
        )
        views = {title: str(titles.index(title)) for title in titles} | VIEWS
        if "view" in self.options and self._is_known("view", self.options["view"], views):
            block["view"] = views[self.options["view"]]
        block.source, block.line = self.get_source_info()
        if "caption" in self.options:
            block += self._caption(self.options["caption"])
        return block

    def _code(self, side: sides.Side, environment: str) -> nodes.literal_block:
        """Return the code of a side as a literal block that stock doctest executes."""
        code = nodes.literal_block(side.code, side.code, groups=[side.group], options={})
        code.source, code.line = self._source_and_line(side.part.start)
        if side.part.file:
            code.source, code.line = side.part.file, next(iter(side.part.numbers), 1)
            code["lines"] = list(side.part.numbers)
        code["highlight_args"] = {"hl_lines": list(side.marked)} if side.marked else {}
        code["force"], code["linenos"] = False, bool({"linenos", "lineno-start"} & {*self.options})
        if "lineno-start" in self.options:
            code["highlight_args"]["linenostart"] = self.options["lineno-start"]
        is_session = side.is_session and self.language in PYTHON
        code["language"] = "pycon" if is_session else self.language
        code["skipped"] = side.skipped or "no-run" in self.options
        if side.code and self.language in PYTHON and not code["skipped"]:
            code["testnodetype"] = "doctest" if is_session else "testcode"
            if environment:
                code["environment"] = environment
        return code

    def _expected_exception(self, code: nodes.literal_block, name: str) -> list[nodes.comment]:
        """Return the hidden end of the traceback that a side is to print, if it names an exception.

        It is compared by doctest; a ``testoutput`` below takes its place.
        """
        if name and code.get("testnodetype") == "testcode":
            text = f"Traceback (most recent call last):\n{name}"
            output = nodes.comment(text, text, testnodetype="testoutput", raises=name)
            output["groups"], output["options"] = code["groups"], {IGNORE_EXCEPTION_DETAIL: True}
            output.source, output.line = self.get_source_info()
            return [output]
        if name and not code["skipped"]:
            self._warn("raises", f"only a side in Python that is no session can raise {name}")
        return []

    def _one_a_side(self, option: str, number: int) -> list[str]:
        """Return the names that an option gives the sides in turn, with or without gaps."""
        names = sides.split_names(self.options.get(option, ""), {})
        if len(names) > number:
            self._warn(option, f"{len(names)} names for {number} sides; give each side one")
        return [*names, *[""] * number][:number]

    def _knows_environments(self, names: Iterable[str]) -> bool:
        """Return whether all of these environments are known, and warn about others."""
        named, known = filter(None, dict.fromkeys(names)), self.config.codediff_environments
        return not [name for name in named if not self._is_known("env", name, known)]

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
        try:
            if language not in PYTHON | {"guess", page, *lexer_classes}:
                get_lexer_by_name(language)
        except ClassNotFound:
            known = [alias for _name, aliases, *_rest in get_all_lexers() for alias in aliases]
            self._is_known("language", language, known)
            return str(page)
        return language

    def _is_known(self, option: str, name: str, known: Collection[str]) -> bool:
        """Return whether an option's value is known; else warn, and suggest the one meant."""
        if name not in known:
            self._warn(option, f"unknown {option} {name!r}; {sides.suggest(name, known)}")
        return name in known

    def _warn(self, kind: str, message: str, index: int | None = None) -> None:
        """Warn about the line of the content with this index, or about the directive."""
        source, line = self.get_source_info() if index is None else self._source_and_line(index)
        path = Path(source or self.env.doc2path(self.env.docname)).absolute()
        warn(kind, message, f"{path}:{line or ''}")

    def _source_and_line(self, index: int) -> tuple[str, int] | tuple[None, None]:
        """Return the file and line of a line of the content."""
        line = self.content_offset + index + 1
        if not isinstance(self.state_machine, StateMachine):
            line += self.lineno  # MyST-Parser counts from the opening fence.
        return self.state_machine.get_source_and_line(line)


class CodeDiffDefaults(CodeDiff):
    """Set options for the blocks below on the same page, in place of earlier defaults."""

    has_content = False
    option_spec = DEFAULTS

    def run(self) -> list[nodes.Node]:
        """Return nothing to show."""
        if "language" in self.options:
            self.options["language"] = self._language()
        if not self._knows_environments(sides.split_names(self.options.get("env", ""), {})):
            del self.options["env"]
        self.env.temp_data["codediff_defaults"] = self.options
        return []
