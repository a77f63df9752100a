"""A browser, pages for it to visit, and a server that readers' browsers would trust."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    WebError,
    sync_playwright,
)

from codediff.directive.nodes import codediff, sides
from conftest import Built, build_set

from .engines import Driver, playwright_driver, webkit_driver

HERE = Path(__file__).parent
BLOCKS = 200
POLICY = "script-src 'self'; style-src 'self'"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

ENGINES = {  # the environment variable and the programs of each
    "chromium": ("CHROMIUM", ("chromium",)),
    "firefox": ("FIREFOX", ("firefox-esr", "firefox")),
    "webkit": ("WEBKIT_DRIVER", ("WebKitWebDriver",)),
}

Visit = Callable[..., Page]


@dataclass(frozen=True)
class Site:
    """The same pages in several themes, on a local server.

    Attributes:
        build: Builds the set of a theme when it is first needed.
    """

    url: str
    build: Callable[[str], Built]

    def address(self, page: str, theme: str = "alabaster", query: str = "") -> str:
        self.build({"strict": "basic", "delayed": "alabaster"}.get(theme, theme))
        return f"{self.url}/{theme}/{page}.html{query}"

    def codes(self, page: str, theme: str = "alabaster") -> list[list[str]]:
        """Return the code of each side of each block, as the author wrote it."""
        blocks = self.build(theme).doctree(page).findall(codediff)
        return [[code.astext() for _side, _title, code in sides(block)] for block in blocks]


DELAYED = b"""<head><script>
const watch = () => {
  const block = document.querySelector(".codediff-block");
  if (block) window.firstView = [block.dataset.view, document.readyState];
  else requestAnimationFrame(watch);
};
requestAnimationFrame(watch);
</script><script defer src="/slow.js"></script>"""


class Handler(SimpleHTTPRequestHandler):
    """Serves files; those below ``/strict/`` are the basic theme's, under a strict policy.

    Those below ``/delayed/`` are Alabaster's, behind a script that takes a second; they note the
    view of the first block in the first frame that has one.
    """

    def do_GET(self) -> None:
        if self.path == "/slow.js":
            time.sleep(1)
            content, kind = b"", "text/javascript"
        elif self.path.startswith("/delayed/") and self.path.endswith(".html"):
            content, kind = Path(self.translate_path(self.path)).read_bytes(), "text/html"
            content = content.replace(b"<head>", DELAYED, 1)
        else:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    protocol_version = "HTTP/1.1"

    def translate_path(self, path: str) -> str:
        return super().translate_path(
            path.replace("/strict/", "/basic/", 1).replace("/delayed/", "/alabaster/", 1)
        )

    def end_headers(self) -> None:
        if self.path.startswith("/strict/"):
            self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_arguments: Any) -> None:
        pass


@contextmanager
def serve(root: Path) -> Iterator[str]:
    """Serve a folder over HTTP and give its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=root)) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return all pages in each theme that a test needs, served over HTTP."""
    source = shutil.copytree(HERE / "pages", tmp_path_factory.mktemp("browser") / "source")
    (source / "many.rst").write_text(_many(), "utf-8")
    (source / "modes.rst").write_text(_modes(), "utf-8")
    root = tmp_path_factory.mktemp("served")
    variants: dict[str, dict[str, Any]] = {
        "sphinx_book_theme": {},
        "alabaster": {},
        "basic": {"exclude_patterns": ["many.rst", "modes.rst"], "templates_path": ["strict"]},
        "copybutton": {
            "html_theme": "alabaster",
            "extensions": ["codediff", "sphinx_copybutton"],
            "include_patterns": ["index.rst", "copying.rst"],
        },
        "neighbours": {"html_theme": "alabaster", "html_sidebars": {"**": []}},
    }
    others = shutil.copytree(HERE.parent / "neighbours", source.parent / "neighbours")

    @cache
    def build(theme: str) -> Built:
        target = tmp_path_factory.mktemp(theme)
        pages = others if theme == "neighbours" else source
        options = {"html_theme": theme} | variants[theme]
        built = build_set(pages, target, confoverrides=options)
        (root / theme).symlink_to(built.outdir)
        return built

    with serve(root) as url:
        yield Site(url, build)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the engine that pages are tried in."""
    parser.addoption("--engine", choices=ENGINES, default="chromium", help="the browser engine")


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> str:
    return pytestconfig.getoption("--engine", "chromium")


# With --engine webkit, and in continuous integration, run test_engines.py: it has what differs.
@pytest.fixture(autouse=True)
def _skip_what_cannot_be_emulated(request: pytest.FixtureRequest, engine: str) -> None:
    mark = request.node.get_closest_marker("needs_chromium")
    if mark and engine != "chromium":
        pytest.skip(f"{engine}: {mark.args[0]}")


def program(engine: str) -> str:
    """Return the path of a browser; without it tests are skipped, on CI they fail."""
    variable, names = ENGINES[engine]
    found = os.environ.get(variable) or next(filter(None, map(shutil.which, names)), None)
    if not found:
        reason = f"no {engine}: install Debian's {names[0]}, or set {variable} to its path"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


