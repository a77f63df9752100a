"""Print the figures that matter as ratios within one run: ``nox -s bench``."""

from __future__ import annotations

import ast
import gzip
import json
import math
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench.guides import write_guides
from codediff.execution.data import Piece, Program
from codediff.execution.runner import Runner
from codediff.rendering.align import align
from tests.browser.engines import Driver, playwright_driver, webkit_driver
from tests.browser.measure import measure_switching, time_switch

ROOT = Path(__file__).parent.parent
REPEATS = 5
SPHINX = [sys.executable, "-m", "sphinx"]
PYTEST = [sys.executable, "-m", "pytest", "-p", "codediff.pytest_plugin", "--codediff", "docs"]


@cache
def functions() -> list[list[str]]:
    """Return functions of the standard library: real code, no two alike, for the sides."""
    found = []
    for path in sorted(Path(os.__file__).parent.glob("[a-z]*.py")):
        lines = path.read_text("utf-8").splitlines()
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.FunctionDef) and 7 <= node.end_lineno - node.lineno <= 25:
                code = textwrap.dedent("\n".join(lines[node.lineno - 1 : node.end_lineno]))
                if "#!" not in code and "\n---\n" not in code:
                    found.append(code.split("\n"))
    return found


def sides(number: int) -> tuple[list[str], list[str]]:
    """Return a function, and the function with two lines more and one that differs."""
    left = functions()[number % len(functions())]
    margin = re.match(r"\s*", left[3])[0]
    right = [*left[:3], f"{margin}check(seen, {number})", f"{margin}seen += 1", *left[3:]]
    right[-1] += "  # changed"
    return left, right


def indent(code: list[str]) -> str:
    return "\n".join(f"   {line}".rstrip() for line in code)


def as_codediff(number: int) -> str:
    left, right = map(indent, sides(number))
    return f".. codediff::\n   :title: Before, After\n   :sync:\n\n{left}\n   ---\n{right}\n"


def as_code_blocks(number: int, option: str = "") -> str:
    blocks = (f".. code-block:: python\n{option}\n{indent(side)}\n" for side in sides(number))
    return "\n".join(blocks)


def as_titled_code_blocks(number: int) -> str:
    return as_code_blocks(number, "   :caption: Before or After\n")


def write_set(folder: Path, block: Callable[[int], str], *, pages: int, blocks: int) -> Path:
    """Write a documentation set of *pages* with *blocks* each."""
    folder.mkdir()
    (folder / "conf.py").write_text("extensions = ['codediff']\nhtml_theme = 'basic'\n")
    names = [f"page{page}" for page in range(pages)]
    (folder / "index.rst").write_text(
        "Bench\n=====\n\n.. toctree::\n\n" + "".join(f"   {name}\n" for name in names)
    )
    for page, name in enumerate(names):
        body = "\n".join(block(page * blocks + number) for number in range(blocks))
        (folder / f"{name}.rst").write_text(f"Page {page}\n========\n\n{body}")
    return folder


def build(source: Path, target: Path) -> tuple[float, int]:
    """Build a set as HTML in a process of its own; return the seconds and the kB it took."""
    start = time.perf_counter()
    command = [*SPHINX, "-qE", "-b", "html", source, target]
    _pid, status, usage = os.wait4(subprocess.Popen(command).pid, 0)
    assert status == 0
    return time.perf_counter() - start, usage.ru_maxrss


def html_figures(folder: Path) -> Iterator[tuple[str, float, float]]:
    sets = {
        block: write_set(folder / block.__name__, block, pages=20, blocks=100)
        for block in (as_codediff, as_titled_code_blocks, as_code_blocks)
    }
    seconds = {block: [] for block in sets}
    for _ in range(REPEATS):
        for block, source in sets.items():
            seconds[block].append(build(source, folder / f"{block.__name__}-html")[0])
    ours, titled, plain = (statistics.median(times) for times in seconds.values())
    yield "build of 2,000 blocks / the same in code-blocks with captions", ours / titled, 1.15
    # Without an option to read, docutils saves about a tenth of the time.
    yield "build of 2,000 blocks / the same in code-blocks without options", ours / plain, math.inf
    sizes = [
        len(gzip.compress((folder / f"{block.__name__}-html" / "page0.html").read_bytes()))
        for block in (as_codediff, as_code_blocks)
    ]
    yield "page of 100 blocks, gzipped / the same in code-blocks", sizes[0] / sizes[1], 1.25


