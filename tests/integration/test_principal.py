"""Keys and operations belong to the principal that the token names, not to a client."""

import pytest

from tests.support.bench import Harness, Response, api_event
from tests.support.example import Example
from tests.support.operations import EXAMPLES
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.provider_server import HANG_UP
from tests.support.wire import answered

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def send(bench: Harness, example: Example, client: str, scope: str) -> Response:
    return bench.send(example, client=client, scope=scope)


@each_operation
def test_another_client_of_the_same_principal_repeats_the_order_and_does_not_send_it_again(
    bench: Harness, example: Example
) -> None:
    first = answered(bench, example, example.success, client="old-id", scope="vezne/any principal/shop")
    again = answered(bench, example, example.success, client="new-id", scope="principal/shop vezne/any")
    assert (first.status, again.status, again.replayed) == (200, 200, True)
    assert len(bench.server.to(example.route)) == 1
    operation_id = first.body["operation_id"]
    assert bench.read(operation_id, client="new-id", scope="principal-2/shop").status == 200
    assert bench.read(operation_id, client="old-id", scope="principal/another").status == 404


def test_an_order_without_an_answer_is_not_sent_again_by_a_replacement_of_its_client(bench: Harness) -> None:
    assert answered(bench, KOLAYBI, HANG_UP, client="old-id", scope="principal/shop").status == 202
    bench.clock.advance(60)
    bench.server.on(KOLAYBI.look_up_route, KOLAYBI.not_found)
    assert send(bench, KOLAYBI, "new-id", "principal/shop").status == 202
    assert len(bench.server.to(KOLAYBI.route)) == 1


@each_operation
@pytest.mark.parametrize(
    "scope",
    ["vezne/any", "principal/a principal/b", "principal/", "principal/a/b", "principal/standing-order", "xprincipal/a",
     f"principal/{'a' * 65}", "principal/a:b"],
)  # fmt: skip
def test_a_token_that_does_not_name_one_principal_is_refused(bench: Harness, example: Example, scope: str) -> None:
    response = send(bench, example, "client-1", scope)
    assert (response.status, response.slug, response.body["money"]) == (403, "forbidden", "unknown")
    assert "principal" in response.body["detail"]
    assert bench.server.calls == []
    assert bench.records() == []


def test_the_principal_of_the_first_client_is_its_own_id(bench: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_CLIENT_ID", "first-id")
    bench.server.on(KOLAYBI.route, KOLAYBI.success)
    done = send(bench, KOLAYBI, "first-id", "vezne/kolaybi.collect")
    assert done.status == 200
    assert bench.record(done.body["operation_id"]).principal == "first-id"
    assert bench.read(done.body["operation_id"], client="first-id", scope="vezne/operations.read").status == 200
    assert send(bench, KOLAYBI, "second-id", "vezne/kolaybi.collect").status == 403


def test_without_a_first_client_no_token_counts_as_its(bench: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_CLIENT_ID", "")
    assert send(bench, KOLAYBI, "", "vezne/any").status == 403


def test_an_inquiry_needs_no_principal(bench: Harness) -> None:
    event = api_event("/route", None, None, key=None, scope="vezne/kolaybi.list_vaults")
    bench.server.on("GET /kolaybi/v1/vaults", KOLAYBI.not_found)
    assert bench.handle("kolaybi_list_vaults", event)["statusCode"] == 200
