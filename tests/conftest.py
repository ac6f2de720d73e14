"""Fixtures of the tests that run the code in this process, and what of a run is common to all its processes."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Powertools reads these when it is imported; in Lambda the template sets them.
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "vezne")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Vezne")
os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "INFO")

import pytest
from moto import mock_aws

from tests.support import results
from tests.support.example import BASES
from tests.support.harness import Harness, forget_everything
from tests.support.provider_server import ProviderServer
from tests.support.seed import SEED


@pytest.fixture(scope="session")
def one_provider_server() -> Iterator[ProviderServer]:
    server = ProviderServer()
    yield server
    server.close()


@pytest.fixture
def provider_server(one_provider_server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    """The recording server in the place of all five providers."""
    one_provider_server.reset()
    for name in ("KOLAYBI", "VAKIFBANK", "WALLETGATE", "WALLETGATE_IDENTITY", "PAYNET"):
        monkeypatch.setenv(f"{name}_URL", one_provider_server.url)
    monkeypatch.setenv("HASO_URL", f"{one_provider_server.url}{BASES['haso']}")
    return one_provider_server


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto in the place of AWS, and the layer as new as in a fresh function instance."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    forget_everything()
    with mock_aws():
        yield
    forget_everything()


@pytest.fixture
def harness(aws: None, provider_server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    harness = Harness(provider_server, monkeypatch.setenv)
    monkeypatch.setattr("vezne.api.handle_order.Store", lambda: harness.store)
    yield harness
    harness.close()


# The tests of a deployed stack share it; these have their own.
OWN_STACK = ("test_layer.py", "test_set_up.py", "test_versions.py")
# What takes longest, in the order in which it is begun. If it began last, the other processes would wait for it.
FIRST = (
    "tests/end_to_end", "tests/faults/test_faulty_answers", "tests/faults/test_kills", "tests/faults/",
    "tests/integration/test_new_operation", "tests/integration/",
)  # fmt: skip
# What tests of faults tried: lines that say it, and tables.
_lines: list[str] = []
_tables: list[list[str]] = []
# By drill: how many outcomes were unknown, and what became of them.
_unknown: dict[str, Counter[str]] = defaultdict(Counter)


def group(nodeid: str) -> str:
    """What one of several processes gets as a whole: a file, or all that share a stack.

    There are two such stacks. The tests in the folders under `end_to_end` start runtimes and containers beside theirs.
    """
    file = nodeid.partition("::")[0]
    if not file.startswith("tests/end_to_end/") or file.endswith(OWN_STACK):
        return file
    return "tests/end_to_end" if file.count("/") == 2 else "tests/end_to_end/*"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where there are several processes, each gets whole groups, in the order of the collection.

    Not by xdist's groups: version 3.8 does not find them with pytest 9.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    config.option.loadscopereorder = False
    return ByGroup(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In one of several processes, what takes longest comes first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: [not group(item.nodeid).startswith(name) for name in FIRST])


def pytest_report_header() -> str:
    return f"faults: VEZNE_FAULTS_SEED={SEED}"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "teardown":
        for name, lines in report.user_properties:
            if name == "faults" and isinstance(lines, list):
                _tables.append(lines) if len(lines) > 1 else _lines.extend(lines)
            if name == "unknown" and isinstance(lines, dict):
                _unknown[lines["drill"]].update(lines["found"])


def _of_unknown_outcomes() -> list[str]:
    from tests.faults.reconciled import told_by_drill

    return told_by_drill(_unknown) if _unknown else []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    printed = [table for table in (_lines, _of_unknown_outcomes(), *_tables) if table]
    if not printed:
        return
    terminalreporter.section(f"faults (VEZNE_FAULTS_SEED={SEED})")
    for line in "\n\n".join("\n".join(table) for table in printed).splitlines():
        terminalreporter.write_line(line)
    # Set by `make faults` for a run of everything.
    if os.environ.get("VEZNE_WRITE_RESULTS") and not exitstatus:
        results.write(Path(__file__).parent / "faults" / "RESULTS.md", "make faults", printed)
