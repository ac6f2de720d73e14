"""The cost of a new TLS connection: by plain requests and botocore, and by the layer, in this process."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certifi
import requests
from botocore.session import Session
from requests.adapters import HTTPAdapter
from vezne.platform import aws, tls
from vezne.providers import http as provider

from .certificates import Authority, make_authority, tls_server
from .measuring import Spread

SAMPLES = 100
ACCOUNT: Any = {"region_name": "eu-central-1", "aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


def connections() -> dict[str, Spread]:
    """Processor milliseconds of this thread for one call over a new connection. The server has its own thread.

    The bundle is the real one, with the server's authority at its end.
    """
    with tempfile.TemporaryDirectory() as directory:
        authority = make_authority(Path(directory))
        bundle = Path(directory) / "bundle.pem"
        bundle.write_bytes(Path(certifi.where()).read_bytes() + authority.certificate.read_bytes())
        return {
            "a provider, requests as it comes": _measured(authority, bundle, _requests),
            "a provider, Vezne": _measured(authority, bundle, _ours),
            "DynamoDB, botocore as it comes": _measured(authority, bundle, _botocore),
            "DynamoDB, Vezne": _measured(authority, bundle, _our_aws),
        }


def _requests(url: str, bundle: Path) -> Callable[[], object]:
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", HTTPAdapter(max_retries=0))

    def call() -> None:
        session.post(url, data=b"{}", verify=str(bundle), timeout=5)
        session.close()

    return call


def _ours(url: str, bundle: Path) -> Callable[[], object]:
    _trust(bundle)
    os.environ["BENCH_URL"] = url
    one, deadline = provider.Provider("BENCH_URL"), provider.Deadline(lambda: 20_000)

    def call() -> None:
        one.send(one.prepare(provider.json_request("/", {}, {})), deadline)
        one._forget_connections()

    return call


def _botocore(url: str, bundle: Path) -> Callable[[], object]:
    return _reading(Session().create_client("dynamodb", endpoint_url=url, verify=str(bundle), **ACCOUNT))


def _our_aws(url: str, bundle: Path) -> Callable[[], object]:
    _trust(bundle)
    return _reading(aws._session().create_client("dynamodb", endpoint_url=url, **ACCOUNT))


def _reading(client: Any) -> Callable[[], object]:
    def call() -> None:
        client.get_item(TableName="records", Key={"id": {"S": "op_a"}})
        client.close()

    return call


def _trust(bundle: Path) -> None:
    """Add this bundle to the layer's context."""
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        os.environ.pop(name, None)
    replaced: Any = tls
    replaced.where = lambda: str(bundle)
    replaced.context.cache_clear()


def _measured(authority: Authority, bundle: Path, make: Callable[[str, Path], Callable[[], object]]) -> Spread:
    with tls_server(authority) as (port, _):
        call = make(f"https://127.0.0.1:{port}", bundle)
        call()
        taken = []
        for _ in range(SAMPLES):
            begun = time.thread_time_ns()
            call()
            taken.append((time.thread_time_ns() - begun) / 1e6)
        return Spread.of(taken)
