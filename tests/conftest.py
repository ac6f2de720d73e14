"""Fixtures of the tests that run the code in this process: unit, contract, integration."""

import os
from collections.abc import Iterator

# Powertools reads these when it is imported; in Lambda the template sets them.
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "vezne")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Vezne")
os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "INFO")

import pytest
from moto import mock_aws

from tests.support.bench import Harness, forget_everything
from tests.support.example import BASES
from tests.support.provider_server import ProviderServer


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
def bench(aws: None, provider_server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    bench = Harness(provider_server, monkeypatch.setenv)
    monkeypatch.setattr("vezne.api.handle_order.Store", lambda: bench.store)
    yield bench
    bench.close()
