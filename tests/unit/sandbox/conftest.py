from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from vezne_sandbox.server import running_sandbox

from tests.unit.sandbox.orders import Merchant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vezne_sandbox.client import SandboxControl


@pytest.fixture(scope="session")
def server() -> Iterator[SandboxControl]:
    with running_sandbox() as control:
        yield control


@pytest.fixture
def sandbox(server: SandboxControl) -> SandboxControl:
    server.reset()
    return server


@pytest.fixture(scope="session")
def session_merchant(server: SandboxControl) -> Iterator[Merchant]:
    merchant = Merchant(server.url)
    yield merchant
    merchant.close()


@pytest.fixture
def merchant(session_merchant: Merchant, sandbox: SandboxControl) -> Merchant:
    session_merchant.http.timeout = 5
    return session_merchant