def times_after_edits(cases: Sequence[tuple[Path, list[str]]], folder: Path) -> list[float]:
    """Return the median seconds that each command takes in a folder after an edit of its page."""
    times: list[list[float]] = [[] for _case in cases]
    for repeat in range(2 * REPEATS + 1):  # short runs vary most
        for (path, command), seconds in zip(cases, times, strict=True):
            with path.open("a") as page:
                page.write(f"\nEdit {repeat}.\n")
            taken = run(command, folder)
            if repeat:  # the first run reads all pages
                seconds.append(taken)
    return [statistics.median(seconds) for seconds in times]


def incremental_figures(folder: Path) -> Iterator[tuple[str, float, float]]:
    """Compare builds after an edit of one page of 100, which has blocks or plain code."""
    cases = []
    for block in (as_codediff, as_code_blocks):
        source = write_set(folder / f"edit-{block.__name__}", block, pages=100, blocks=5)
        command = [*SPHINX, "-q", "-b", "html", str(source), f"{source}-html"]
        cases.append((source / "page7.rst", command))
    ours, theirs = times_after_edits(cases, folder)
    yield "build after an edit of one page of 100 / the same with code-blocks", ours / theirs, 1.1


def scale_figures(folder: Path) -> Iterator[tuple[str, float, float]]:
    """Compare ten times as many pages, and collect as many programs as no site has."""
    seconds, peaks = {}, {}
    for pages in (2, 20, 200):
        source = write_set(folder / f"scale{pages}", as_codediff, pages=pages, blocks=100)
        seconds[pages], peaks[pages] = build(source, folder / f"scale{pages}-html")
    yield "build of 20,000 blocks on 200 pages / 2,000 on 20", seconds[200] / seconds[20], 10.5
    first, later = (peaks[20] - peaks[2]) / 18, (peaks[200] - peaks[20]) / 180
    yield "peak memory of a page more, of 200 / of 20", later / first, 1.05
    (folder / "collected").mkdir()
    write_set(folder / "collected" / "docs", as_programs, pages=100, blocks=50)
    (folder / "collected" / "pytest.ini").write_text("[pytest]\n")
    seconds_to_collect = run([*PYTEST, "--collect-only", "-q"], folder / "collected")
    yield "seconds to collect 10,000 programs", seconds_to_collect, 30.0


def as_programs(number: int) -> str:
    """Return a block whose two sides are programs of their own."""
    return as_codediff(number).replace("   :sync:\n", f"   :groups: a{number}, b{number}\n")


def as_runnable_programs(number: int) -> str:
    """Return a block whose two sides are programs that pass."""
    values = f"import math\nvalues = [math.sqrt(value) for value in range({number}, {number + 50})]"
    before = f"{values}\ntotal = 0\nfor value in values:\n    total += value\nassert total >= 0"
    after = f"{values}\ntotal = math.fsum(values)\nassert total >= 0"
    left, right = (indent(code.split("\n")) for code in (before, after))
    options = f"   :title: Before, After\n   :groups: a{number}, b{number}"
    return f".. codediff::\n{options}\n\n{left}\n   ---\n{right}\n"


def align_figures() -> Iterator[tuple[str, float, float]]:
    unlike = [f"{side} {number} {side}" for side in "ab" for number in range(2000)]
    equal = [f"line {number}" for number in range(2000)]
    alike = [f"value_{number} = compute({number})" for number in range(2000)]
    two = random.Random(0).choices(["    return x", "pass"], k=4000)
    cases = {
        "nothing shared": (unlike[:2000], unlike[2000:]),
        "one change": (equal, [*equal[:1000], "changed", *equal[1001:]]),
        "all alike": (alike, [line.replace("(", "(1 + ") for line in alike]),
        "two distinct lines": (two[:2000], two[2000:]),
    }
    for name, sides in cases.items():
        start = time.perf_counter()
        align(sides)
        yield f"seconds to align 2 x 2,000 lines, {name}", time.perf_counter() - start, 1.0


def asset_figures() -> Iterator[tuple[str, float, float]]:
    static = ROOT / "sphinx_ext" / "codediff" / "rendering" / "static"
    for path in sorted(static.iterdir()):
        yield f"{path.name}, gzipped kB", len(gzip.compress(path.read_bytes())) / 1000, 4.0


