"""Guards: bills, codes of callers, totals and pre-authorisations, which the idempotency key alone does not protect."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from vezne.orders import store as store_module
from vezne.orders.record import DECLINED, SUCCEEDED, Record

from tests.support.example import Example
from tests.support.harness import Harness, Response
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO, haso_success
from tests.support.operations.paynet_capture import EXAMPLE as PAYNET, capture_row, paynet_rows
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.operations.walletgate_pay_bill import EXAMPLE as WALLETGATE
from tests.support.provider_server import HANG_UP, Reply, json_reply
from tests.support.wire import answered, looked_up, unknown_order

CODE = {**VAKIFBANK.body, "institution_transaction_code": "KOD-1"}


def calls(harness: Harness, example: Example) -> int:
    return len(harness.server.to(example.route))


# -------------------------------------------------------------------- a thing that is paid once

PAID_ONCE = pytest.mark.parametrize(
    ("example", "body"), [(WALLETGATE, WALLETGATE.body), (VAKIFBANK, CODE)], ids=["walletgate oid", "vakifbank code"]
)


@PAID_ONCE
def test_a_paid_thing_is_not_paid_under_another_key(harness: Harness, example: Example, body: dict[str, Any]) -> None:
    first = answered(harness, example, example.success, body=body)
    assert first.status == 200
    for key, client in (("key-2", "client-1"), ("key-1", "client-2")):
        response = harness.send(example, body, key=key, client=client)
        assert (response.status, response.slug) == (409, "held-by-another-operation")
        assert (response.body["money"], response.body["retry"]) == ("not_moved", "never")
        # It is named to its own client only.
        assert response.body.get("holder") == (first.body["operation_id"] if client == "client-1" else None)
        assert "Retry-After" not in response.headers
    assert calls(harness, example) == 1
    assert len(harness.records()) == 1


@PAID_ONCE
@pytest.mark.parametrize("ending", ["unknown", "processing"])
def test_a_thing_that_may_be_paid_is_not_paid_under_another_key(
    harness: Harness, example: Example, body: dict[str, Any], ending: str
) -> None:
    seen: list[Response] = []

    def second_order_meanwhile(_: Any) -> Reply:
        seen.append(harness.send(example, body, key="key-2"))
        return HANG_UP

    first = answered(harness, example, HANG_UP if ending == "unknown" else second_order_meanwhile, body=body)
    if ending == "unknown":
        seen.append(harness.send(example, body, key="key-2"))
    (response,) = seen
    assert (response.status, response.slug) == (409, "held-by-another-operation")
    assert (response.body["money"], response.body["retry"]) == ("not_moved", "same_key")
    assert response.body["holder"] == first.body["operation_id"]
    assert response.headers["Retry-After"]
    assert calls(harness, example) == 1


@PAID_ONCE
def test_after_a_refusal_another_key_may_pay(harness: Harness, example: Example, body: dict[str, Any]) -> None:
    assert answered(harness, example, example.refusal, body=body).status == 402
    assert answered(harness, example, example.success, body=body, key="key-2").status == 200
    assert calls(harness, example) == 2


@PAID_ONCE
def test_after_not_executed_another_key_may_pay(harness: Harness, example: Example, body: dict[str, Any]) -> None:
    first = unknown_order(harness, example, body=body)
    harness.store.finalise(harness.record(first), "not_executed", {})
    assert answered(harness, example, example.success, body=body, key="key-2").status == 200


@PAID_ONCE
def test_a_payment_that_a_look_up_found_stays_guarded(harness: Harness, example: Example, body: dict[str, Any]) -> None:
    first = unknown_order(harness, example, body=body)
    assert looked_up(harness, example, example.found(harness.record(first)), body=body).body["status"] == "succeeded"
    assert harness.send(example, body, key="key-2").body["retry"] == "never"
    assert calls(harness, example) == 0


# -------------------------------------------------------------------- a bill, under whatever oid

NEW_OID = {"inv_payment_transaction_query_oid": "another-oid"}
AGAIN = {**WALLETGATE.body, **NEW_OID}
PART = {"payment_amount": "100.00"}


def bill_reply(**changes: Any) -> Reply:
    payload = {"inv_payment_transaction_query_oid": "another-oid", **changes}
    return json_reply({"status": 0, "code": "100", "message": "İşlem başarılı", "payload": payload})


def test_a_bill_with_a_new_oid_is_not_paid_while_its_first_payment_is_unknown(harness: Harness) -> None:
    """Each inquiry gives the bill a new oid, so two oids may be the same bill."""
    first = unknown_order(harness, WALLETGATE)
    response = answered(harness, WALLETGATE, bill_reply(), body=AGAIN, key="key-2")
    assert (response.status, response.slug) == (409, "held-by-another-operation")
    assert (response.body["money"], response.body["retry"]) == ("not_moved", "same_key")
    assert response.body["holder"] == first
    assert calls(harness, WALLETGATE) == 0
    harness.store.finalise(harness.record(first), "not_executed", {})
    assert answered(harness, WALLETGATE, bill_reply(), body=AGAIN, key="key-2").status == 200


def test_an_unknown_part_payment_holds_the_whole_bill(harness: Harness) -> None:
    unknown_order(harness, WALLETGATE, body={**WALLETGATE.body, **PART})
    for body in (AGAIN, {**AGAIN, **PART}):
        assert answered(harness, WALLETGATE, bill_reply(), body=body, key="key-2").status == 409
    assert calls(harness, WALLETGATE) == 0


@pytest.mark.parametrize("body", [AGAIN, {**AGAIN, **PART}], ids=["whole", "part"])
def test_a_bill_paid_in_full_is_not_paid_under_another_oid(harness: Harness, body: dict[str, Any]) -> None:
    assert answered(harness, WALLETGATE, WALLETGATE.success).status == 200
    response = answered(harness, WALLETGATE, bill_reply(), body=body, key="key-2")
    assert (response.status, response.body["retry"]) == (409, "never")
    assert calls(harness, WALLETGATE) == 1


def test_a_further_part_of_a_bill_is_paid_under_its_own_oid(harness: Harness) -> None:
    part = {**WALLETGATE.body, **PART}
    first = bill_reply(inv_payment_transaction_query_oid=WALLETGATE.body["inv_payment_transaction_query_oid"])
    assert answered(harness, WALLETGATE, first, body=part).status == 200
    # Each oid is paid once. A new inquiry shows the rest of the bill.
    assert harness.send(WALLETGATE, part, key="key-2").body["retry"] == "never"
    rest = {**AGAIN, "invoice_amount": "96.50", "payment_amount": "96.50"}
    assert answered(harness, WALLETGATE, bill_reply(), body=rest, key="key-3").status == 200
    # Now the whole bill is paid.
    third = {**rest, "inv_payment_transaction_query_oid": "a-third-oid"}
    assert harness.send(WALLETGATE, third, key="key-4").body["retry"] == "never"


@pytest.mark.parametrize("name", ["product_oid", "subscriber_no", "bill_term", "bill_no"])
def test_four_fields_together_identify_a_bill(harness: Harness, name: str) -> None:
    unknown_order(harness, WALLETGATE)
    assert answered(harness, WALLETGATE, bill_reply(), body={**AGAIN, name: "12/2030"}, key="key-2").status == 200


def test_the_subscriber_of_a_bill_is_not_stored_in_plain_text(harness: Harness) -> None:
    """A subscriber's number may be a person's identity number."""
    assert answered(harness, WALLETGATE, WALLETGATE.success).status == 200
    assert harness.records()
    assert WALLETGATE.body["subscriber_no"] not in f"{harness.records()} {harness.guards()}"


# -------------------------------------------------------------------- a code that another client uses


@PAID_ONCE
@pytest.mark.parametrize("ending", ["paid", "unknown", "record gone"])
def test_the_order_of_another_client_does_not_count_as_paid(
    harness: Harness, example: Example, body: dict[str, Any], ending: str
) -> None:
    """A client that uses a code first must not make another client believe that its payment was made."""
    first = answered(harness, example, HANG_UP if ending == "unknown" else example.success, body=body)
    if ending == "record gone":
        harness.delete(first.body["operation_id"])
    response = harness.send(example, body, key="key-2", client="client-2")
    assert (response.status, response.slug, response.body["money"]) == (409, "held-by-another-operation", "not_moved")
    assert response.body["detail"].startswith("Another client's order")
    assert "paid" not in response.body["detail"]
    assert "holder" not in response.body
    assert response.body["retry"] == ("same_key" if ending == "unknown" else "never")


def test_a_derived_code_needs_no_guard(harness: Harness) -> None:
    """It is made from the operation id, so no other key has it."""
    assert answered(harness, VAKIFBANK, VAKIFBANK.success).status == 200
    assert harness.guards() == []
    assert answered(harness, VAKIFBANK, VAKIFBANK.success, key="key-2").status == 200


@PAID_ONCE
def test_a_guard_does_not_show_what_it_guards(harness: Harness, example: Example, body: dict[str, Any]) -> None:
    answered(harness, example, example.success, body=body)
    names = ("institution_transaction_code", "inv_payment_transaction_query_oid", "subscriber_no", "bill_no")
    values = [body[name] for name in names if name in body]
    assert harness.guards()
    assert not [value for value in values if value in str(harness.guards())]


# -------------------------------------------------------------------- totals that must not fall


def totals(fee: str, expense: str, **more: Any) -> dict[str, Any]:
    return {**HASO.body, "counter_party_attorney_fee": fee, "expense_amount": expense, **more}


def set_totals(harness: Harness, key: str, fee: str, expense: str, **more: Any) -> Response:
    return answered(harness, HASO, HASO.success, body=totals(fee, expense, **more), key=key)


@pytest.mark.parametrize(
    ("fee", "expense", "status"),
    [
        ("100.00", "230.00", 200),
        ("100.00", "230.01", 200),
        ("100.01", "230.00", 200),
        ("100.00", "229.99", 422),
        ("99.99", "230.00", 422),
        # One figure may not decrease because the other increases.
        ("99.99", "1000.00", 422),
        ("0", "0", 422),
        # As numbers, not as text.
        ("9", "1000.00", 422),
        ("1000.00", "1000.00", 200),
    ],
)
def test_no_figure_decreases(harness: Harness, fee: str, expense: str, status: int) -> None:
    assert set_totals(harness, "key-1", "100.00", "230.00").status == 200
    response = set_totals(harness, "key-2", fee, expense)
    assert response.status == status
    assert calls(harness, HASO) == (2 if status == 200 else 1)
    if status == 422:
        assert (response.slug, response.body["retry"]) == ("total-would-fall", "new_key")


def test_a_total_may_decrease_if_the_caller_allows_it_and_counts_from_then_on(harness: Harness) -> None:
    assert set_totals(harness, "key-1", "100.00", "230.00").status == 200
    assert set_totals(harness, "key-2", "50.00", "10.00", allow_lower=True).status == 200
    assert set_totals(harness, "key-3", "50.00", "9.99").status == 422
    assert set_totals(harness, "key-4", "50.00", "10.01").status == 200


def test_the_total_of_one_client_limits_every_client(harness: Harness) -> None:
    assert set_totals(harness, "key-1", "100.00", "230.00").status == 200
    response = answered(harness, HASO, HASO.success, body=totals("0", "1"), client="client-2")
    assert response.status == 422


def test_another_transaction_is_not_bound(harness: Harness) -> None:
    assert set_totals(harness, "key-1", "100.00", "230.00").status == 200
    harness.server.on(HASO.route, HASO.success)
    other = harness.send(HASO, totals("0", "1"), key="key-2", path_parameters={"transaction_code": "TRX-2"})
    assert other.status == 200


def test_a_refused_total_limits_no_later_order(harness: Harness) -> None:
    assert answered(harness, HASO, HASO.refusal, body=totals("500.00", "500.00")).status == 402
    assert set_totals(harness, "key-2", "1.00", "1.00").status == 200


def test_one_total_at_a_time(harness: Harness) -> None:
    """An unknown total may still arrive. It could overwrite a later, higher total."""
    holder = unknown_order(harness, HASO)
    for expense in ("230.00", "500.00"):
        response = set_totals(harness, "key-2", "100.00", expense)
        assert (response.status, response.slug) == (409, "held-by-another-operation")
        assert (response.body["retry"], response.body["holder"]) == ("same_key", holder)
    assert set_totals(harness, "key-3", "100.00", "500.00", allow_lower=True).status == 409
    assert calls(harness, HASO) == 0


def test_after_an_unknown_total_comes_a_pause(harness: Harness) -> None:
    """The unknown total may have been sent twice, and the second may arrive late."""
    unknown_order(harness, HASO)
    assert looked_up(harness, HASO, haso_success(Decimal("330.00"))).body["status"] == "succeeded"
    response = set_totals(harness, "key-2", "100.00", "500.00")
    assert (response.status, response.slug, response.body["retry"]) == (409, "held-by-another-operation", "same_key")
    assert "holder" not in response.body
    harness.clock.advance(660)
    assert set_totals(harness, "key-2", "100.00", "500.00").status == 200
    # After a certain outcome no pause is needed.
    assert set_totals(harness, "key-3", "100.00", "501.00").status == 200


# -------------------------------------------------------------------- pre-authorisations in flight


@pytest.mark.parametrize("amount", ["49.90", "10.00", None])
def test_one_capture_at_a_time(harness: Harness, amount: str | None) -> None:
    holder = unknown_order(harness, PAYNET)
    other = {"xact_id": PAYNET.body["xact_id"], **({} if amount is None else {"amount": amount})}
    response = harness.send(PAYNET, other, key="key-2")
    assert (response.status, response.slug) == (409, "held-by-another-operation")
    assert (response.body["retry"], response.body["holder"]) == ("same_key", holder)
    assert calls(harness, PAYNET) == 0


@pytest.mark.parametrize("reply", ["success", "refusal"])
def test_a_second_capture_may_follow_a_certain_one(harness: Harness, reply: str) -> None:
    answered(harness, PAYNET, PAYNET.success if reply == "success" else PAYNET.refusal)
    assert answered(harness, PAYNET, PAYNET.success, key="key-2").status == 200
    assert calls(harness, PAYNET) == 2


def test_another_pre_authorisation_is_free(harness: Harness) -> None:
    unknown_order(harness, PAYNET)
    assert answered(harness, PAYNET, PAYNET.success, body={"xact_id": "another"}, key="key-2").status == 200


def test_a_capture_that_belongs_to_another_order_proves_nothing(harness: Harness) -> None:
    first = json_reply({**PAYNET_CAPTURED, "xact_id": "first"})
    assert answered(harness, PAYNET, first).status == 200
    harness.clock.advance(600)
    known = unknown_order(harness, PAYNET, key="key-2")
    row = capture_row(harness.clock.now + 5, xact_id="first")
    response = looked_up(harness, PAYNET, paynet_rows(row), key="key-2")
    assert response.body["status"] == "unknown"
    ours = capture_row(harness.clock.now, xact_id="second")
    response = looked_up(harness, PAYNET, paynet_rows(row, ours), key="key-2")
    assert response.body["result"]["xact_id"] == "second"
    assert harness.record(known).status == SUCCEEDED


PAYNET_CAPTURED = {"transaction_type": 4, "is_succeed": True, "code": 0, "amount": 0}


# -------------------------------------------------------------------- while the holder is made final


def guard_refuses(harness: Harness, monkeypatch: pytest.MonkeyPatch, guard: dict[str, Any], on_record: str) -> None:
    """Let the next claim fail at its guard as it was before."""

    def refuse(**_: Any) -> None:
        answer: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
            "CancellationReasons": [{"Code": on_record}, {"Code": "ConditionalCheckFailed", "Item": guard}],
        }
        raise ClientError(answer, "TransactWriteItems")

    monkeypatch.setattr(store_module._client(), "transact_write_items", refuse)


@pytest.mark.parametrize("final", [False, True], ids=["still running", "final meanwhile"])
def test_an_order_that_holds_its_guard_is_not_refused_because_of_it(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, final: bool
) -> None:
    """The table may report a conflict on the record, and the failed condition of the guard."""
    standing = harness.stand(WALLETGATE)
    guard = harness.guards()[0]
    if final:
        harness.store.finalise(standing, SUCCEEDED, {"result": {}})
    guard_refuses(harness, monkeypatch, guard, "TransactionConflict")
    response = harness.send(WALLETGATE)
    if final:
        assert (response.status, response.replayed) == (200, True)
    else:
        assert (response.status, response.slug) == (409, "in-progress")
        assert response.body["money"] == "unknown"


def test_a_final_order_does_not_wait_for_its_own_pause(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conflict hides the record of the order. The guard it has released refuses it for its own pause."""
    known = unknown_order(harness, HASO)
    assert looked_up(harness, HASO, HASO.found(harness.record(known))).status == 200
    (guard,) = harness.guards()
    assert "quiet_until" in guard
    assert "holder" not in guard
    guard_refuses(harness, monkeypatch, guard, "TransactionConflict")
    response = harness.send(HASO)
    assert (response.status, response.replayed) == (200, True)


