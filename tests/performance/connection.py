"""What a new TLS connection to a provider costs: by requests as it comes, and by the layer, in this process."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from vezne import provider

from .certificates import Authority, make_authority, tls_server
from .measuring import Spread

SAMPLES = 100


def connections() -> dict[str, Spread]:
    """Processor milliseconds of this thread for one call over a new connection; the server's part is its own thread's.

    The bundle is the real one with the server's authority behind it.
    """
    with tempfile.TemporaryDirectory() as directory:
        authority = make_authority(Path(directory))
        bundle = Path(directory) / "bundle.pem"
        bundle.write_bytes(Path(DEFAULT_CA_BUNDLE_PATH).read_bytes() + authority.certificate.read_bytes())
        return {
            "requests as it comes": _measured(authority, bundle, _as_it_comes),
            "Vezne": _measured(authority, bundle, _ours),
        }


def _as_it_comes(url: str, bundle: Path) -> Callable[[], object]:
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", HTTPAdapter(max_retries=0))

    def call() -> None:
        session.post(url, data=b"{}", verify=str(bundle), timeout=5)
        session.close()

    return call


def _ours(url: str, bundle: Path) -> Callable[[], object]:
    replaced: Any = provider
    replaced.DEFAULT_CA_BUNDLE_PATH = str(bundle)
    provider.tls_context.cache_clear()
    os.environ["BENCH_URL"] = url
    one, deadline = provider.Provider("BENCH_URL"), provider.Deadline(lambda: 20_000)

    def call() -> None:
        one.send(one.prepare(provider.json_request("/", {}, {})), deadline)
        one._forget_connections()

    return call


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
