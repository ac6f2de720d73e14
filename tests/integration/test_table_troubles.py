"""The table or the secret store fails, or the time is over, at other moments than after the claim."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from vezne.orders import store as store_module
from vezne.orders.store import StoreUnavailableError
from vezne.providers import credentials

from tests.support.example import Example
from tests.support.harness import Harness
from tests.support.operations import EXAMPLES
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.paynet_capture import EXAMPLE as PAYNET
from tests.support.operations.walletgate_pay_bill import EXAMPLE as WALLETGATE
from tests.support.provider_server import HANG_UP, Call, Reply, json_reply
from tests.support.providers import LOGINS
from tests.support.wire import answered, findings, unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)


# -------------------------------------------------------------------- conflicts between transactions


class Conflicts:
    """Let the table cancel the first transactions because of a conflict with another one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int, code: str = "TransactionConflict") -> None:
        client = store_module._client()
        self.tries, self._times, self._code, self._real = 0, times, code, client.transact_write_items
        monkeypatch.setattr(client, "transact_write_items", self)

    def __call__(self, **request: Any) -> Any:
        self.tries += 1
        if self.tries <= self._times:
            answer: Any = {
                "Error": {"Code": "TransactionCanceledException", "Message": ""},
                "CancellationReasons": [{"Code": self._code}, {"Code": "None"}],
            }
            raise ClientError(answer, "TransactWriteItems")
        return self._real(**request)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_conflict_alone_is_tried_again(harness: Harness, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    conflicts = Conflicts(monkeypatch, times)
    assert answered(harness, WALLETGATE, WALLETGATE.success).status == 200
    # The claim twice, and the outcome, which marks the guard as paid.
    assert conflicts.tries == times + 2
    assert len(harness.server.to(WALLETGATE.route)) == 1


def test_an_endless_conflict_is_an_unavailable_table(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    Conflicts(monkeypatch, 99)
    response = answered(harness, WALLETGATE, WALLETGATE.success)
    assert (response.status, response.slug) == (503, "store-unavailable")
    assert harness.server.to(WALLETGATE.route) == []


def test_another_cause_of_a_cancelled_transaction_is_not_tried_again(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflicts = Conflicts(monkeypatch, 1, code="ThrottlingError")
    assert answered(harness, HASO, HASO.success).slug == "store-unavailable"
    # The claim, and taking it back.
    assert conflicts.tries == 2


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "AccessDeniedException", "ValidationException"]
)
def test_a_refusal_by_the_table_proves_nothing_about_the_record(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "x"}}, "GetItem")

    monkeypatch.setattr(store_module._client(), "get_item", refuse)
    with pytest.raises(StoreUnavailableError, match=code):
        harness.store.find("op_aaaaaaaaaaaaaaaaaaaaaaaaaa")


# -------------------------------------------------------------------- before the claim, beside an earlier order


@each_operation
@pytest.mark.parametrize("seconds", [2.0, 27.0], ids=["not prepared", "at the claim"])
def test_an_earlier_order_is_unknown_while_the_table_does_not_answer(
    harness: Harness, example: Example, seconds: float
) -> None:
    """It must not say that no money moved, because it did."""
    assert answered(harness, example, example.success).status == 200
    for name in ("GetItem", "PutItem", "TransactWriteItems"):
        harness.fail_table(name)
    response = harness.send(example, seconds=seconds)
    assert (response.status, response.slug) == (503, "store-unavailable")
    assert (response.body["money"], response.body["retry"]) == ("unknown", "same_key")
    harness.heal_table()
    assert harness.send(example).replayed