@pytest.mark.parametrize(
    ("example", "ending", "retry"),
    [
        (WALLETGATE, "succeeded", "never"),
        (WALLETGATE, "declined", "same_key"),
        (WALLETGATE, "not_executed", "same_key"),
        (HASO, "succeeded", "same_key"),
        (HASO, "declined", "same_key"),
        (PAYNET, "succeeded", "same_key"),
    ],
)
def test_a_holder_that_becomes_final_meanwhile_has_not_paid(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, example: Example, ending: str, retry: str
) -> None:
    holder = harness.stand(example)
    guard = harness.guards()[0]
    harness.store.finalise(holder, ending, {"result": {}})
    guard_refuses(harness, monkeypatch, guard, "None")
    response = harness.send(example, key="key-2")
    assert (response.status, response.slug) == (409, "held-by-another-operation")
    assert response.body["retry"] == retry


# -------------------------------------------------------------------- guards and the records of their holders

LONG_AFTER = 91 * 24 * 3600


def expire_records(harness: Harness) -> None:
    """Expire records as the table's TTL does: an old final record is gone, its guard is not."""
    harness.clock.advance(LONG_AFTER)
    for record in harness.records():
        assert float(record["expires_at"]["N"]) < harness.clock()
        harness.delete(record["id"]["S"])


