"""One local stack for all end-to-end tests."""

import sys
from collections.abc import Iterator

import pytest
from vezne_cli.catalogue import PROVIDERS
from vezne_cli.stack import Stack, running_stack
from vezne_client import Client

from tests.end_to_end.callers import credentials
from tests.support.breakers import never_opens


@pytest.fixture(scope="session")
def whole_stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The stack of this session. Its progress is shown even if output is captured."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            sys.stderr.write(f"\n  {text}")
            sys.stderr.flush()

    with running_stack(say) as stack:
        # Many tests make a provider fail. The breaker must not stop the orders of the next test.
        for provider in PROVIDERS:
            stack.aws("dynamodb").put_item(TableName=stack.table, Item=never_opens(provider))
        yield stack


@pytest.fixture
def stack(whole_stack: Stack) -> Iterator[Stack]:
    """The stack. Its providers have no faults at the start and at the end of each test."""
    whole_stack.sandbox.remove_rules()
    yield whole_stack
    whole_stack.sandbox.remove_rules()


@pytest.fixture(scope="module")
def token(whole_stack: Stack) -> str:
    """A token of the first client, with every scope. It is good for 15 minutes, and all files together take longer."""
    return whole_stack.token()


@pytest.fixture
def vezne(stack: Stack) -> Iterator[Client]:
    """The typed client, as the first client of the stack."""
    with Client(stack.api_url, credentials(stack)) as client:
        yield client
