"""Small documentation sets, built once, and what tests want to know of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from docutils import nodes
from hypothesis import HealthCheck, settings
from sphinx.environment import BuildEnvironment
from sphinx.testing.util import SphinxTestApp

HERE = Path(__file__).parent
ROOT = HERE.parent

# An example may well be slow where a page is built; the machine may be as well.
settings.register_profile(
    "default", deadline=None, max_examples=300, suppress_health_check=list(HealthCheck)
)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=10_000)
settings.load_profile("default")


@dataclass(frozen=True)
class Built:
    """A documentation set after a build.

    Attributes:
        warnings: Without colours, their paths relative to the sources.
    """

    srcdir: Path
    outdir: Path
    env: BuildEnvironment
    status: int
    output: str
    warnings: list[str]

    def doctree(self, page: str) -> nodes.document:
        return self.env.get_doctree(page)

    def html(self, page: str) -> BeautifulSoup:
        text = (self.outdir / f"{page}.html").read_text("utf-8")
        return BeautifulSoup(text, "html5lib")

    def text(self, suffix: str, page: str = "index") -> str:
        return (self.outdir / f"{page}{suffix}").read_text("utf-8")

    def sides(self, page: str = "index") -> list[Tag]:
        return self.html(page).select(".codediff > .codediff-side")


def code_of(side: Tag) -> str:
    """Return the code of a side as a browser has it in ``pre.textContent``."""
    (pre,) = side.select(':scope > [class*="highlight-"] pre')
    return pre.get_text()


def run_pytest(
    folder: Path, *arguments: str | Path, path: Iterable[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run pytest with the plugin in a folder, in a process of its own."""
    environ = {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "sphinx_ext"), *path]),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # those of Hypothesis and others take seconds
        "JAX_PLATFORMS": "cpu",
    }
    plugins = ("codediff.pytest_plugin", "xdist", "pytest_cov", "pytest_timeout")
    loaded = [argument for plugin in plugins for argument in ("-p", plugin)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *loaded, *arguments],
        cwd=folder,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )


Build = Callable[..., Built]


def warnings(app: SphinxTestApp) -> list[str]:
    """Return what an application has warned of, as in `Built`."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", app.warning.getvalue())
    return text.replace(f"{app.srcdir}/", "").splitlines()


def build_set(source: Path, target: Path, builder: str = "html", **options: Any) -> Built:
    """Build a documentation set and leave no trace in the process."""
    app = SphinxTestApp(builder, srcdir=source, builddir=target, **options)
    try:
        app.build()
        return Built(
            srcdir=app.srcdir,
            outdir=app.outdir,
            env=app.env,
            status=app.statuscode,
            output=re.sub(r"\x1b\[[0-9;]*m", "", app.status.getvalue()),
            warnings=warnings(app),
        )
    finally:
        app.cleanup()


def build_site(target: Path, source: Path = ROOT / "docs", *options: str, **environ: str) -> Path:
    """Build pages as the site is built, where a warning is an error; return their folder."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", *options]
    subprocess.run(
        [*command, "-c", ROOT, "-d", target / "doctrees", source, target / "html"],
        check=True,
        env=os.environ | {"JAX_PLATFORMS": "cpu"} | environ,
    )
    return target / "html"


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a function that writes pages, named ``STEM_SUFFIX``, and builds them."""

    def run(*, builder: str = "html", conf: str = "", **pages: str) -> Built:
        source = tmp_path / "source"
        source.mkdir(exist_ok=True)
        files = {
            "conf.py": (HERE / "pages" / "conf.py").read_text("utf-8") + conf,
            "index.rst": "Index\n=====\n",
        }
        files |= {".".join(name.rsplit("_", 1)): text for name, text in pages.items()}
        for name, text in files.items():
            path, content = source / name, text.encode()
            if not path.is_file() or path.read_bytes() != content:
                path.write_bytes(content)
        return build_set(source, tmp_path / "build", builder)

    return run


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return the set of tiny pages in ``tests/pages``, built as HTML."""
    return build_set(HERE / "pages", tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the pages of the site; ``--dist=loadgroup`` builds them in one worker alone.

    The tutorial is executed if its code has changed since ``nox -s docs`` or these tests ran.
    """
    return build_site(tmp_path_factory.mktemp("site"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests of the site, which take the longest."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