@PAID_ONCE
def test_the_guard_of_a_paid_thing_outlives_its_record_and_later_claims(
    harness: Harness, example: Example, body: dict[str, Any]
) -> None:
    assert answered(harness, example, example.success, body=body).status == 200
    expire_records(harness)
    # The same key again. Its claim gets no answer and is taken back.
    harness.fail_table("TransactWriteItems", times=4)
    assert harness.send(example, body).slug == "store-unavailable"
    harness.heal_table()
    refused = harness.send(example, body, key="key-2")
    assert (refused.status, refused.body["retry"]) == (409, "never")
    assert calls(harness, example) == 1


def test_a_release_never_changes_the_guard_of_another_claim_under_the_same_key(harness: Harness) -> None:
    earlier = harness.stand(WALLETGATE)
    guards = harness.guards()
    assert guards
    # The claim of this invocation was never applied: the record is of another one.
    harness.delete(earlier.id)
    harness.store.release(dataclasses.replace(earlier, owner="another invocation of long ago"))
    assert harness.guards() == guards


def test_a_claim_that_is_applied_while_it_is_taken_back_leaves_no_guard(harness: Harness) -> None:
    """The answer to the claim was lost. The claim is applied after the release, before the record is read."""
    late = dataclasses.replace(harness.stand(WALLETGATE), owner="a claim without an answer")
    harness.delete(late.id)
    for guard in harness.guards():
        harness.delete(guard["id"]["S"])
    harness.before_next("GetItem", lambda _: harness.store.claim(late))
    harness.store.release(late)
    assert harness.records() == []
    assert all("holder" not in guard for guard in harness.guards())


