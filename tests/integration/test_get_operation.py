"""GET /operations/{operation_id}: what the table says, for the client that owns it."""

import pytest

from tests.support.example import Example
from tests.support.harness import Harness
from tests.support.operations import EXAMPLES
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.provider_server import HANG_UP
from tests.support.wire import answered, unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)


@each_operation
def test_a_success_is_read_as_it_was_answered(harness: Harness, example: Example) -> None:
    response = answered(harness, example, example.success)
    read = harness.read(response.body["operation_id"])
    assert (read.status, read.body) == (200, response.body)
    assert "Retry-After" not in read.headers


@each_operation
def test_a_refusal(harness: Harness, example: Example) -> None:
    response = answered(harness, example, example.refusal)
    read = harness.read(response.body["operation_id"])
    assert (read.status, read.body["status"]) == (200, "declined")
    assert read.body["refusal"]["code"] == response.body["provider_code"]
    assert read.body["refusal"]["text"] == response.body["provider_text"]
    assert "result" not in read.body
    assert (read.body["money"], read.body["retry"]) == (response.body["money"], response.body["retry"])


@each_operation
def test_an_unknown_outcome(harness: Harness, example: Example) -> None:
    read = harness.read(unknown_order(harness, example))
    assert (read.status, read.body["status"]) == (200, "unknown")
    assert read.headers["Retry-After"]
    assert "result" not in read.body


@each_operation
def test_the_longer_an_outcome_is_unknown_the_later_it_is_to_be_read_again(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading looks nothing up, so it is the age that counts."""
    monkeypatch.setattr("vezne.api.handle_operations.Store", lambda: harness.store)
    known = unknown_order(harness, example)
    waits = []
    for _ in range(9):
        waits.append(int(harness.read(known).headers["Retry-After"]))
        harness.clock.advance(waits[-1])
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


@each_operation
def test_the_doubt_about_an_order_that_was_killed_begins_with_the_end_of_its_lease(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vezne.api.handle_operations.Store", lambda: harness.store)
    standing = harness.stand(example)
    harness.clock.now = standing.lease_until - 1
    assert harness.read(standing.id).headers["Retry-After"] == "5"
    harness.clock.now = standing.lease_until + 20
    assert harness.read(standing.id).headers["Retry-After"] == "20"


@each_operation
def test_one_that_is_running(harness: Harness, example: Example) -> None:
    read = harness.read(harness.stand(example).id)
    assert (read.status, read.body["status"]) == (200, "processing")
    assert read.headers["Retry-After"]


def test_one_that_was_not_executed(harness: Harness) -> None:
    standing = harness.stand(KOLAYBI)
    harness.store.finalise(standing, "not_executed", {})
    read = harness.read(standing.id)
    assert (read.status, read.body["status"]) == (200, "not_executed")


def test_reading_an_operation_writes_nothing(harness: Harness) -> None:
    known = unknown_order(harness, KOLAYBI)
    harness.table_calls.clear()
    harness.read(known)
    assert harness.table_calls == ["GetItem"]
    assert harness.server.calls == []


@pytest.mark.parametrize(
    "wanted", ["", "op_", "op_AAAAAAAAAAAAAAAAAAAAAAAAAA", "op_aaaaaaaaaaaaaaaaaaaaaaaaa1", "x", "op_" + "a" * 27]
)
def test_a_text_that_is_no_operation_id_is_not_searched(harness: Harness, wanted: str) -> None:
    assert harness.read(wanted).status == 404
    assert harness.table_calls == []


@pytest.mark.parametrize("kind", ["guard", "secret"])
def test_other_items_of_the_table_cannot_be_read(harness: Harness, kind: str) -> None:
    harness.server.on(KOLAYBI.route, HANG_UP)
    assert harness.read(f"{kind}#vakifbank").status == 404


def test_a_token_without_client(harness: Harness) -> None:
    assert harness.read("op_aaaaaaaaaaaaaaaaaaaaaaaaaa", client=None).status == 403


def test_a_table_that_does_not_answer(harness: Harness) -> None:
    known = unknown_order(harness, KOLAYBI)
    harness.fail_table("GetItem")
    read = harness.read(known)
    assert (read.status, read.slug) == (503, "store-unavailable")
    # Nothing is known, so it must not say that nothing moved.
    assert (read.body["money"], read.body["retry"]) == ("unknown", "same_key")


def test_nothing_internal_is_shown(harness: Harness) -> None:
    read = harness.read(unknown_order(harness, KOLAYBI))
    assert set(read.body) <= {
        "operation_id", "operation", "status", "created_at", "updated_at", "money", "retry", "amount", "currency",
        "provider_reference",
    }  # fmt: skip


def test_an_id_in_the_path_is_decoded(harness: Harness) -> None:
    operation_id = unknown_order(harness, KOLAYBI)
    assert harness.read(operation_id.replace("_", "%5F")).status == 200
    response = harness.read(f"{operation_id}%")
    assert (response.status, response.slug, response.body["money"]) == (404, "operation-not-found", "unknown")
