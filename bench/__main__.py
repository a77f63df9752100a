"""Print the figures that matter as ratios within one run: ``nox -s bench``."""

from __future__ import annotations

import gzip
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from codediff.align import align

ROOT = Path(__file__).parent.parent
REPEATS = 3

LEFT = """
def train_step_{n}(state, batch, labels):
    def loss_fn(params):
        logits = state.apply_fn({{'params': params}}, batch)
        return cross_entropy(logits, labels).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    state = state.apply_gradients(grads=grads)
    return state, loss, {n}
"""
RIGHT = """
def train_step_{n}(state, batch, labels, key):
    step_key = jax.random.fold_in(key, state.step)

    def loss_fn(params):
        logits = state.apply_fn(
            {{'params': params}}, batch, rngs={{'dropout': step_key}}
        )
        return cross_entropy(logits, labels).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    state = state.apply_gradients(grads=grads)
    return state, loss, {n}
"""


def indent(code: str) -> str:
    return "\n".join(f"   {line}".rstrip() for line in code.strip("\n").split("\n"))


def as_codediff(number: int) -> str:
    left, right = (indent(code.format(n=number)) for code in (LEFT, RIGHT))
    return f".. codediff::\n   :title: No Dropout, With Dropout\n\n{left}\n   ---\n{right}\n"


def as_code_blocks(number: int) -> str:
    return "\n".join(
        f".. code-block:: python\n\n{indent(code.format(n=number))}\n" for code in (LEFT, RIGHT)
    )


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
        (folder / f"{name}.rst").write_text(f"Page {page}\n=======\n\n{body}")
    return folder


def build(source: Path, target: Path) -> float:
    """Build a set as HTML in a process of its own and return the seconds it took."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "sphinx", "-qE", "-b", "html", source, target], check=True
    )
    return time.perf_counter() - start


def html_figures(folder: Path) -> Iterator[tuple[str, float, float]]:
    sets = {
        block: write_set(folder / block.__name__, block, pages=20, blocks=100)
        for block in (as_codediff, as_code_blocks)
    }
    seconds = {block: [] for block in sets}
    for _ in range(REPEATS):
        for block, source in sets.items():
            seconds[block].append(build(source, folder / f"{block.__name__}-html"))
    ours, theirs = (statistics.median(times) for times in seconds.values())
    yield "build of 2,000 blocks / the same in code-blocks", ours / theirs, 1.0
    sizes = [
        len(gzip.compress((folder / f"{block.__name__}-html" / "page0.html").read_bytes()))
        for block in sets
    ]
    yield "page of 100 blocks, gzipped / the same in code-blocks", sizes[0] / sizes[1], 1.25


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
    static = ROOT / "sphinx_ext" / "codediff" / "static"
    for path in sorted(static.iterdir()):
        yield f"{path.name}, gzipped kB", len(gzip.compress(path.read_bytes())) / 1000, 4.0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        figures = [*html_figures(Path(folder)), *align_figures(), *asset_figures()]
    for name, value, limit in figures:
        print(f"{'ok  ' if value <= limit else 'OVER'} {value:7.3f} <= {limit:<5} {name}")
    target = ROOT / "_build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({name: value for name, value, _limit in figures}, indent=1))
    return int(any(value > limit for _name, value, limit in figures))


if __name__ == "__main__":
    sys.exit(main())