@pytest.mark.parametrize("example", [WALLETGATE, HASO, PAYNET], ids=lambda it: it.operation)
def test_a_guard_that_was_left_behind_is_freed_by_the_next_claim(harness: Harness, example: Example) -> None:
    harness.delete(harness.stand(example).id)
    assert answered(harness, example, example.success, key="key-2").status == 200


def test_a_guard_without_a_mark_that_an_earlier_version_kept_counts_as_paid(harness: Harness) -> None:
    harness.delete(harness.stand(WALLETGATE).id)
    for guard in harness.guards():
        harness.put({name: value for name, value in guard.items() if name not in ("marks_paid", "holder_owner")})
    refused = harness.send(WALLETGATE, key="key-2")
    assert (refused.status, refused.body["retry"]) == (409, "never")


def finalised_by_the_version_before(harness: Harness, record: Record) -> None:
    """A success as an earlier version writes it during a deployment: in the record, without a mark in the guards."""
    harness.store.finalise(record, SUCCEEDED, {"result": {}})
    for guard in harness.guards():
        harness.put({name: value for name, value in guard.items() if name != "paid"})


@pytest.mark.parametrize("days", [1, 31, 400])
def test_what_the_version_before_paid_under_a_claim_of_this_one_stays_paid(harness: Harness, days: int) -> None:
    holder = harness.stand(WALLETGATE)
    finalised_by_the_version_before(harness, holder)
    harness.clock.advance(days * 24 * 3600)
    if days > 30:
        harness.delete(holder.id)
    refused = harness.send(WALLETGATE, key="key-2")
    assert (refused.status, refused.body["retry"]) == (409, "never")


