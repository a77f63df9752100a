"""Whatever happens to a build or a test run, the next one is right, and errors are plain."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sphinx.cmd.build import build_main

from codediff.programs.results import Result, read, summary, write
from conftest import ROOT
from test_reproducible import CONF, FILES, assert_equal, contents
from test_reproducible import write as write_files

POINTS = int(os.environ.get("POINTS", "20"))
SEED = random.randrange(1 << 30)
KILL = """
import os
from pathlib import Path

def setup(app):
    event, _, name = os.environ.get("KILL", "").partition(" ")

    def die(*_):
        if name:
            Path(app.outdir, name).write_text("<!DOCTYPE html><html>")
        os.kill(os.getpid(), 9)

    if event:
        app.connect(event, die)
"""
BEFORE = {**FILES, "conf.py": CONF + KILL}
AFTER = {
    **{name: text for name, text in BEFORE.items() if name != "page2.rst"},
    "page4.rst": BEFORE["page2.rst"].replace("/page2", "/page1"),
    "included.txt": BEFORE["included.txt"].replace("Included text", "Other text"),
    "page1.rst": BEFORE["page1.rst"].replace("/page2", "/page4"),
    "folder/page3.rst": BEFORE["folder/page3.rst"].replace("/page2", "/page4"),
}


POWERLESS = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")
NOT_ROOT = POWERLESS if os.geteuid() == 0 else ()
CLEAN: dict[str, dict[str, bytes]] = {}


class Site:
    """Sources, and an output folder into which they are built again and again."""

    def __init__(self, folder: Path) -> None:
        self.source, self.target, self.text = folder / "source", folder / "html", ""
        self.source.mkdir()

    def clean(self, files: dict[str, str]) -> dict[str, bytes]:
        """Return what a build gives that has never been interrupted."""
        write_files(self.source, files)
        key = json.dumps(files)
        if key not in CLEAN:
            target = self.target.with_name(f"clean{len(CLEAN)}")
            assert self.build(target=target) == 0, self.text
            CLEAN[key] = self.contents(target)
        return CLEAN[key]

    def contents(self, folder: Path | None = None) -> dict[str, bytes]:
        """Return what is in the output folder, but for the doctrees, which hold times."""
        found = contents(folder or self.target)
        return {name: content for name, content in found.items() if ".doctrees" not in name}

    def build(
        self,
        *arguments: str,
        target: Path | None = None,
        limit: int | None = None,
        kill_after: float | None = None,
        **environ: str,
    ) -> int:
        """Build in a fork, with no room for longer files than the limit, and return its status."""
        output, end = os.pipe()
        pid = os.fork()
        if not pid:
            status = 99
            try:
                os.setsid()
                sys.stdout = sys.stderr = os.fdopen(end, "w")
                os.environ |= environ
                if limit is not None:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
                paths = [str(self.source), str(target or self.target)]
                status = build_main(["-q", *arguments, *paths])
            except Exception:  # Sphinx has failed to tell of an error
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(status)
        os.close(end)
        if kill_after is not None:
            time.sleep(kill_after)
            os.killpg(pid, signal.SIGKILL)
        with os.fdopen(output) as file:
            self.text = re.sub(r"\x1b\[[0-9;]*m", "", file.read())
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def points(seconds: float) -> Iterator[float]:
    """Yield random points of a run, spread over all of it."""
    chance = random.Random(SEED)
    for index in range(POINTS):
        yield (index + chance.random()) / POINTS * seconds


def test_a_build_after_one_that_was_killed_is_right(site: Site) -> None:
    clean = [site.clean(AFTER), site.clean(BEFORE)]
    begin = time.monotonic()
    site.build("-E")
    for index, point in enumerate(points(time.monotonic() - begin)):
        write_files(site.source, [AFTER, BEFORE][index % 2])
        jobs = "12"[index // 2 % 2]
        site.build("-j", jobs, kill_after=point)
        assert site.build("-j", jobs) == 0, site.text
        print(f"seed {SEED}, killed after {point} s")
        assert_equal(site.contents(), clean[index % 2])


@pytest.mark.parametrize(
    "kill",
    [
        "write-started",
        "env-updated .doctrees/page1.doctree",
        "env-before-read-docs .doctrees/environment.pickle",
        "html-page-context page1.html",
        "html-page-context folder/page3.html",
        "html-collect-pages searchindex.js.tmp",
        "build-finished .buildinfo",
        "build-finished searchindex.js",
        "build-finished objects.inv",
    ],
)
def test_what_was_half_written_is_written_again(site: Site, kill: str) -> None:
    write_files(site.source, BEFORE)
    site.build()
    clean = site.clean(AFTER)
    assert site.build(KILL=kill) == -signal.SIGKILL
    assert (site.build(), site.text) == (0, "")
    found = site.contents()
    found.pop("searchindex.js.tmp", None)  # Sphinx leaves it, and overwrites it
    assert_equal(found, clean)


@pytest.mark.parametrize("part", [0, 0.3, 0.9])
@pytest.mark.parametrize(
    "name",
    [
        ".buildinfo",
        "searchindex.js",
        ".doctrees/environment.pickle",
        ".doctrees/page1.doctree",
        ".doctrees/codediff-*.txt",
    ],
)
def test_what_is_cut_short_is_made_anew(site: Site, name: str, part: float) -> None:
    clean = site.clean(BEFORE)
    site.build()
    (path,) = site.target.glob(name)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    (site.source / "folder" / "page3.rst").touch()
    assert site.build() == 0, site.text
    assert_equal(site.contents(), clean)


def assert_plain(text: str) -> None:
    """Assert that there is no frame of ours in what is shown."""
    assert "sphinx_ext/codediff" not in "".join(re.findall(r"File \".*", text)), text
    assert "INTERNALERROR" not in text


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_full_disk_is_an_error_and_leaves_no_trace(site: Site, jobs: str) -> None:
    clean = site.clean(BEFORE)
    for limit in (0, 60, 600, 5_000, 15_000):
        write_files(site.source, AFTER)
        site.build("-j", jobs)
        write_files(site.source, BEFORE)
        assert site.build("-j", jobs, limit=limit) != 0, limit
        assert_plain(site.text)
        assert re.search("too large|cannot be written|cannot copy|error writing", site.text)
        assert site.build("-j", jobs) == 0, site.text
        assert_equal(site.contents(), clean)


@pytest.mark.parametrize("doctrees", ["html/.doctrees", "doctrees"])
def test_a_folder_that_cannot_be_written_is_an_error(
    site: Site, tmp_path: Path, doctrees: str
) -> None:
    def build(*before: str) -> subprocess.CompletedProcess[str]:
        command = [*before, sys.executable, "-m", "sphinx", "-q", "-d", tmp_path / doctrees]
        environ = os.environ | {"PYTHONPATH": str(ROOT / "sphinx_ext")}
        paths = site.source, site.target
        return subprocess.run(
            [*command, *paths], env=environ, capture_output=True, text=True, check=False
        )

    clean = site.clean(AFTER)
    write_files(site.source, BEFORE)
    assert build().returncode == 0
    write_files(site.source, AFTER)
    subprocess.run(["chmod", "-R", "a-w", site.target], check=True)
    failed = build(*NOT_ROOT)
    subprocess.run(["chmod", "-R", "u+w", site.target], check=True)
    assert failed.returncode != 0
    assert "Permission denied" in failed.stderr
    assert_plain(failed.stderr)
    assert build().returncode == 0
    assert_equal(site.contents(), clean)


def test_a_missing_static_folder_is_made_again(site: Site) -> None:
    files = {**BEFORE, "conf.py": f"{BEFORE['conf.py']}\nhtml_static_path = ['_static']\n"}
    clean = site.clean(files)
    site.build()
    assert "html_static_path entry '_static' does not exist" in site.text
    subprocess.run(["rm", "-r", site.target / "_static"], check=True)
    site.build()
    assert_equal(site.contents(), clean)


PAGES = {
    "pytest.ini": "[pytest]\n",
    "docs/conf.py": "extensions = ['codediff']\ncodediff_results = '../results/known.json'\n",
    "docs/index.rst": "Index\n=====\n"
    + "".join(
        f"\n.. codediff::\n   :title: Old {number}, New {number}\n\n"
        f"   x = {number}\n   ---\n   y = {number}\n"
        for number in range(3)
    ),
    "results/.keep": "",
}
ACCOUNT = "codediff: 3 blocks, 6 sides: 6 ran, 0 skipped by name\n"


OPTIONS = ("--codediff", "docs", "-q")


def run(
    folder: Path, *before: str, kill_after: float | None = None, **environ: str
) -> tuple[int, str]:
    """Execute the pages in a process of its own, and return its status and what it printed."""
    environ = {"PYTHONPATH": str(ROOT / "sphinx_ext"), "SOURCE_DATE_EPOCH": "1", **environ}
    process = subprocess.Popen(
        [*before, sys.executable, "-m", "pytest", "-p", "codediff.pytest_plugin", *OPTIONS],
        cwd=folder,
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    if kill_after is not None:
        time.sleep(kill_after)
        os.killpg(process.pid, signal.SIGKILL)
    text = process.communicate()[0]
    return process.returncode, text


def test_a_run_after_one_that_was_killed_is_right(tmp_path: Path) -> None:
    write_files(tmp_path, PAGES)
    begin = time.monotonic()
    status, text = run(tmp_path)
    seconds = time.monotonic() - begin
    assert (status, text.endswith(ACCOUNT)) == (0, True), text
    results = tmp_path / "results" / "known.json"
    clean = results.read_bytes()
    for point in points(seconds):
        # Half of them also find neither a cache nor results.
        for path in [results, tmp_path / ".pytest_cache"] * (point < seconds / 2):
            subprocess.run(["rm", "-rf", path], check=True)
        run(tmp_path, kill_after=point)
        status, text = run(tmp_path)
        assert (status, text.endswith(ACCOUNT)) == (0, True), (SEED, point, text)
        assert results.read_bytes() == clean, (SEED, point)


SMALL = ("prlimit", "--fsize=20")


@pytest.mark.parametrize(
    ("before", "sealed", "environ", "status", "wanted"),
    [
        (NOT_ROOT, "results", {}, 3, "known.json cannot be written: Permission denied"),
        (NOT_ROOT, ".pytest_cache/d/codediff", {}, 0, ""),
        (NOT_ROOT, ".pytest_cache/d/codediff/doctrees", {}, 4, "Permission denied"),
        (SMALL, "", {}, 4, "File too large"),
        ((), "", {"SOURCE_DATE_EPOCH": "today"}, 4, "invalid literal for int"),
    ],
)
def test_what_stands_in_the_way_of_a_run_is_named(
    tmp_path: Path,
    before: tuple[str, ...],
    sealed: str,
    environ: dict[str, str],
    status: int,
    wanted: str,
) -> None:
    write_files(tmp_path, PAGES)
    for name in (sealed, ".pytest_cache/d/codediff") if sealed else ():
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    if sealed:
        (tmp_path / sealed).chmod(stat.S_IRUSR | stat.S_IXUSR)
    found, text = run(tmp_path, *before, **environ)
    if sealed:
        (tmp_path / sealed).chmod(stat.S_IRWXU)
    assert (found, wanted in text) == (status, True), text
    assert_plain(text)
    assert run(tmp_path)[1].endswith(ACCOUNT)


GOOD = {
    "a": Result("2026-11-22", "3.13.0", {"b": "1"}),
    "c": Result("2026-11-21", "3.11.4", {}),
}


@given(st.data())
def test_results_are_whole_or_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.json"
    write(path, GOOD)
    text = path.read_bytes()
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    value = st.sampled_from([b"", b"null", b"[]", b"{}", b"-1", b'"x"', b"1" * 5000, b"\xff"])
    path.write_bytes(text[:start] + data.draw(value | st.binary()) + text[stop:])
    try:
        found = read(path)
    except ValueError:
        return
    for result in found.values():
        libraries, python, day = summary([result])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", day)
        assert isinstance(libraries + python, str)


def test_results_cut_short_are_none(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    write(path, GOOD)
    text = path.read_bytes()
    for length in range(len(text)):
        path.write_bytes(text[:length])
        with pytest.raises(ValueError, match=r"."):
            read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ValueError, match="directory"):
        read(path)
