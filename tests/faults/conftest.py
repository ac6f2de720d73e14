"""One MiniStack, one sandbox and one nursery for all tests of this folder; tables that the run prints at its end."""

import os
from collections.abc import Iterator

import pytest

from tests.faults.world import Function, World, running_world

_printed: list[str] = []
# The same in every run, unless another one is asked for.
SEED = int(os.environ.get("VEZNE_FAULTS_SEED") or 1)


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of everything that is chosen by chance; VEZNE_FAULTS_SEED repeats a run."""
    return SEED


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with running_world() as running:
        yield running


@pytest.fixture
def function(world: World, request: pytest.FixtureRequest) -> Function:
    """The function of the operation a test is parametrized with, with an empty table; the sandboxes start anew."""
    world.sandbox.reset()
    return world.function(request.param)


@pytest.fixture
def report() -> Iterator[list[str]]:
    """Lines to be printed at the end of the run."""
    lines: list[str] = []
    yield lines
    _printed.extend(["", *lines, ""] if len(lines) > 1 else lines)


def pytest_report_header() -> str:
    return f"faults: VEZNE_FAULTS_SEED={SEED}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _printed:
        terminalreporter.section(f"faults (VEZNE_FAULTS_SEED={SEED})")
        for line in _printed:
            terminalreporter.write_line(line)
