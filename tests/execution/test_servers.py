"""What several programs import is imported once, and nothing else is shared."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from codediff.execution.data import Outcome
from codediff.execution.runner import Runner

from .programs import make, only

Run = Callable[..., Outcome]


@pytest.fixture
def counted(tmp_path: Path) -> Path:
    """Return a folder with modules that write a line to `count` when they are imported."""
    for name, text in {
        "heavy": "",
        "loud": "print('loud')",
        "threaded": "from threading import *\nThread(target=Event().wait, daemon=True).start()",
        "deadly": "import os\nos.kill(os.getpid(), 9)",
        "endless": "import time\nwhile True: time.sleep(1)",
        "broken": "1 / 0",
    }.items():
        path = tmp_path / "count"
        (tmp_path / f"{name}.py").write_text(f"open({str(path)!r}, 'a').write('{name} ')\n{text}\n")
    return tmp_path


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """Return an interpreter whose path identifies the processes of one test."""
    path = tmp_path / "python"
    path.symlink_to(sys.executable)
    return path


def test_leading_imports_are_executed_once(counted: Path) -> None:
    late = "import os\nos.environ['FLAG'] = '1'\nimport heavy"
    with Runner(root=counted, path=[str(counted)]) as runner:
        for source in ["'''Docstring.'''\nimport heavy as h\nh.x = 1"] * 2 + [
            "import heavy\nheavy.x"
        ]:
            program = make(counted, ("setup", source), "1")
            outcome = runner.run(program)
        assert only(outcome).message == "AttributeError: module 'heavy' has no attribute 'x'"
        assert (counted / "count").read_text() == "heavy "
        for _ in range(2):
            assert runner.run(make(counted, late)).passed
        assert (counted / "count").read_text() == "heavy " * 3
        skipped = ">>> import loud  # doctest: +SKIP\n>>> 1\n1"
        assert runner.run(make(counted, ("doctest", skipped))).passed
        assert (counted / "count").read_text() == "heavy " * 3


def test_output_of_an_import_is_the_programs(counted: Path) -> None:
    with Runner(root=counted, path=[str(counted)]) as runner:
        for _ in range(2):
            assert runner.run(make(counted, ("code", "import loud", "loud"))).passed


def test_threads_of_an_import_are_alive(counted: Path) -> None:
    source = "import threaded, threading\nprint(threading.active_count())"
    with Runner(root=counted, path=[str(counted)]) as runner:
        for _ in range(2):
            assert runner.run(make(counted, ("code", source, "2"))).passed


def test_an_import_that_fails_fails_in_the_program(counted: Path) -> None:
    with Runner(root=counted, path=[str(counted)]) as runner:
        failure = only(runner.run(make(counted, "import heavy\nimport broken")))
        assert (failure.line, failure.message) == (7, "ZeroDivisionError: division by zero")
        failure = only(runner.run(make(counted, "import heavy\nimport deadly")))
        assert failure.message.startswith("was killed by SIGKILL")
        failure = only(runner.run(make(counted, "import heavy\nimport endless"), 2))
        assert (failure.line, failure.kind) == (7, "timeout")
        assert runner.run(make(counted, "import heavy")).passed


def test_imports_that_programs_share_are_executed_once(counted: Path) -> None:
    programs = [
        make(counted, f"{first}\nimport sys\nprint(*sorted(names(sys)))", name=f"{at}.rst")
        for at, first in enumerate(["import heavy, wide", "import wide, heavy", "import wide"])
    ]
    (counted / "wide.py").write_text(
        f"open({str(counted / 'count')!r}, 'a').write('wide ')\n"
        "import builtins\n"
        "builtins.names = lambda sys: {'heavy', 'wide'} & set(sys.modules)\n"
    )
    with Runner(root=counted, path=[str(counted)]) as runner:
        runner.share_imports(programs)
        seen = [only(runner.run(program)).got for program in programs]
    assert seen == ["heavy wide\n", "heavy wide\n", "wide\n"]
    assert sorted((counted / "count").read_text().split()) == ["heavy", "wide"]


def test_collecting_garbage_leaves_out_what_was_imported_before(counted: Path) -> None:
    (counted / "large.py").write_text("lists = [[] for _ in range(200_000)]")
    source = "import large, gc\ngc.collect()\nprint(len(gc.get_objects()) < 100_000)"
    with Runner(root=counted, path=[str(counted)]) as runner:
        assert runner.run(make(counted, ("code", source, "True"))).passed


def test_an_import_may_write_more_to_stderr_than_a_pipe_holds(counted: Path) -> None:
    (counted / "noisy.py").write_text("import sys\nsys.stderr.write('noise' * 50_000)")
    with Runner(root=counted, path=[str(counted)]) as runner:
        assert runner.run(make(counted, "import noisy")).passed


def test_a_server_that_was_killed_is_replaced(counted: Path, python: Path) -> None:
    with Runner(str(python), root=counted) as runner:
        runner.start()
        while not subprocess.run(["pkill", "-9", "-f", f"^{python}"], check=False).returncode:
            time.sleep(0.1)
        assert runner.run(make(counted, "1"), 20).passed


def test_servers_are_few_and_end_with_the_runner(tmp_path: Path, python: Path) -> None:
    def servers() -> int:
        found = subprocess.run(["pgrep", "-fc", f"^{python}"], capture_output=True, check=False)
        return int(found.stdout)

    names = sorted(sys.stdlib_module_names - {"antigravity", "this"})
    modules = [name for name in names if name[0] != "_" and name.islower()][:60]
    with Runner(str(python), root=tmp_path) as runner:
        for module in modules:
            runner.run(make(tmp_path, f"import {module}"))
        assert 1 < servers() <= 24
    assert servers() == 0


@pytest.mark.site
def test_jax_is_imported_once_and_forked_without_a_warning(tmp_path: Path) -> None:
    imports = "import jax, flax\nimport os, sys\nprint(os.getppid(), file=sys.stderr)\n"
    use = imports + "print(jax.numpy.ones(1).dtype)"
    change = imports + "jax.config.update('jax_enable_x64', True)\nprint(jax.numpy.ones(1).dtype)"
    with Runner(root=tmp_path) as runner:
        outcomes = [
            runner.run(make(tmp_path, ("code", source, output)), 60)
            for source, output in ((use, "float32"), (change, "float64"), (use, "float32"))
        ]
    assert [outcome.passed for outcome in outcomes] == [True] * 3
    # Nothing but the parent's number, which is that of the server with jax: no warning.
    assert len({outcome.stdout for outcome in outcomes}) == 1
    assert outcomes[0].stdout.strip().isdigit()
    assert set(outcomes[0].versions) == {"jax", "flax"}