# Not for the whole session: other tests could not run an event loop of their own.
@pytest.fixture(scope="package")
def browser(engine: str) -> Iterator[Browser]:
    """Return the browser that Playwright drives."""
    if engine == "webkit":
        pytest.skip("webkit: Playwright does not drive WebKitGTK; test_engines.py does")
    path = program(engine)
    with sync_playwright() as playwright:
        browser = launch(playwright, engine, path)
        yield browser
        browser.close()


def launch(playwright: Playwright, engine: str, path: str) -> Browser:
    """Start Chromium, or Firefox as Debian has it, which the protocol BiDi drives."""
    if engine == "firefox":
        return playwright.firefox.launch(channel="moz-firefox", executable_path=path)
    return playwright.chromium.launch(executable_path=path, args=FLAGS)


@pytest.fixture(scope="package")
def driver(request: pytest.FixtureRequest, engine: str) -> Iterator[Driver]:
    """Return a window of any of the engines."""
    if engine == "webkit":
        opened = webkit_driver(program(engine))
    else:
        opened = playwright_driver(request.getfixturevalue("browser"))
    with opened as driver:
        yield driver


@pytest.fixture(scope="package")
def reader(browser: Browser) -> Iterator[BrowserContext]:
    """Return a context that many tests share: new ones would take most of their time."""
    with browser.new_context() as context:
        yield context


@pytest.fixture
def visit(site: Site, browser: Browser, reader: BrowserContext, engine: str) -> Iterator[Visit]:
    """Return a function that opens a page as a new reader; the script on it may not fail.

    Its arguments: the page, ``theme``, ``query``, ``width`` of the window, ``script`` to run
    before any other, and options of a Playwright context, which then has nothing cached; only
    Chromium is known to follow these.
    """
    contexts = []
    errors: list[str] = []

    def note(error: WebError) -> None:
        errors.append(error.error.stack or "")

    def run(
        name: str,
        *,
        theme: str = "alabaster",
        query: str = "",
        width: int = 1440,
        script: str = "",
        **options: Any,
    ) -> Page:
        if options and engine != "chromium":
            pytest.skip(f"{engine}: Playwright does not set {', '.join(options)} there")
        context = reader
        if script or options:
            context = browser.new_context(**options)
            contexts.append(context)
            context.on("weberror", note)
            context.add_init_script(script)
        context.set_default_timeout(60_000)
        page = context.pages[0] if context.pages else context.new_page()
        page.bring_to_front()  # so that key presses reach it
        page.emulate_media(media="null")
        page.mouse.move(0, 0)
        page.set_viewport_size({"width": width, "height": 900})
        response = page.goto(site.address(name, theme, query))
        assert response is not None
        assert response.status < 400, f"{response.url}: {response.status}"
        return page

    reader.on("weberror", note)
    yield run
    reader.remove_listener("weberror", note)
    for page in reader.pages:
        if page.url != "about:blank":
            page.evaluate("localStorage.clear()")
            page.goto("about:blank")
    for context in contexts:
        context.close()
    assert [error for error in errors if "codediff.js" in error] == []


def _values(number: int) -> str:
    """Return up to 8 lines, so that blocks differ in length."""
    return "".join(f"   value_{at} = compute(value_{at})\n" for at in range(number * 7 % 9))


def _many() -> str:
    """Return a page of many synced blocks of ordinary length."""
    block = """
.. codediff::
   :title: No Dropout, With Dropout
   :sync:
   :name: block-{0}

   class Model{0}(nnx.Module):

     def __init__(self, rngs):
       self.linear1 = nnx.Linear(in_features, hidden, rngs=rngs)
       self.linear2 = nnx.Linear(hidden, out_features, rngs=rngs)

     def __call__(self, x):
       x = self.linear1(x)
       x = nnx.relu(x)
       return self.linear2(x)

{1}   model = Model{0}(rngs=nnx.Rngs(params={0}))
   ---
   class Model{0}(nnx.Module):

     def __init__(self, rngs):
       self.linear1 = nnx.Linear(in_features, hidden, rngs=rngs)
       self.dropout = nnx.Dropout(0.5, rngs=rngs)  #!
       self.linear2 = nnx.Linear(hidden, out_features, rngs=rngs)

     def __call__(self, x):
       x = self.linear1(x)
       x = nnx.relu(x)
       x = self.dropout(x)  #!
       return self.linear2(x)

{1}   model = Model{0}(rngs=nnx.Rngs(params={0}, dropout={0}))  #!
"""
    blocks = "".join(
        f"\nText before block {n}.\n{block.format(n, _values(n))}" for n in range(BLOCKS)
    )
    return f"Many\n====\n{blocks}"


def _modes() -> str:
    """Return a page with a block for each combination of looks."""
    code = """
start = "same"
value = call(one, 'quote', <&>)  #!
a = 1

b = 2
c = 3
gone = "left"
end = r"\\d+\\t"
---
start = "same"
value = call(two, 'quote', <&>)
a = 1

b = 2
c = 3
end = r"\\d+\\t"
added = "😀 Zoë"  #!
"""
    text = "Modes\n=====\n"
    for mode, numbers, context in product(
        ("markers", "changes", "both", "none"), ("", ":linenos:"), ("", ":context: 1")
    ):
        options = f":title: L, R\n:highlight: {mode}\n{numbers}\n{context}".split("\n")
        lines = "\n".join(filter(None, options)) + "\n" + code
        text += f"\n.. codediff::\n{indent(lines, '   ')}\n"
    return text
