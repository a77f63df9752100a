"""Runners that tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codediff.execution.data import Outcome, Piece, Program
from codediff.execution.runner import Runner

from .programs import Block, make

Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def shared() -> Iterator[dict[bool, Runner]]:
    """One runner that measures and one that does not, for all tests with the same root."""
    with Runner(root=Path("/")) as plain, Runner(root=Path("/"), measure=True) as measuring:
        yield {False: plain, True: measuring}


@pytest.fixture
def run(shared: dict[bool, Runner], tmp_path: Path) -> Run:
    """Return a function that writes blocks to a page and runs them."""

    def go(
        *blocks: Block, timeout: float | None = 20, measure: bool = False, **keywords
    ) -> Outcome:
        name = str(tmp_path.relative_to("/") / "page.rst")
        program = make(Path("/"), *blocks, name=name, **keywords)
        outcome = shared[measure].run(program, timeout)
        # After whatever happened, the next program runs as if nothing had.
        assert shared[measure].run(Program("next", "next", (Piece("code", "1", "x", 1),))).passed
        return outcome

    return go
