"""What an earlier build left: pages cut short by its end, and files of pages that are gone.

Sphinx takes a page for up to date if its file is newer than its source, and leaves in the output
folder what it once wrote there. So a note is kept beside the doctrees: which files the pages of
the last build have, what they show of each other, and whether that build came to its end.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import pickle
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.builders.singlehtml import SingleFileHTMLBuilder
from sphinx.environment import BuildEnvironment
from sphinx.util.index_entries import split_index_msg

from .warn import warn

DOWNLOADS = "_downloads/codediff"
ENDS = re.compile(rb"\ntags: .*\n\Z|\)\Z")
LENGTH, HALF = 64, 32
"""Characters of what `_shown` returns, and what is left of them while a build is under way."""


def begin(app: Sphinx) -> None:
    """Note that a build is under way, and have it see to what the last one left."""
    note = Note(app)
    app.connect("env-get-outdated", note.outdated)
    app.connect("env-get-updated", note.changed, priority=900)  # after sections have numbers
    app.connect("doctree-resolved", note.is_written)
    app.connect("html-collect-pages", mend_index)
    app.connect("build-finished", note.finish, priority=900)  # after all that writes pages


class Note:
    """What is known of the last build by this builder into this folder.

    Attributes:
        files: Those of its pages, relative to the output folder.
        shown: What `_shown` made of its pages, or something else if it did not come to its end;
            None if there was none.
        due: Pages that have to be written again before all is as if fresh.
    """

    def __init__(self, app: Sphinx) -> None:
        self.app, self.path = app, _path(app)
        self.files: list[str] = []
        self.shown: str | None = None
        self.due: set[str] = set()
        with writing(app, self.path):
            if self.path.is_file():
                text = self.path.read_text("utf-8", "surrogateescape")
                *self.files, self.shown = text.split("\n")
            for name in (".buildinfo", "searchindex.js"):
                path = Path(app.outdir, name)
                if path.is_file() and not ENDS.search(path.read_bytes()):
                    path.unlink()  # for it stops Sphinx, or loses what pages say
                    self.shown = ""
        self.is_cut_short = self.shown is not None and len(self.shown) != LENGTH
        classes = type(app.builder).__mro__
        self.loggers = [logging.getLogger(f"sphinx.{one.__module__}") for one in classes]
        for logger in self.loggers:
            logger.addFilter(self.heed)
        with writing(app, self.path):
            _shorten(self.path, HALF)

    def write(self, end: str) -> None:
        """Write the note."""
        with writing(self.app, self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            whole = self.path.with_suffix(".new")  # for this, too, may be cut short
            whole.write_text("\n".join([*self.files, end]), "utf-8", "surrogateescape")
            whole.replace(self.path)

    def heed(self, record: logging.LogRecord) -> bool:
        """Take note if Sphinx warns, maybe in a process of its own, that it cannot write."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        errors = [one for one in arguments if isinstance(one, OSError)]
        if any(not isinstance(one, FileNotFoundError) for one in errors):
            _fail(self.app)
        return True

    def outdated(self, _app: Sphinx, env: BuildEnvironment, *_: set[str]) -> Iterable[str]:
        """Return the pages to be read again: those whose doctrees are cut short, or all."""
        return [one for one in env.found_docs if self.is_cut_short or _is_cut_short(env, one)]

    def changed(self, app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
        """Remove the files of pages that are gone, and return the pages that show changes."""
        files = set(_files(app.builder))
        for name in {*self.files, ".buildinfo.bak"} - files:
            with writing(app, Path(app.outdir, name)):
                remove(app, name)
        still_there = {name for name in self.files if Path(app.outdir, name).exists()}
        self.files = sorted(files | still_there)
        old, self.shown = self.shown, _shown(env)
        self.write(self.shown[:HALF])
        if old is None or old == self.shown:
            return ()
        one_file = isinstance(app.builder, SingleFileHTMLBuilder)
        if isinstance(app.builder, StandaloneHTMLBuilder) and not one_file:
            self.due = set(env.found_docs)
        return env.found_docs

    def is_written(self, _app: Sphinx, _doctree: nodes.document, docname: str) -> None:
        """Take note that a page is being written; only those named to Sphinx may be."""
        self.due.discard(docname)

    def finish(self, app: Sphinx, exception: Exception | None) -> None:
        """Note that the build came to its end, if it did."""
        for logger in self.loggers:
            logger.removeFilter(self.heed)
        if exception:
            return
        if self.path.is_file() and self.path.read_bytes()[-1:] in (b"", b"\n"):
            app.statuscode = 1  # not yet that of this process, if it was in another one
        elif self.shown and not self.due:
            self.write(self.shown)


def _path(app: Sphinx) -> Path:
    folder = str(app.outdir)
    with contextlib.suppress(ValueError):  # on another drive
        folder = os.path.relpath(app.outdir, app.doctreedir)
    name = hashlib.sha256(f"{app.builder.name} {folder}".encode()).hexdigest()[:16]
    return Path(app.doctreedir, f"codediff-{name}.txt")


def _fail(app: Sphinx) -> None:
    """Have the build fail, and the next one do all anew."""
    app.statuscode = 1
    with contextlib.suppress(OSError):
        _shorten(_path(app), 0)


def _shorten(path: Path, length: int) -> None:
    """Cut the last line of a file, if there is one, which takes no room on a disk."""
    if path.is_file():
        text = path.read_bytes()
        last = text.rpartition(b"\n")[2]
        os.truncate(path, len(text) - max(0, len(last) - length))


@contextlib.contextmanager
def writing(app: Sphinx, path: Path) -> Iterator[None]:
    """Turn an error of the system into a warning, and have the build fail in the end."""
    try:
        yield
    except OSError as error:
        warn("output", f"cannot be written: {error.strerror}", f"{path}:")
        _fail(app)


def remove(app: Sphinx, name: str) -> None:
    """Remove a file of the output folder, or those in a folder, and folders that are then empty."""
    path = Path(app.outdir, name)
    for one in path.iterdir() if path.is_dir() else [path]:
        if not one.is_dir():
            one.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not empty
        for folder in (path, *path.parents[: name.count("/")]):
            if folder.is_dir():
                folder.rmdir()


def mend_index(app: Sphinx) -> Iterable[Any]:
    """Have the search index hold what it would hold after a fresh build; yield no pages.

    Of the pages that are not written again, Sphinx forgets the index entries; of those that are,
    it keeps the words that are gone, with no page to them.
    """
    with contextlib.suppress(AttributeError):  # what Sphinx has for itself, it may rename
        indexer: Any = app.builder.indexer  # type: ignore[attr-defined]
        for words in (indexer._mapping, indexer._title_mapping):
            for word in [word for word, docnames in words.items() if not docnames]:
                del words[word]
        found = indexer._index_entries
        for docname, entries in app.env.domaindata["index"]["entries"].items():
            if docname in indexer._titles and docname not in found:
                found[docname] = sorted(
                    {
                        (name, target or "", main)
                        for kind, text, target, main, _key in entries
                        for name in split_index_msg(kind, text)
                    }
                )
        indexer._index_entries = dict(sorted(found.items()))
    return ()


def _is_cut_short(env: BuildEnvironment, docname: str) -> bool:
    """Whether the end of a doctree, which is a pickle, is missing."""
    path = Path(env.doctreedir, f"{docname}.doctree")
    if not path.is_file():
        return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1))
        return file.read() != pickle.STOP


