"""The certificate authorities are read once per process, and every certificate is still verified."""

import ssl
from collections.abc import Iterator
from typing import Any

import certifi
import pytest
from botocore.exceptions import SSLError
from botocore.httpsession import get_cert_path
from requests.adapters import DEFAULT_CA_BUNDLE_PATH
from vezne.platform import aws, tls
from vezne.providers import http as provider
from vezne.providers.http import Deadline, NotSentError, Provider, json_request

from tests.performance.certificates import Authority, make_authority, tls_server

DEADLINE = Deadline(lambda: 20_000)


class CountingContext(ssl.SSLContext):
    """Counts how often any context reads certificate authorities."""

    readings = 0

    def load_verify_locations(self, *arguments: Any, **named: Any) -> None:
        CountingContext.readings += 1
        super().load_verify_locations(*arguments, **named)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def new_context(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The layer in the state of a new process. Each reading of the authorities is counted."""
    forget: Any = tls.context
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("urllib3.util.ssl_.SSLContext", CountingContext)
    CountingContext.readings = 0
    forget.cache_clear()
    yield
    forget.cache_clear()


def send(port: int, host: str, monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    monkeypatch.setenv("TLS_PROVIDER_URL", f"https://{host}:{port}")
    one = Provider("TLS_PROVIDER_URL")
    for _ in range(times):
        assert one.send(one.prepare(json_request("/", {"amount": 1}, {})), DEADLINE).body == b"{}"
        one._forget_connections()


@pytest.mark.usefixtures("new_context")
def test_three_connections_read_the_authorities_once(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vezne.platform.tls.where", lambda: str(authority.certificate))
    with tls_server(authority) as (port, bodies):
        send(port, "127.0.0.1", monkeypatch, times=3)
        assert len(bodies) == 3
    assert CountingContext.readings == 1


@pytest.mark.usefixtures("new_context")
def test_two_providers_share_the_authorities(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vezne.platform.tls.where", lambda: str(authority.certificate))
    with tls_server(authority) as (port, _):
        send(port, "127.0.0.1", monkeypatch)
        send(port, "127.0.0.1", monkeypatch)
    assert CountingContext.readings == 1


def call_aws(service: str, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://127.0.0.1:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    session = aws._session.__wrapped__()
    for _ in range(2):
        client: Any = session.create_client(service)
        if service == "dynamodb":
            client.get_item(TableName="records", Key={"id": {"S": "op_a"}})
        else:
            client.get_secret_value(SecretId="paynet")
        client.close()


@pytest.mark.usefixtures("new_context")
def test_aws_and_the_providers_share_the_authorities(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vezne.platform.tls.where", lambda: str(authority.certificate))
    with tls_server(authority) as (port, bodies):
        call_aws("dynamodb", port, monkeypatch)
        call_aws("secretsmanager", port, monkeypatch)
        send(port, "127.0.0.1", monkeypatch)
        assert len(bodies) == 5
    assert CountingContext.readings == 1


@pytest.mark.usefixtures("new_context")
def test_aws_is_verified(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with tls_server(authority) as (port, bodies):
        with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            call_aws("dynamodb", port, monkeypatch)
        assert bodies == []


@pytest.mark.usefixtures("new_context")
def test_a_bundle_that_is_named_for_aws_is_read(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.certificate))
    with tls_server(authority) as (port, bodies):
        call_aws("dynamodb", port, monkeypatch)
        assert len(bodies) == 2


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
    monkeypatch.setattr("vezne.platform.tls.where", lambda: str(authority.certificate))
    with tls_server(authority) as (port, bodies):
        with pytest.raises(NotSentError, match="SSLError"):
            send(port, "localhost", monkeypatch)
        assert bodies == []


@pytest.mark.usefixtures("new_context")
def test_an_unverified_connection_is_impossible(authority: Authority) -> None:
    with tls_server(authority) as (port, bodies):
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            provider._money_session().post(f"https://127.0.0.1:{port}/", json={}, verify=False)
        assert bodies == []


@pytest.mark.usefixtures("new_context")
def test_the_bundle_is_the_one_of_requests_and_botocore() -> None:
    assert certifi.where() == DEFAULT_CA_BUNDLE_PATH == get_cert_path(True)
    context: Any = tls.context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] > 100
    assert tls.context() is context
