"""Fixtures of the tests that run the code in this process, and what of a run is common to all its processes."""

import os
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


# Folders whose tests share what takes long to make, or can be had only once: a deployed stack, the world of faults.
ONE_PROCESS = ("end_to_end", "faults")
# Of these, the files that share nothing with the others.
APART = (
    "test_layer.py", "test_set_up.py", "test_versions.py",
    "test_chaos.py", "test_model.py", "test_reconciliation_model.py",
)  # fmt: skip
# What tests of faults tried: lines that say it, and tables.
_lines: list[str] = []
_tables: list[list[str]] = []


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where there are several processes, one gets all tests of such a folder. Of the others, each gets whole files.

    Not by xdist's groups: version 3.8 does not find them with pytest 9.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFolder(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            folder = file.removeprefix("tests/").partition("/")[0]
            return folder if folder in ONE_PROCESS and not file.endswith(APART) else file

    return ByFolder(config, log)


def pytest_report_header() -> str:
    return f"faults: VEZNE_FAULTS_SEED={SEED}"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "teardown":
        for name, lines in report.user_properties:
            if name == "faults" and isinstance(lines, list):
                _tables.append(lines) if len(lines) > 1 else _lines.extend(lines)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    printed = [table for table in (_lines, *_tables) if table]
    if not printed:
        return
    terminalreporter.section(f"faults (VEZNE_FAULTS_SEED={SEED})")
    for line in "\n\n".join("\n".join(table) for table in printed).splitlines():
        terminalreporter.write_line(line)
    # Set by `make faults` for a run of everything.
    if os.environ.get("VEZNE_WRITE_RESULTS") and not exitstatus:
        results.write(Path(__file__).parent / "faults" / "RESULTS.md", "make faults", printed)