def _files(builder: Builder) -> Iterator[str]:
    """Yield the files that all pages have, and folders of their programs, if they are HTML."""
    if not isinstance(builder, StandaloneHTMLBuilder):
        return
    env, config = builder.env, builder.config
    for docname in env.found_docs:
        yield Path(os.path.relpath(builder.get_outfilename(docname), builder.outdir)).as_posix()
        yield f"{DOWNLOADS}/{docname}"
        source = Path(env.doc2path(docname, False))
        if config.html_copy_source:
            suffix = config.html_sourcelink_suffix
            yield f"_sources/{source.as_posix()}{suffix if source.suffix != suffix else ''}"
    yield from (f"{builder.imagedir}/{name}" for _docnames, name in env.images.values())
    yield from (f"_downloads/{name}" for _docnames, name in env.dlfiles.values())


def _shown(env: BuildEnvironment) -> str:
    """Return what is the same for two states of the pages only if they show each other alike."""
    shown = [
        sorted((docname, toc.pformat()) for docname, toc in env.tocs.items()),
        sorted((docname, title.pformat()) for docname, title in env.titles.items()),
        [env.toctree_includes, env.toc_secnumbers, env.toc_fignumbers],
        sorted(repr(one) for domain in env.domains.values() for one in domain.get_objects()),
    ]
    return hashlib.sha256(json.dumps(shown, sort_keys=True, default=repr).encode()).hexdigest()
