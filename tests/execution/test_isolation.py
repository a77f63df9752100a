"""No program affects another one, or the process that runs it."""

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codediff.execution.data import Outcome
from codediff.execution.runner import Runner

from .programs import make, only

Run = Callable[..., Outcome]


LEAKS = {
    "environment": (
        "import os\nos.environ['LEAK'] = '1'",
        "import os\nassert 'LEAK' not in os.environ",
    ),
    "directory": ("import os\nos.chdir('/')", "import os\nassert os.getcwd() != '/'"),
    "modules": (
        "import sys\nsys.modules['json'] = None",
        "import sys\nassert sys.modules.get('json', 1)",
    ),
    "attributes": ("import math\nmath.pi = 3", "import math\nassert math.pi > 3"),
    "random state": (
        "import random\nrandom.seed(1)\nrandom.random()",
        "import random\nassert random.random() != 0.8474337369372327",
    ),
    "arguments": (
        "import sys\nsys.argv.append(1)\nsys.path.clear()",
        "import sys\nassert len(sys.argv) == 1\nassert sys.path",
    ),
    "builtins": ("import builtins\nbuiltins.print = None", ("code", "print(1)", "1")),
    "names": ("leak = 1", "assert 'leak' not in globals()"),
}
SITE_LEAKS = {
    "configuration of jax": (
        "import jax\njax.config.update('jax_enable_x64', True)\njax.numpy.ones(3)",
        "import jax\nassert jax.numpy.ones(3).dtype == 'float32'",
    ),
    "open figures": (
        "import matplotlib.pyplot as plt\nplt.figure()",
        "import matplotlib.pyplot as plt\nassert plt.get_fignums() == []",
    ),
    "random state of numpy": (
        "import numpy\nnumpy.random.seed(1)",
        "import numpy\nassert round(numpy.random.rand(), 6) != 0.417022",
    ),
}


@pytest.mark.parametrize(
    "name", [*LEAKS, *(pytest.param(name, marks=pytest.mark.site) for name in SITE_LEAKS)]
)
def test_nothing_reaches_another_program(run: Run, name: str) -> None:
    leaking, checking = (LEAKS | SITE_LEAKS)[name]
    for block in (checking, leaking, checking):
        outcome = run(block)
        assert outcome.passed, outcome


def test_the_order_of_imports_is_that_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text("import sys\nFIRST = 'second' not in sys.modules\n")
    (tmp_path / "second.py").write_text("")
    programs = [
        make(tmp_path, "import first, second\nassert first.FIRST", name="a.rst"),
        make(tmp_path, "import second, first\nassert not first.FIRST", name="b.rst"),
    ]
    with Runner(root=tmp_path, path=[str(tmp_path)]) as runner:
        for program in [*programs, *reversed(programs)]:
            assert runner.run(program).failures == ()


@pytest.mark.site
@pytest.mark.parametrize("seed", range(2))
def test_what_leaks_does_not_matter_in_any_order(tmp_path: Path, seed: int) -> None:
    blocks = [block for pair in (LEAKS | SITE_LEAKS).values() for block in pair]
    programs = [make(tmp_path, block, name=f"{at}.rst") for at, block in enumerate(blocks)]
    random.Random(seed).shuffle(programs)
    with Runner(root=tmp_path) as runner:
        failed = [program for program in programs if not runner.run(program).passed]
    assert failed == []


def test_each_program_starts_in_an_empty_folder_of_its_own(run: Run) -> None:
    code = "import os\nassert os.listdir() == []\nopen('left', 'w').close()\nprint(os.getcwd())"
    first, second = (only(run(code)).got for _ in range(2))
    assert first != second
    assert not Path(first.strip()).exists()


def test_the_working_directory_may_be_fixed(tmp_path: Path) -> None:
    program = make(tmp_path, "import os", ("code", "print(os.getcwd())", str(tmp_path)))
    with Runner(root=tmp_path, cwd=tmp_path) as runner:
        assert runner.run(program).failures == ()


def test_standard_input_is_empty_and_signals_are_as_new(run: Run) -> None:
    assert run(
        "import sys\nassert sys.stdin.read() == ''\n",
        "import signal\nassert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL",
        "import os\nassert os.getpgrp() == os.getpid()",
    ).passed


def test_path_comes_first(tmp_path: Path) -> None:
    (tmp_path / "wave.py").write_text("mine = 1")
    program = make(tmp_path, "import wave\nwave.mine")
    with Runner(root=tmp_path, path=[str(tmp_path)]) as runner:
        assert runner.run(program).failures == ()


def test_versions_of_what_is_imported(run: Run) -> None:
    import sphinx

    outcome = run(
        "import os, sphinx.util as u", ("doctest", ">>> from yaml import load\n>>> import nowhere")
    )
    assert (
        outcome.versions["Sphinx" if "Sphinx" in outcome.versions else "sphinx"]
        == sphinx.__version__
    )
    assert {name.lower() for name in outcome.versions} == {"sphinx", "pyyaml"}
    assert outcome.python == ".".join(map(str, sys.version_info[:3]))
