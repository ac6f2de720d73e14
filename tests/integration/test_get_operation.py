"""GET /operations/{operation_id}: what the table says, for the client that owns it."""

import pytest

from tests.support.bench import Harness
from tests.support.example import Example
from tests.support.operations import EXAMPLES
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.provider_server import HANG_UP
from tests.support.wire import answered, unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)


@each_operation
def test_a_success_is_read_as_it_was_answered(bench: Harness, example: Example) -> None:
    response = answered(bench, example, example.success)
    read = bench.read(response.body["operation_id"])
    assert (read.status, read.body) == (200, response.body)
    assert "Retry-After" not in read.headers


@each_operation
def test_a_refusal(bench: Harness, example: Example) -> None:
    response = answered(bench, example, example.refusal)
    read = bench.read(response.body["operation_id"])
    assert (read.status, read.body["status"]) == (200, "declined")
    assert read.body["refusal"]["code"] == response.body["provider_code"]
    assert read.body["refusal"]["text"] == response.body["provider_text"]
    assert "result" not in read.body


@each_operation
def test_an_unknown_outcome(bench: Harness, example: Example) -> None:
    read = bench.read(unknown_order(bench, example))
    assert (read.status, read.body["status"]) == (200, "unknown")
    assert read.headers["Retry-After"]
    assert "result" not in read.body


@each_operation
def test_one_that_is_running(bench: Harness, example: Example) -> None:
    read = bench.read(bench.stand(example).id)
    assert (read.status, read.body["status"]) == (200, "processing")
    assert read.headers["Retry-After"]


def test_one_that_was_not_executed(bench: Harness) -> None:
    standing = bench.stand(KOLAYBI)
    bench.store.finalise(standing, "not_executed", {})
    read = bench.read(standing.id)
    assert (read.status, read.body["status"]) == (200, "not_executed")


def test_reading_an_operation_writes_nothing(bench: Harness) -> None:
    known = unknown_order(bench, KOLAYBI)
    bench.table_calls.clear()
    bench.read(known)
    assert bench.table_calls == ["GetItem"]
    assert bench.server.calls == []


@pytest.mark.parametrize(
    "wanted", ["", "op_", "op_AAAAAAAAAAAAAAAAAAAAAAAAAA", "op_aaaaaaaaaaaaaaaaaaaaaaaaa1", "x", "op_" + "a" * 27]
)
def test_a_text_that_is_no_operation_id_is_not_searched(bench: Harness, wanted: str) -> None:
    assert bench.read(wanted).status == 404
    assert bench.table_calls == []


@pytest.mark.parametrize("kind", ["guard", "secret"])
def test_other_items_of_the_table_cannot_be_read(bench: Harness, kind: str) -> None:
    bench.server.on(KOLAYBI.route, HANG_UP)
    assert bench.read(f"{kind}#vakifbank").status == 404


def test_a_token_without_client(bench: Harness) -> None:
    assert bench.read("op_aaaaaaaaaaaaaaaaaaaaaaaaaa", client=None).status == 403


def test_a_table_that_does_not_answer(bench: Harness) -> None:
    known = unknown_order(bench, KOLAYBI)
    bench.fail_table("GetItem")
    read = bench.read(known)
    assert (read.status, read.slug) == (503, "store-unavailable")
    # Nothing is known, so it must not say that nothing moved.
    assert (read.body["money"], read.body["retry"]) == ("unknown", "same_key")


def test_nothing_internal_is_shown(bench: Harness) -> None:
    read = bench.read(unknown_order(bench, KOLAYBI))
    assert set(read.body) <= {"operation_id", "operation", "status", "created_at", "updated_at", "money", "retry"}


def test_an_id_in_the_path_is_decoded(bench: Harness) -> None:
    operation_id = unknown_order(bench, KOLAYBI)
    assert bench.read(operation_id.replace("_", "%5F")).status == 200
    response = bench.read(f"{operation_id}%")
    assert (response.status, response.slug, response.body["money"]) == (404, "operation-not-found", "unknown")