def run(command: list[str], folder: Path, **environ: str) -> float:
    """Run a command that has to succeed and return the seconds it took."""
    environ |= {
        "PYTHONPATH": str(ROOT / "sphinx_ext"),
        "JAX_PLATFORMS": "cpu",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # plugins that the tests of this repository need
    }
    start = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=os.environ | environ, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start


def guide_figures(folder: Path) -> Iterator[tuple[str, float, float]]:
    """Compare a test of 16 different pages with stock doctest."""
    root = write_guides(folder / "guides", pages=16)
    # Without a cache, every page is read anew, as by stock doctest.
    ours = [*PYTEST, *("-p", "xdist", "-n", "2"), *("-p", "no:cacheprovider")]
    ours_cached = [*ours, "--dist", "loadfile"]  # as the manual recommends
    stock = [*SPHINX, "-qE", "-b", "doctest", "docs", "out"]
    times: dict[str, list[float]] = {}
    for _ in range(3):
        with tempfile.TemporaryDirectory() as cache:
            cached = {"JAX_COMPILATION_CACHE_DIR": cache}
            times.setdefault("stock", []).append(run(stock, root))
            times.setdefault("plain", []).append(run(ours, root))
            times.setdefault("first cached", []).append(run(ours_cached, root, **cached))
            times.setdefault("later cached", []).append(run(ours_cached, root, **cached))
    median = {name: statistics.median(known) for name, known in times.items()}
    yield "test of 16 pages / stock doctest", median["plain"] / median["stock"], 1.0
    yield "the same, first with jax' cache", median["first cached"] / median["stock"], 0.85
    yield "the same, later with jax' cache", median["later cached"] / median["stock"], 0.45


def edit_figures(folder: Path) -> Iterator[tuple[str, float, float]]:
    """Compare testing one edited page of 100, with 1,000 sides, with building it."""
    (folder / "edited").mkdir()
    docs = write_set(folder / "edited" / "docs", as_runnable_programs, pages=100, blocks=5)
    (folder / "edited" / "pytest.ini").write_text("[pytest]\n")
    test = [*PYTEST[:-1], "docs/page7.rst", "-q"]
    build_html = [*SPHINX, "-q", "-b", "html", "docs", "html"]
    cases = [(docs / "page7.rst", test), (docs / "page7.rst", build_html)]
    ours, theirs = times_after_edits(cases, folder / "edited")
    yield "test of one edited page of 100 / sphinx-build", ours / theirs, 1.5


def runner_figures(folder: Path) -> Iterator[tuple[str, float, float]]:
    with Runner(root=folder) as runner:
        resident = []
        start = time.perf_counter()
        for number in range(1000):
            piece = Piece("code", f"import math\nx = math.sqrt({number})", "page.rst", 1)
            assert runner.run(Program("page.rst", "group", (piece,))).passed
            if number % 100 == 99:
                resident.append(_resident())
        seconds = time.perf_counter() - start
        yield "ms a small program, of 1,000", seconds, 20.0
        yield "memory after 1,000 programs / after 100", resident[-1] / resident[0], 1.05
        looping = Program("page.rst", "group", (Piece("code", "while True: pass", "page.rst", 1),))
        start = time.perf_counter()
        assert not runner.run(looping, timeout=5).passed
        yield "seconds to end a loop after 5 s", time.perf_counter() - start, 6.0


