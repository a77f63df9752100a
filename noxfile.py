"""The development tasks of this project; ``nox --list`` lists them."""

import os
import shutil
import tempfile
import time
from pathlib import Path

import nox

# Sessions start hundreds of interpreters, which share the bytecode that the first one writes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

nox.options.default_venv_backend = "uv|virtualenv"
# A Python that is not on the machine is left out, in continuous integration as well.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "tests", "browser", "doctest", "docs"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
LOWEST_PYTHON = PYPROJECT["project"]["requires-python"].removeprefix(">=")
# What the extension is tested with. "lowest" is the lowest version of each direct dependency, and
# "newest" the newest Sphinx that there is for a Python: for 3.11 it is 9.0.
VERSIONS = [
    (LOWEST_PYTHON, "lowest"),
    *((LOWEST_PYTHON, sphinx) for sphinx in ("7.4", "8.2", "9.0")),
    *(
        (python, sphinx)
        for python in nox.project.python_versions(PYPROJECT)
        if python != LOWEST_PYTHON
        for sphinx in ("7.4", "8.2", "9.0", "newest")
    ),
]
APART = ("browser", "release", "test_faults.py", "test_fuzzing.py")
SUITE = tuple(f"--ignore=tests/{name}" for name in APART)
SITE = ("-c", ".", "-d", "_build/doctrees", "docs")
# What jax has compiled is kept: that is most of the time that the pages' code takes.
COMPILED = {
    "JAX_COMPILATION_CACHE_DIR": str(Path("_build", "jax_cache").absolute()),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
}
STRICT = ("-W", "--keep-going")


def install(session: nox.Session) -> None:
    """Install what ``requirements.txt`` locks, the same for every session."""
    session.install("--require-hashes", "-r", "requirements.txt")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into _build/html; a warning fails it."""
    install(session)
    session.run("sphinx-build", *STRICT, *SITE, "_build/html", *session.posargs)


@nox.session
def reproducible(session: nox.Session) -> None:
    """Build the site in two folders; a byte that differs fails it."""
    install(session)
    environ = {"SOURCE_DATE_EPOCH": str(int(time.time()))}
    results = Path("_build", "results.json")
    with tempfile.TemporaryDirectory() as folder:
        elsewhere = Path(folder, "a folder", "that is elsewhere")
        ignored = shutil.ignore_patterns(".*", "_build", "__pycache__")
        shutil.copytree(".", elsewhere, ignore=ignored)
        if results.is_file():
            (elsewhere / "_build").mkdir()
            shutil.copy(results, elsewhere / results)
        built = []
        for root in (Path.cwd(), elsewhere):
            with session.chdir(root):
                session.run("sphinx-build", *STRICT, *SITE, "_build/html", "-q", env=environ)
            files = [path for path in (root / "_build" / "html").rglob("*") if path.is_file()]
            built.append({path.relative_to(root): path.read_bytes() for path in files})
    first, second = built
    different = [str(name) for name in first | second if first.get(name) != second.get(name)]
    if different:
        session.error(f"these files differ: {', '.join(sorted(different))}")
    session.log(f"all {len(first)} files are equal")


@nox.session
def doctest(session: nox.Session) -> None:
    """Execute all code that the site shows; a line that does not run fails it."""
    install(session)
    session.run(
        *("pytest", "-p", "codediff.pytest_plugin", "--codediff", "docs", "--quiet"),
        *("--numprocesses=auto", "--timeout=120", "--cov", *session.posargs),
        env={"PYTHONPATH": "sphinx_ext", "JAX_PLATFORMS": "cpu", **COMPILED},
    )


@nox.session
def mutants(session: nox.Session) -> None:
    """Break each line of the guides in turn; a line that no test catches fails it."""
    install(session)
    session.run(
        *("python", "-m", "tests.mutants", *session.posargs),
        env={"PYTHONPATH": "sphinx_ext", "JAX_PLATFORMS": "cpu", **COMPILED},
    )


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests with the locked versions, except for those that have sessions of their own."""
    install(session)
    session.run("pytest", "--numprocesses=auto", "--dist=loadgroup", *SUITE, *session.posargs)


