"""Programs as pytest items: ``pytest --codediff docs``.

Every run of pytest loads this module: what only ``--codediff`` needs is imported with it.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("codediff")
    group.addoption("--codediff", action="store_true", help="run the code that Sphinx pages show")
    group.addoption("--codediff-update", action="store_true", help="with --codediff, write outputs")
    parser.addini("codediff_source", "source folder of the pages, if not the first argument")
    parser.addini("codediff_timeout", "seconds a program may take; 0 is no limit", default="60")
    parser.addini("codediff_cwd", "working directory of programs, if not a temporary folder each")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Keep workers of pytest-xdist from clearing the cache that the controller has filled."""
    if config.getoption("--codediff") and hasattr(config, "workerinput"):
        config.option.cacheclear = False


def pytest_configure(config: pytest.Config) -> None:
    """Have the pages read and their programs collected."""
    if config.getoption("--codediff"):
        from .programs.session import NAME, Session

        config.pluginmanager.register(Session(config), NAME)
