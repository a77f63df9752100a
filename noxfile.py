"""Everything that is done to this project: ``nox --list`` names it, ``nox -s NAME`` does it."""

import os
import shutil
import tempfile
import time
from pathlib import Path

import nox

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
# ``TEST_VERSIONS="3.11-lowest 3.13-newest"`` picks some of them, and "" none.
PICKED = os.environ.get("TEST_VERSIONS", " ".join(map("-".join, VERSIONS))).split()
SITE = ("-c", ".", "-d", "_build/doctrees", "docs")
# What jax has compiled is kept: that is most of the time that the pages' code takes.
COMPILED = {
    "JAX_COMPILATION_CACHE_DIR": str(Path("_build", "jax_cache").absolute()),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
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
    """Build the site here and, afresh, in another place; a byte that differs fails it."""
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
    """Execute all code that the site shows; a line that never runs fails it."""
    install(session)
    session.run(
        *("pytest", "-p", "codediff.pytest_plugin", "--codediff", "docs", "--quiet"),
        *("--numprocesses=auto", "--timeout=120", "--cov", *session.posargs),
        env={"PYTHONPATH": "sphinx_ext", "JAX_PLATFORMS": "cpu", **COMPILED},
    )


@nox.session
def mutants(session: nox.Session) -> None:
    """Break each line of the guides' sides in turn; one that is not caught fails it."""
    install(session)
    session.run(
        *("python", "-m", "tests.mutants", *session.posargs),
        env={"PYTHONPATH": "sphinx_ext", "JAX_PLATFORMS": "cpu", **COMPILED},
    )


@nox.session(venv_backend="uv")
@nox.parametrize(
    ("python", "sphinx"),
    [*(version.split("-") for version in PICKED), (None, "locked")],
    ids=[*PICKED, "locked"],
)
def tests(session: nox.Session, sphinx: str) -> None:
    """Test the extension with each version, then everything but the looks with those locked."""
    # Tests start hundreds of processes, each of which would compile what it imports.
    session.env["UV_COMPILE_BYTECODE"] = "1"
    if sphinx == "locked":
        install(session)
    else:
        wanted = {"lowest": "--resolution=lowest-direct", "newest": "sphinx"}
        session.install(
            *("--upgrade", "--requirements=pyproject.toml", "--all-extras", "--group=tests"),
            wanted.get(sphinx, f"sphinx=={sphinx}.*"),
        )
    apart = ("--ignore=tests/browser", "--ignore=tests/release")
    session.run("pytest", "--numprocesses=auto", *apart, *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Run the tests that drive Chromium, which has to be on the machine."""
    install(session)
    session.run("pytest", "tests/browser", *session.posargs)


@nox.session
def release(session: nox.Session) -> None:
    """Build what is published into dist/, and try it alone, as the manual says."""
    install(session)
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", *map(str, Path("dist").iterdir()))
    session.run("check-wheel-contents", "dist")
    session.run("pytest", "tests/release", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Look up known vulnerabilities of what is locked, and the licences of what users install."""
    session.install("uv", ".")
    kinds = "--allow-only=0BSD;Apache;BSD;MIT;Mozilla"
    session.run("uvx", "pip-licenses", f"--python={session.bin}/python", "--partial-match", kinds)
    locked = ("--require-hashes", "--disable-pip", "--requirement=requirements.txt")
    session.run("uvx", "pip-audit", "--strict", *locked, *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed and size, as ratios within one run; too large a figure fails it."""
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
    """Try all links of the site, those to other sites included."""
    install(session)
    options = ("-b", "linkcheck", "-D", "nb_execution_mode=off")
    session.run("sphinx-build", *options, *SITE, "_build/linkcheck", *session.posargs)


@nox.session
def catalogues(session: nox.Session) -> None:
    """Bring the message catalogues of the extension up to date with its code."""
    install(session)
    template = Path(session.create_tmp(), "codediff.pot")
    folder = "sphinx_ext/codediff/locale"
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
    """Write requirements.txt anew from the groups in pyproject.toml."""
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
    """Serve the site and rebuild it as its pages change."""
    install(session)
    session.run(
        *("sphinx-autobuild", *SITE, "_build/html", "--watch", "sphinx_ext", "--open-browser"),
        *session.posargs,
    )
