"""Keys and operations belong to the principal that the token names, not to a client."""

import pytest

from tests.support.example import Example
from tests.support.harness import Harness, Response, api_event
from tests.support.operations import EXAMPLES
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.provider_server import HANG_UP
from tests.support.wire import answered

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def send(harness: Harness, example: Example, client: str, scope: str) -> Response:
    return harness.send(example, client=client, scope=scope)


@each_operation
def test_another_client_of_the_same_principal_repeats_the_order_and_does_not_send_it_again(
    harness: Harness, example: Example
) -> None:
    first = answered(harness, example, example.success, client="old-id", scope="vezne/any principal/shop")
    again = answered(harness, example, example.success, client="new-id", scope="principal/shop vezne/any")
    assert (first.status, again.status, again.replayed) == (200, 200, True)
    assert len(harness.server.to(example.route)) == 1
    operation_id = first.body["operation_id"]
    assert harness.read(operation_id, client="new-id", scope="principal-2/shop").status == 200
    assert harness.read(operation_id, client="old-id", scope="principal/another").status == 404


def test_an_order_without_an_answer_is_not_sent_again_by_a_replacement_of_its_client(harness: Harness) -> None:
    assert answered(harness, KOLAYBI, HANG_UP, client="old-id", scope="principal/shop").status == 202
    harness.clock.advance(60)
    harness.server.on(KOLAYBI.look_up_route, KOLAYBI.not_found)
    assert send(harness, KOLAYBI, "new-id", "principal/shop").status == 202
    assert len(harness.server.to(KOLAYBI.route)) == 1


@each_operation
@pytest.mark.parametrize(
    "scope",
    ["vezne/any", "principal/a principal/b", "principal/", "principal/a/b", "principal/standing-order", "xprincipal/a",
     f"principal/{'a' * 65}", "principal/a:b"],
)  # fmt: skip
def test_a_token_that_does_not_name_one_principal_is_refused(harness: Harness, example: Example, scope: str) -> None:
    response = send(harness, example, "client-1", scope)
    assert (response.status, response.slug, response.body["money"]) == (403, "forbidden", "unknown")
    assert "principal" in response.body["detail"]
    assert harness.server.calls == []
    assert harness.records() == []


def test_the_principal_of_the_first_client_is_its_own_id(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_CLIENT_ID", "first-id")
    harness.server.on(KOLAYBI.route, KOLAYBI.success)
    done = send(harness, KOLAYBI, "first-id", "vezne/kolaybi.collect")
    assert done.status == 200
    assert harness.record(done.body["operation_id"]).principal == "first-id"
    assert harness.read(done.body["operation_id"], client="first-id", scope="vezne/operations.read").status == 200
    assert send(harness, KOLAYBI, "second-id", "vezne/kolaybi.collect").status == 403


def test_without_a_first_client_no_token_counts_as_its(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_CLIENT_ID", "")
    assert send(harness, KOLAYBI, "", "vezne/any").status == 403


def test_an_inquiry_needs_no_principal(harness: Harness) -> None:
    event = api_event("/route", None, None, key=None, scope="vezne/kolaybi.list_vaults")
    harness.server.on("GET /kolaybi/v1/vaults", KOLAYBI.not_found)
    assert harness.handle("kolaybi_list_vaults", event)["statusCode"] == 200
