"""The ``codediff`` directive: options and content in, doctree out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from doctest import IGNORE_EXCEPTION_DETAIL
from itertools import accumulate
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StateMachine
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound
from sphinx.directives.code import LiteralIncludeReader
from sphinx.errors import PycodeError
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import suppress_logging

from . import sides
from .invisible import REPLACEMENT, explain
from .nodes import codediff
from .nodes import sides as sides_of
from .warn import warn

_ = get_translation("codediff")

Place = tuple[str, int] | tuple[None, None]

# Languages whose sides stock Sphinx can execute; the first four are Sphinx's own list.
PYTHON = frozenset({"py", "python", "py3", "python3", "default", "pycon", "pycon3"})

TITLES = ("title", "title-left", "title-right")
OF_FILES = ("pyobject", "start-after", "end-before", "lines", "dedent")
# Options are spelled with hyphens; published pages have underscores in some of them.
OPTIONS = (
    *TITLES,
    *("sync", "groups", "skip-test", "env", "raises", "code-sep"),
    *("caption", "name", "class", "language", "linenos", "lineno-start"),
    *("highlight", "view", "context"),
    *("file", *OF_FILES),
)
FLAGS = ("sync", "linenos")
HIGHLIGHTS = ("markers", "changes", "both", "none")
VIEWS = {"side-by-side": "", "unified": "unified"}
_WHOLE = re.compile(r"[+-]?\d{1,9}")


class CodeDiff(SphinxDirective):
    """Show versions of the same code next to each other and have each of them executed."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the block, followed by what docutils has to say about its titles."""
        content: list[str] = self.content.data
        self.given, start, problems = sides.read_options(
            content, OPTIONS, quotes=not self._in_rst()
        )
        messages: list[nodes.Node] = []
        titles = [self._caption(title, "title", messages) for title in self._titles()]
        self.language = self._language()
        self.said: set[str] = set()
        files = self._files(content[start:])
        if files:
            parts = [self._read_file(*file) for file in files]
        else:
            parts = sides.split(content, self._option("code-sep") or sides.SEPARATOR, start)
        found, mistakes = sides.parse(
            parts,
            titles=[title.astext() for title in titles],
            groups=sides.split_names(self._option("groups")),
            skip=sides.split_names(self._option("skip-test")),
            language="python" if self.language in PYTHON else self.language,
            # Translators: the title of a version of code that has none, such as "Side 2".
            fallback=_("Side {}"),
        )
        for problem in [*problems, *self._check_options(), *mistakes]:
            warn(problem.kind, problem.message, self._place(problem.where))
        if not found:
            return messages
        block = self._block(found, titles, files, messages)
        return [block, *self._raises(block), *messages]

    def _check_options(self) -> Iterator[sides.Problem]:
        """Yield the options that have no effect, or not the one that they seem to have."""
        for name, (value, _line) in self.given.items():
            message = ""
            if name in FLAGS and value:
                message = f"the option {name!r} takes no value; drop {value!r}, or the option"
            elif name in OPTIONS and not value and name not in (*FLAGS, *TITLES, "dedent"):
                message = f"the option {name!r} needs a value"
            elif name in OF_FILES and "file" not in self.given:
                message = f"the option {name!r} has no effect without ':file:'"
            elif name in TITLES[1:] and "title" in self.given:
                message = f"the option {name!r} has no effect beside ':title:'; drop one of them"
            if message:
                yield sides.Problem("option", message, name)
            if name in (*TITLES, "caption", "groups") and (message := explain(value, "the text")):
                yield sides.Problem("bidi", message, name)

    def _block(
        self,
        found: list[sides.Side],
        titles: list[nodes.caption],
        files: list[tuple[str, str]],
        messages: list[nodes.Node],
    ) -> codediff:
        """Return the node of the whole block."""
        block = codediff("", classes=["codediff", *self._classes()], sync="sync" in self.given)
        block["titles"] = [side.title for side in found]
        block.source, block.line = self.get_source_info()
        self._add_looks(block, [side.title for side in found])
        if "caption" in self.given:
            block += self._caption(self._option("caption"), "caption", messages)
        linenos = self._linenos()
        environments = self._environments(len(found))
        for number, side in enumerate(found):
            named = number < len(titles) and titles[number].children
            place = (
                (self.env.relfn2path(files[number][0])[1], side.start)
                if files
                else self._source_and_line(side.start)
            )
            title = titles[number] if named else None
            block += self._side(side, title, linenos, place, environments[number])
        self.options = {"name": self._option("name")} if "name" in self.given else {}
        self.add_name(block)
        return block

    def _side(
        self,
        side: sides.Side,
        title: nodes.caption | None,
        linenos: dict[str, int] | None,
        place: Place,
        environment: str,
    ) -> nodes.container:
        """Return the side as a literal block that has a caption and that stock doctest runs."""
        code = nodes.literal_block(
            side.code, side.code, language=self.language, groups=[side.group]
        )
        code.source, code.line = place
        if side.numbers:
            code["lines"] = side.numbers
        code["force"] = False
        code["highlight_args"] = dict(linenos or {})
        if linenos is not None:
            code["linenos"] = True
        if side.marked:
            code["highlight_args"]["hl_lines"] = list(side.marked)
        if side.skipped:
            code["skipped"] = True
        elif side.code and self.language in PYTHON:
            code["testnodetype"] = "doctest" if side.code.startswith(">>>") else "testcode"
            code["options"] = {}
            if environment:
                code["environment"] = environment
                code["environment_place"] = self._place("env")
        if title is None:
            title = nodes.caption(side.title, side.title)
            title.source, title.line = code.source, code.line
        return nodes.container(
            "", title, code, literal_block=True, classes=["literal-block-wrapper"]
        )

    def _environments(self, number: int) -> list[str]:
        """Return the name of each side's environment, empty for that of the test run."""
        names = self._one_a_side("env", number)
        known: dict[str, list[str]] = self.config.codediff_environments
        for name in dict.fromkeys(names):
            if name and name not in known:
                listed = ", ".join(map(repr, known)) or "nothing"
                message = f"there is no environment {name!r}; 'codediff_environments' has {listed}"
                warn("env", message, self._place("env"))
        return names

    def _raises(self, block: codediff) -> list[nodes.comment]:
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
                warn("raises", message, self._place("raises"))
                continue
            text = f"Traceback (most recent call last):\n{name}"
            flags = {IGNORE_EXCEPTION_DETAIL: True}
            output = nodes.comment(text, text, testnodetype="testoutput", options=flags)
            output["groups"], output["raises"] = code["groups"], name
            output.source, output.line = self._source_and_line("raises")
            outputs.append(output)
        return outputs

    def _one_a_side(self, option: str, number: int) -> list[str]:
        """Return the names that an option gives the sides in turn, with or without gaps."""
        names = sides.split_names(self._option(option))
        if len(names) > number:
            message = f"{len(names)} names for {number} sides; give one a side, or leave a gap"
            warn(option, message, self._place(option))
        return [*names, *[""] * number][:number]

    def _add_looks(self, block: codediff, titles: list[str]) -> None:
        """Put on the block how it is to be shown at first."""
        if mode := self._choice("highlight", HIGHLIGHTS):
            block["highlight"] = mode
        if view := self._choice("view", [*VIEWS, *titles]):
            block["view"] = VIEWS.get(view, str(titles.index(view)) if view in titles else "")
        if context := self._option("context"):
            if _WHOLE.fullmatch(context) and int(context) >= 0:
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

    def _files(self, content: list[str]) -> list[tuple[str, str]]:
        """Return the path of each side's file, and the object to take from it."""
        paths = sides.split_titles(self._option("file")) if self._option("file") else []
        if paths and any(line.strip() for line in content):
            message = "the block has code of its own; drop it, or drop ':file:'"
            warn("file", message, self._place("file"))
            return []
        objects = sides.split_titles(self._option("pyobject"))
        if len(objects) != len(paths):
            objects = [self._option("pyobject")] * len(paths)
        return list(zip(paths, objects, strict=True))

    def _read_file(self, path: str, pyobject: str) -> sides.Part:
        """Return what ``literalinclude`` would show of a file."""
        relative, absolute = self.env.relfn2path(path)
        self.env.note_dependency(relative)
        options: dict[str, Any] = {
            name: self._option(name)
            for name in ("lines", "start-after", "end-before")
            if self._option(name)
        }
        if pyobject:
            options["pyobject"] = pyobject
        if "," not in self._option("lines"):
            options["lineno-match"] = True  # only for lines that follow each other
        said = ""
        part = sides.Part(1, (), option="file")
        with suppress_logging() as logged:  # for it is without a type
            try:
                if "dedent" in self.given:
                    width = self._option("dedent")
                    options["dedent"] = int(width) if width else None
                reader = LiteralIncludeReader(absolute, options, self.config)
                lines = reader.read()[0].removesuffix("\n").split("\n")
                part = sides.Part(reader.lineno_start, lines, option="file")
                if "lineno-match" not in options:
                    part = part._replace(numbers=self._numbers(absolute, options))
            except (OSError, ValueError, PycodeError) as error:
                why = error.__cause__ if isinstance(error, PycodeError) else error
                said = re.sub(" (in|from) include file .*", "", str(why))
            except IndexError:  # of an empty file, where Sphinx says so of others
                said = f"there is no line {self._option('lines')}"
            said = said or "; ".join(record.getMessage() for record in logged.buffer)
        if said and said not in self.said:
            self.said.add(said)
            asked = {name: self._option(name) for name in OF_FILES} | {"pyobject": pyobject}
            where = next((name for name, value in asked.items() if value and value in said), "file")
            where = "dedent" if "dedent" in said else where
            warn("file", f"cannot show {path!r}: {said}", self._place(where))
        return part._replace(failed=bool(said))

    def _numbers(self, path: str, options: dict[str, Any]) -> list[int]:
        """Return the line in the file of each of the lines that an option picks."""
        others = {name: options[name] for name in options if name not in ("lines", "dedent")}
        reader = LiteralIncludeReader(path, others | {"lineno-match": True}, self.config)
        length = reader.read()[1]
        indices = [str(reader.lineno_start - 1 + index) for index in range(length)]
        picker = LiteralIncludeReader(path, {"lines": options["lines"]}, self.config)
        picked = [int(index) for index in picker.lines_filter(indices)]
        # To Sphinx, a form feed ends a line too; to tracebacks, it does not.
        ends = [line.endswith("\n") for line in reader.read_file(path)]
        numbers = list(accumulate(ends, initial=1))
        starts = [True, *(ends[index] for index in picked)]
        return [numbers[index] for index, ended in zip(picked, starts, strict=False) if ended]

    def _titles(self) -> list[str]:
        """Return the titles as written, from either spelling."""
        if "title" in self.given:
            return sides.split_titles(self._option("title"))
        pair = [self._option(name) for name in ("title-left", "title-right")]
        return pair if any(pair) else []

    def _caption(self, text: str, option: str, messages: list[nodes.Node]) -> nodes.caption:
        """Parse inline markup into a caption that message catalogues find."""
        inline, said = self.parse_inline(text)
        caption = nodes.caption(text, "", *inline)
        caption.source, caption.line = self._source_and_line(option)
        messages += said
        return caption

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
        if _WHOLE.fullmatch(start):
            return {"linenostart": int(start)}
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
        return self.given[name].value.replace("\0", REPLACEMENT) if name in self.given else ""

    def _in_rst(self) -> bool:
        return isinstance(self.state_machine, StateMachine)

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
        line = self.lineno if where < 0 else self.content_offset + where + 1
        if where >= 0 and not self._in_rst():
            line += self.lineno  # A Markdown parser counts from the opening fence.
        return self.state_machine.get_source_and_line(line)