def test_a_part_is_not_paid_after_the_version_before_paid_the_whole(harness: Harness) -> None:
    """An order for a part would release the guard of the bill. The order for the whole kept it."""
    holder = harness.stand(WALLETGATE)
    finalised_by_the_version_before(harness, holder)
    part = dataclasses.replace(
        holder, id=f"{holder.id[:-1]}2", guards=tuple(dataclasses.replace(it, keeps=False) for it in holder.guards)
    )
    with pytest.raises(store_module.GuardRefusedError):
        harness.store.claim(part)


def test_a_released_guard_has_no_mark_for_its_next_holder(harness: Harness) -> None:
    """The version before takes it without a mark. It must not look as if this version had taken it."""
    harness.store.finalise(harness.stand(WALLETGATE), DECLINED, {})
    for guard in harness.guards():
        assert not {"holder", "holder_client", "holder_owner", "holder_keeps", "held_since", "marks_paid"} & set(guard)


def test_the_version_before_finds_the_payment_of_another_order(harness: Harness) -> None:
    """It looks for the bare value of the first field."""
    harness.store.finalise(harness.stand(PAYNET), SUCCEEDED, {"result": {"xact_id": "x-1"}})
    assert any("x-1" in guard.get("taken", {}).get("SS", ()) for guard in harness.guards())