def _resident() -> int:
    """Return the memory of this process and of those it started, in kB."""
    listed = subprocess.run(
        ["ps", "-o", "rss=", "--pid", str(os.getpid()), "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
        check=True,
    )
    return sum(map(int, listed.stdout.split()))


def training_figures() -> Iterator[tuple[str, float, float]]:
    """Compare the tutorial's loop with a straightforward one, and with the bare compiled step."""
    page = (ROOT / "docs" / "tutorials" / "dropout_mnist.md").read_text("utf-8")
    flags = re.DOTALL | re.MULTILINE
    cells = re.findall(r"^```\{code-cell\} ipython3\n(.*?)^```", page, flags)
    cells = [re.sub(r"\A---\n.*?^---\n", "", cell, flags=flags) for cell in cells]
    last = next(at for at, cell in enumerate(cells) if "def train_epoch" in cell)
    names: dict[str, Any] = {}
    for cell in cells[: last + 1]:
        if "plt." not in cell:
            exec(cell, names)
    jax, step, shuffle = names["jax"], names["train_step"], names["shuffled_batches"]
    (images, labels), key = names["train"], names["shuffle_key"]

    def tutorial(state: Any) -> Any:
        return names["train_epoch"](state, images, labels, key)[0]

    def straightforward(state: Any) -> Any:
        order = jax.random.permutation(key, len(labels))
        for start in range(0, len(labels), size):
            batch = order[start : start + size]
            state, (loss, accuracy) = step(state, images[batch], labels[batch])
            losses.append((float(loss), float(accuracy)))
        return state

    def bare(state: Any) -> Any:
        for _ in range(len(labels) // size):
            state, _metrics = step(state, *batch)
        return state

    losses: list[tuple[float, float]] = []
    size = len(shuffle(images, labels, key)[1][0])
    batch = [array[0] for array in shuffle(images, labels, key)]
    times: dict[str, list[float]] = {}
    for repeat in range(REPEATS + 1):
        for loop in (tutorial, straightforward, bare):
            state = names["new_state"](names["CNN"](), names["adam"], key, key)
            start = time.perf_counter()
            jax.block_until_ready(loop(state).params)
            if repeat:  # the first one compiles
                times.setdefault(loop.__name__, []).append(time.perf_counter() - start)
    ours = statistics.median(times["tutorial"])
    theirs = statistics.median(times["straightforward"])
    yield "tutorial's epoch / a straightforward one", ours / theirs, 1 / 1.15
    yield "tutorial's epoch / its bare steps", ours / statistics.median(times["bare"]), 1.05


SWITCHES = [("unified", "unified"), ("back", ""), ("one side", "1"), ("all", "")]
SETTLED = """() => new Promise((done) => {
  const look = () => (document.querySelector(".cd-far") ? setTimeout(look, 20) : done());
  setTimeout(look, 100);
})"""


def browser_figures(folder: Path) -> Iterator[tuple[str, float, float]]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        print("no Chromium: switching 200 blocks is not measured")
        return
    source = write_set(folder / "many", as_codediff, pages=1, blocks=200)
    with (source / "conf.py").open("a") as conf:
        conf.write("html_theme = 'sphinx_book_theme'\n")
    build(source, folder / "many-html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto((folder / "many-html" / "page0.html").as_uri(), wait_until="load")
        page.wait_for_selector(".codediff select", state="attached")
        switches: dict[str, list[float]] = {}
        for name, view in SWITCHES * 5:
            switches.setdefault(name, []).append(measure_switching(page, view)["total"])
            page.evaluate(SETTLED)
        for name, times in switches.items():
            yield f"ms to switch 200 blocks: {name}", statistics.median(times), 100.0
        browser.close()
        if firefox := shutil.which("firefox-esr"):
            browser = playwright.firefox.launch(channel="moz-firefox", executable_path=firefox)
            with playwright_driver(browser) as driver:
                yield from engine_figures(driver, "Firefox", folder)
            browser.close()
    if webkit := shutil.which("WebKitWebDriver"):
        with webkit_driver(webkit) as driver:
            yield from engine_figures(driver, "WebKit", folder)


def engine_figures(driver: Driver, engine: str, folder: Path) -> Iterator[tuple[str, float, float]]:
    """Measure until the frame that shows the view, painting included; there is no limit for it."""
    driver.open((folder / "many-html" / "page0.html").as_uri(), 1440)
    switches: dict[str, list[float]] = {}
    for name, view in SWITCHES * 2:
        switches.setdefault(name, []).append(time_switch(driver, view))
        driver.js(SETTLED)
    for name, times in switches.items():
        yield f"ms to switch 200 blocks in {engine}: {name}", statistics.median(times), math.inf


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = [
            *html_figures(folder),
            *incremental_figures(folder),
            *scale_figures(folder),
            *align_figures(),
            *asset_figures(),
            *runner_figures(folder),
            *training_figures(),
            *guide_figures(folder),
            *edit_figures(folder),
            *browser_figures(folder),
        ]
    for name, value, limit in figures:
        print(f"{'ok  ' if value <= limit else 'OVER'} {value:7.3f} <= {limit:<5} {name}")
    target = ROOT / "_build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({name: value for name, value, _limit in figures}, indent=1))
    return int(any(value > limit for _name, value, limit in figures))


if __name__ == "__main__":
    sys.exit(main())