@each_operation
def test_an_earlier_order_is_unknown_after_an_error_before_the_claim(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug")

    assert answered(harness, example, example.success).status == 200
    with monkeypatch.context() as patch:
        patch.setattr("vezne.orders.execute._new_record", fail)
        response = harness.send(example)
    if example.asked_first:
        # It has found its record before the error, and answers it.
        assert (response.status, response.replayed) == (200, True)
    else:
        assert (response.status, response.slug) == (500, "internal")
        assert (response.body["money"], response.body["retry"]) == ("unknown", "same_key")
    assert harness.send(example).replayed


@each_operation
def test_an_unknown_order_that_cannot_be_taken_over_stays_unknown(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    harness.fail_table("UpdateItem")
    response = harness.send(example)
    assert (response.status, response.body["status"], response.replayed) == (202, "unknown", True)
    assert harness.server.to(example.look_up_route) == []
    harness.heal_table()
    assert harness.record(known).status == "unknown"


@pytest.mark.parametrize("moment", ["looking up", "sending again"])
def test_no_time_to_look_up_or_to_send_again(harness: Harness, moment: str) -> None:
    known = unknown_order(harness, HASO)
    left = [27.0]

    def run_out(_: Any) -> Reply:
        left[0] = 5.0
        return HASO.not_found

    def run_out_earlier(_: dict[str, Any]) -> None:
        left[0] = 5.0

    harness.server.on(HASO.look_up_route, run_out)
    if moment == "looking up":
        harness.before_next("UpdateItem", run_out_earlier)
    response = harness.send(HASO, seconds=lambda: left[0])
    assert (response.status, response.body["status"]) == (202, "unknown")
    assert findings(harness, known) == ["inconclusive" if moment == "looking up" else "not_found"]
    assert harness.server.to(HASO.route) == []


def test_time_that_runs_out_during_the_login(harness: Harness) -> None:
    left = [27.0]

    def slowly(_: Call) -> Reply:
        left[0] = 7.0
        return json_reply({"data": "sandbox-token"})

    harness.server.on(LOGINS["kolaybi"][0], slowly)
    response = harness.send(KOLAYBI, seconds=lambda: left[0])
    assert (response.status, response.slug) == (503, "not-enough-time")
    assert harness.items() == []


# -------------------------------------------------------------------- secrets


def test_secrets_manager_that_does_not_answer(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://secretsmanager.invalid")

    monkeypatch.setattr(credentials._client(), "get_secret_value", fail)
    response = harness.send(PAYNET)
    assert (response.status, response.slug, response.body["retry"]) == (503, "provider-unreachable", "same_key")
    assert harness.items() == []


@pytest.mark.parametrize(
    ("broken", "status", "problem"),
    [
        ("secret", 502, "provider-rejected-credentials"),
        ("login refused", 502, "provider-rejected-credentials"),
        ("login lost", 503, "provider-unreachable"),
    ],
)
def test_a_refused_token_that_cannot_be_renewed(harness: Harness, broken: str, status: int, problem: str) -> None:
    """The provider certainly did not process the order, so its key is free, even if the second try fails."""

    def refuse(_: Call) -> Reply:
        if broken == "secret":
            harness.put_secret("kolaybi", "not JSON")
        harness.server.on(LOGINS["kolaybi"][0], HANG_UP if broken == "login lost" else Reply(401, b"{}"))
        return Reply(401, b"{}")

    harness.server.on(KOLAYBI.route, refuse)
    response = harness.send(KOLAYBI)
    assert (response.status, response.slug) == (status, problem)
    assert (response.body["money"], response.body["retry"]) == ("not_moved", "same_key")
    assert len(harness.server.to(KOLAYBI.route)) == 1
    assert harness.records() == []


# -------------------------------------------------------------------- after another one took over


def test_a_former_owner_that_cannot_read_the_record_answers_what_it_knew(harness: Harness) -> None:
    def acquire_lease_and_break(_: Call) -> Reply:
        record = harness.record(harness.order(KOLAYBI).operation_id)
        harness.clock.advance(3600)
        harness.store.acquire_lease(record, "somebody else", harness.clock.now + 27)
        harness.fail_table("GetItem")
        return KOLAYBI.success if isinstance(KOLAYBI.success, Reply) else Reply(500)

    response = answered(harness, KOLAYBI, acquire_lease_and_break)
    harness.heal_table()
    assert response.status == 202
    assert harness.record(response.body["operation_id"]).owner == "somebody else"


def test_an_amount_that_cannot_be_counted_stops_no_order(harness: Harness) -> None:
    """A capture of the whole pre-authorisation, whose answer names no amount."""
    response = answered(harness, PAYNET, json_reply({"is_succeed": True, "code": 0}), body={"xact_id": "x"})
    assert response.status == 200
    assert harness.record(response.body["operation_id"]).status == "succeeded"