def test_a_released_order_does_not_count_as_paid(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard is held. Then its holder turns out not to be sent and releases it, before its record is read."""
    holder = harness.stand(WALLETGATE)
    harness.before_next("GetItem", lambda _: harness.store.release(holder))
    response = answered(harness, WALLETGATE, WALLETGATE.success, key="key-2")
    assert response.status == 200


def test_a_higher_total_in_the_pause_waits_even_if_the_pause_ends_now(harness: Harness) -> None:
    first = harness.record(unknown_order(harness, HASO))
    harness.clock.advance(60)
    harness.store.finalise(first, SUCCEEDED, {"result": {}})
    (guard,) = harness.guards()
    harness.clock.now = float(guard["quiet_until"]["N"])
    higher = {**HASO.body, "expense_amount": "99999.00"}
    refused = harness.send(HASO, higher, key="key-2")
    assert (refused.status, refused.slug) == (409, "held-by-another-operation")


def test_a_guard_may_be_held_for_ever_if_the_payment_is_not_known(harness: Harness) -> None:
    harness.store.finalise(harness.stand(PAYNET), SUCCEEDED, {"result": {}}, hold_guards=True)
    harness.clock.advance(LONG_AFTER)
    assert harness.send(PAYNET, key="key-2").slug == "held-by-another-operation"