@nox.session(venv_backend="uv")
@nox.parametrize(("python", "sphinx"), VERSIONS, ids=["-".join(pair) for pair in VERSIONS])
def versions(session: nox.Session, sphinx: str) -> None:
    """Test the extension with one of the versions of Python and Sphinx that it supports."""
    wanted = {"lowest": "--resolution=lowest-direct", "newest": "sphinx"}
    session.install(
        *("--upgrade", "--requirements=pyproject.toml", "--all-extras", "--group=tests"),
        wanted.get(sphinx, f"sphinx=={sphinx}.*"),
    )
    # Without flax and the extensions of the group "neighbours".
    session.run("pytest", "--numprocesses=auto", "-m", "not site", *SUITE, *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Build pages that are made up; ``-- --hypothesis-profile=nightly`` makes ten thousand."""
    install(session)
    session.run("pytest", "--numprocesses=auto", "tests/test_fuzzing.py", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Kill test runs, and take away folders and disk space."""
    install(session)
    session.run("pytest", "--numprocesses=auto", "tests/test_faults.py", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Test in Chromium, or in others: ``-- --engine firefox`` and ``-- --engine webkit``."""
    install(session)
    session.run("pytest", "tests/browser", *session.posargs)


@nox.session
def release(session: nox.Session) -> None:
    """Build the wheel and the sdist into dist/, and test the wheel with nothing else installed."""
    install(session)
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", *map(str, Path("dist").iterdir()))
    session.run("check-wheel-contents", "dist")
    session.run("pytest", "tests/release", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Look up known vulnerabilities of the locked packages, and licences of what users install."""
    session.install("uv", ".")
    kinds = "--allow-only=0BSD;Apache;BSD;MIT;Mozilla"
    session.run("uvx", "pip-licenses", f"--python={session.bin}/python", "--partial-match", kinds)
    locked = ("--require-hashes", "--disable-pip", "--requirement=requirements.txt")
    session.run("uvx", "pip-audit", "--strict", *locked, *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed and size, as ratios within one run; a figure over its limit fails it."""
    install(session)
    session.run("python", "-m", "bench", env={"PYTHONPATH": "sphinx_ext:tests"})


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and spelling, and the files that configure continuous integration."""
    install(session)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("codespell")
    for schema, *files in (
        ("github-workflows", *map(str, Path(".github/workflows").iterdir())),
        ("dependabot", ".github/dependabot.yml"),
        ("readthedocs", ".readthedocs.yaml"),
    ):
        session.run("check-jsonschema", f"--builtin-schema=vendor.{schema}", *files)
    session.run("zizmor", "--offline", "--quiet", ".github")


@nox.session
def linkcheck(session: nox.Session) -> None:
    """Check all links of the site, external ones included."""
    install(session)
    options = ("-b", "linkcheck", "-D", "nb_execution_mode=off")
    session.run("sphinx-build", *options, *SITE, "_build/linkcheck", *session.posargs)


@nox.session
def catalogues(session: nox.Session) -> None:
    """Update the translation catalogues from the code."""
    install(session)
    template = Path(session.create_tmp(), "codediff.pot")
    folder = "sphinx_ext/codediff/rendering/locale"
    session.run(
        *("pybabel", "extract", "--add-comments=Translators:", "--add-location=file"),
        *("--project=sphinx-codediff", f"--output-file={template}", "sphinx_ext/codediff"),
    )
    session.run(
        *("pybabel", "update", "--domain=codediff", f"--output-dir={folder}"),
        *(f"--input-file={template}", "--ignore-pot-creation-date", "--no-fuzzy-matching"),
        "--ignore-obsolete",
    )
    session.run("pybabel", "compile", "--domain=codediff", f"--directory={folder}")


@nox.session
def lock(session: nox.Session) -> None:
    """Lock the groups of pyproject.toml in requirements.txt."""
    session.install("uv")
    groups = (f"--group={group}" for group in PYPROJECT["dependency-groups"])
    session.run(
        *("uv", "pip", "compile", "--upgrade", "--universal", "--generate-hashes"),
        *("--python-version", LOWEST_PYTHON, "--quiet"),
        *("--custom-compile-command", "nox -s lock", "--output-file", "requirements.txt"),
        *groups,
        "pyproject.toml",
    )


@nox.session
def live(session: nox.Session) -> None:
    """Serve the site and rebuild it when a page changes."""
    install(session)
    session.run(
        *("sphinx-autobuild", *SITE, "_build/html", "--watch", "sphinx_ext", "--open-browser"),
        *session.posargs,
    )
