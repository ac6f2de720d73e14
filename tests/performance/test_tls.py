"""The certificate authorities are read once per process, and every certificate is still verified."""

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from vezne import provider
from vezne.provider import Deadline, NotSentError, Provider, json_request

from tests.performance.certificates import Authority, make_authority, tls_server

DEADLINE = Deadline(lambda: 20_000)


class CountingContext(ssl.SSLContext):
    """Counts how often certificate authorities are read, by whichever context."""

    readings = 0

    def load_verify_locations(self, *arguments: Any, **named: Any) -> None:
        CountingContext.readings += 1
        super().load_verify_locations(*arguments, **named)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def new_context(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The layer as in a new process, with every reading of the authorities counted."""
    monkeypatch.setattr("urllib3.util.ssl_.SSLContext", CountingContext)
    CountingContext.readings = 0
    provider.tls_context.cache_clear()
    yield
    provider.tls_context.cache_clear()


def send(port: int, host: str, monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    monkeypatch.setenv("TLS_PROVIDER_URL", f"https://{host}:{port}")
    one = Provider("TLS_PROVIDER_URL")
    for _ in range(times):
        assert one.send(one.prepare(json_request("/", {"amount": 1}, {})), DEADLINE).body == b"{}"
        one._forget_connections()


@pytest.mark.usefixtures("new_context")
def test_three_connections_read_the_authorities_once(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vezne.provider.DEFAULT_CA_BUNDLE_PATH", str(authority.certificate))
    with tls_server(authority) as (port, bodies):
        send(port, "127.0.0.1", monkeypatch, times=3)
        assert len(bodies) == 3
    assert CountingContext.readings == 1


@pytest.mark.usefixtures("new_context")
def test_two_providers_share_the_authorities(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vezne.provider.DEFAULT_CA_BUNDLE_PATH", str(authority.certificate))
    with tls_server(authority) as (port, _):
        send(port, "127.0.0.1", monkeypatch)
        send(port, "127.0.0.1", monkeypatch)
    assert CountingContext.readings == 1


@pytest.mark.usefixtures("new_context")
def test_an_authority_that_is_not_in_the_bundle_is_refused(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_server(authority) as (port, bodies):
        with pytest.raises(NotSentError, match="SSLError"):
            send(port, "127.0.0.1", monkeypatch)
        assert bodies == []


@pytest.mark.usefixtures("new_context")
def test_a_certificate_of_another_host_is_refused(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vezne.provider.DEFAULT_CA_BUNDLE_PATH", str(authority.certificate))
    with tls_server(authority) as (port, bodies):
        with pytest.raises(NotSentError, match="SSLError"):
            send(port, "localhost", monkeypatch)
        assert bodies == []


@pytest.mark.usefixtures("new_context")
def test_nobody_can_ask_for_an_unverified_connection(authority: Authority) -> None:
    with tls_server(authority) as (port, bodies):
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            provider._money_session().post(f"https://127.0.0.1:{port}/", json={}, verify=False)
        assert bodies == []


def test_the_bundle_is_the_one_of_requests() -> None:
    provider.tls_context.cache_clear()
    context = provider.tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] > 100
    assert provider.tls_context() is context
