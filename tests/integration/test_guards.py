"""Guards: bills, codes of callers, totals and pre-authorisations, which the idempotency key alone does not protect."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from vezne.orders import store as store_module
from vezne.orders.record import DECLINED, SUCCEEDED, Record

from tests.support.bench import Harness, Response
from tests.support.example import Example
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO, haso_success
from tests.support.operations.paynet_capture import EXAMPLE as PAYNET, capture_row, paynet_rows
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.operations.walletgate_pay_bill import EXAMPLE as WALLETGATE
from tests.support.provider_server import HANG_UP, Reply, json_reply
from tests.support.wire import answered, looked_up, unknown_order

CODE = {**VAKIFBANK.body, "institution_transaction_code": "KOD-1"}


def calls(bench: Harness, example: Example) -> int:
    return len(bench.server.to(example.route))


# -------------------------------------------------------------------- a thing that is paid once

PAID_ONCE = pytest.mark.parametrize(
    ("example", "body"), [(WALLETGATE, WALLETGATE.body), (VAKIFBANK, CODE)], ids=["walletgate oid", "vakifbank code"]
)


@PAID_ONCE
def test_a_paid_thing_is_not_paid_under_another_key(bench: Harness, example: Example, body: dict[str, Any]) -> None:
    first = answered(bench, example, example.success, body=body)
    assert first.status == 200
    for key, client in (("key-2", "client-1"), ("key-1", "client-2")):
        response = bench.send(example, body, key=key, client=client)
        assert (response.status, response.slug) == (409, "held-by-another-operation")
        assert (response.body["money"], response.body["retry"]) == ("not_moved", "never")
        # It is named to its own client only.
        assert response.body.get("holder") == (first.body["operation_id"] if client == "client-1" else None)
        assert "Retry-After" not in response.headers
    assert calls(bench, example) == 1
    assert len(bench.records()) == 1


@PAID_ONCE
def test_a_paid_thing_stays_paid_after_its_record(bench: Harness, example: Example, body: dict[str, Any]) -> None:
    first = answered(bench, example, example.success, body=body)
    bench.delete(first.body["operation_id"])
    response = bench.send(example, body, key="key-2")
    assert (response.status, response.body["retry"]) == (409, "never")
    assert calls(bench, example) == 1


@PAID_ONCE
@pytest.mark.parametrize("ending", ["unknown", "processing"])
def test_a_thing_that_may_be_paid_is_not_paid_under_another_key(
    bench: Harness, example: Example, body: dict[str, Any], ending: str
) -> None:
    seen: list[Response] = []

    def second_order_meanwhile(_: Any) -> Reply:
        seen.append(bench.send(example, body, key="key-2"))
        return HANG_UP

    first = answered(bench, example, HANG_UP if ending == "unknown" else second_order_meanwhile, body=body)
    if ending == "unknown":
        seen.append(bench.send(example, body, key="key-2"))
    (response,) = seen
    assert (response.status, response.slug) == (409, "held-by-another-operation")
    assert (response.body["money"], response.body["retry"]) == ("not_moved", "same_key")
    assert response.body["holder"] == first.body["operation_id"]
    assert response.headers["Retry-After"]
    assert calls(bench, example) == 1


@PAID_ONCE
def test_after_a_refusal_another_key_may_pay(bench: Harness, example: Example, body: dict[str, Any]) -> None:
    assert answered(bench, example, example.refusal, body=body).status == 402
    assert answered(bench, example, example.success, body=body, key="key-2").status == 200
    assert calls(bench, example) == 2


@PAID_ONCE
def test_after_not_executed_another_key_may_pay(bench: Harness, example: Example, body: dict[str, Any]) -> None:
    first = unknown_order(bench, example, body=body)
    bench.store.finalise(bench.record(first), "not_executed", {})
    assert answered(bench, example, example.success, body=body, key="key-2").status == 200


@PAID_ONCE
def test_a_payment_that_a_look_up_found_stays_guarded(bench: Harness, example: Example, body: dict[str, Any]) -> None:
    first = unknown_order(bench, example, body=body)
    assert looked_up(bench, example, example.found(bench.record(first)), body=body).body["status"] == "succeeded"
    assert bench.send(example, body, key="key-2").body["retry"] == "never"
    assert calls(bench, example) == 0


def test_another_bill_is_another_bill(bench: Harness) -> None:
    answered(bench, WALLETGATE, WALLETGATE.success)
    other = {**WALLETGATE.body, "inv_payment_transaction_query_oid": "another-oid", "bill_no": "another-bill"}
    payload = {"inv_payment_transaction_query_oid": "another-oid"}
    reply = json_reply({"status": 0, "code": "100", "message": "İşlem başarılı", "payload": payload})
    assert answered(bench, WALLETGATE, reply, body=other, key="key-2").status == 200


# -------------------------------------------------------------------- a bill, under whatever oid

NEW_OID = {"inv_payment_transaction_query_oid": "another-oid"}
AGAIN = {**WALLETGATE.body, **NEW_OID}
PART = {"payment_amount": "100.00"}


def bill_reply(**changes: Any) -> Reply:
    payload = {"inv_payment_transaction_query_oid": "another-oid", **changes}
    return json_reply({"status": 0, "code": "100", "message": "İşlem başarılı", "payload": payload})


def test_a_bill_with_a_new_oid_is_not_paid_while_its_first_payment_is_unknown(bench: Harness) -> None:
    """Each inquiry gives the bill a new oid, so two oids may be the same bill."""
    first = unknown_order(bench, WALLETGATE)
    response = answered(bench, WALLETGATE, bill_reply(), body=AGAIN, key="key-2")
    assert (response.status, response.slug) == (409, "held-by-another-operation")
    assert (response.body["money"], response.body["retry"]) == ("not_moved", "same_key")
    assert response.body["holder"] == first
    assert calls(bench, WALLETGATE) == 0
    bench.store.finalise(bench.record(first), "not_executed", {})
    assert answered(bench, WALLETGATE, bill_reply(), body=AGAIN, key="key-2").status == 200


def test_an_unknown_part_payment_holds_the_whole_bill(bench: Harness) -> None:
    unknown_order(bench, WALLETGATE, body={**WALLETGATE.body, **PART})
    for body in (AGAIN, {**AGAIN, **PART}):
        assert answered(bench, WALLETGATE, bill_reply(), body=body, key="key-2").status == 409
    assert calls(bench, WALLETGATE) == 0


def test_a_bill_paid_in_full_is_not_paid_under_another_oid(bench: Harness) -> None:
    assert answered(bench, WALLETGATE, WALLETGATE.success).status == 200
    response = answered(bench, WALLETGATE, bill_reply(), body=AGAIN, key="key-2")
    assert (response.status, response.body["retry"]) == (409, "never")
    assert calls(bench, WALLETGATE) == 1


def test_a_part_of_a_bill_that_was_paid_in_full_is_not_paid(bench: Harness) -> None:
    assert answered(bench, WALLETGATE, WALLETGATE.success).status == 200
    response = answered(bench, WALLETGATE, bill_reply(), body={**AGAIN, **PART}, key="key-2")
    assert (response.status, response.body["retry"]) == (409, "never")
    assert calls(bench, WALLETGATE) == 1


def test_a_further_part_of_a_bill_is_paid_under_its_own_oid(bench: Harness) -> None:
    part = {**WALLETGATE.body, **PART}
    first = bill_reply(inv_payment_transaction_query_oid=WALLETGATE.body["inv_payment_transaction_query_oid"])
    assert answered(bench, WALLETGATE, first, body=part).status == 200
    # Each oid is paid once. A new inquiry shows the rest of the bill.
    assert bench.send(WALLETGATE, part, key="key-2").body["retry"] == "never"
    rest = {**AGAIN, "invoice_amount": "96.50", "payment_amount": "96.50"}
    assert answered(bench, WALLETGATE, bill_reply(), body=rest, key="key-3").status == 200
    # Now the whole bill is paid.
    third = {**rest, "inv_payment_transaction_query_oid": "a-third-oid"}
    assert bench.send(WALLETGATE, third, key="key-4").body["retry"] == "never"


@pytest.mark.parametrize("name", ["product_oid", "subscriber_no", "bill_term", "bill_no"])
def test_four_fields_together_identify_a_bill(bench: Harness, name: str) -> None:
    unknown_order(bench, WALLETGATE)
    assert answered(bench, WALLETGATE, bill_reply(), body={**AGAIN, name: "12/2030"}, key="key-2").status == 200


def test_the_subscriber_of_a_bill_is_not_stored_in_plain_text(bench: Harness) -> None:
    """A subscriber's number may be a person's identity number."""
    assert answered(bench, WALLETGATE, WALLETGATE.success).status == 200
    assert bench.records()
    assert WALLETGATE.body["subscriber_no"] not in f"{bench.records()} {bench.guards()}"


# -------------------------------------------------------------------- a code that another client uses


@PAID_ONCE
@pytest.mark.parametrize("ending", ["paid", "unknown", "record gone"])
def test_the_order_of_another_client_does_not_count_as_paid(
    bench: Harness, example: Example, body: dict[str, Any], ending: str
) -> None:
    """A client that uses a code first must not make another client believe that its payment was made."""
    first = answered(bench, example, HANG_UP if ending == "unknown" else example.success, body=body)
    if ending == "record gone":
        bench.delete(first.body["operation_id"])
    response = bench.send(example, body, key="key-2", client="client-2")
    assert (response.status, response.slug, response.body["money"]) == (409, "held-by-another-operation", "not_moved")
    assert response.body["detail"].startswith("Another client's order")
    assert "paid" not in response.body["detail"]
    assert "holder" not in response.body
    assert response.body["retry"] == ("same_key" if ending == "unknown" else "never")


def test_two_clients_with_the_same_key_have_two_codes(bench: Harness) -> None:
    """A derived code is made from the operation id, which contains the client's principal."""
    for client in ("client-1", "client-2"):
        answered(bench, VAKIFBANK, VAKIFBANK.success, client=client)
    first, second = (call.json()["InstitutionTransactionCode"] for call in bench.server.to(VAKIFBANK.route))
    assert first != second


def test_a_derived_code_needs_no_guard(bench: Harness) -> None:
    """It is made from the operation id, so no other key has it."""
    assert answered(bench, VAKIFBANK, VAKIFBANK.success).status == 200
    assert bench.guards() == []
    assert answered(bench, VAKIFBANK, VAKIFBANK.success, key="key-2").status == 200


@PAID_ONCE
def test_a_guard_does_not_show_what_it_guards(bench: Harness, example: Example, body: dict[str, Any]) -> None:
    answered(bench, example, example.success, body=body)
    names = ("institution_transaction_code", "inv_payment_transaction_query_oid", "subscriber_no", "bill_no")
    values = [body[name] for name in names if name in body]
    assert bench.guards()
    assert not [value for value in values if value in str(bench.guards())]


# -------------------------------------------------------------------- totals that must not fall


def totals(fee: str, expense: str, **more: Any) -> dict[str, Any]:
    return {**HASO.body, "counter_party_attorney_fee": fee, "expense_amount": expense, **more}


def set_totals(bench: Harness, key: str, fee: str, expense: str, **more: Any) -> Response:
    return answered(bench, HASO, HASO.success, body=totals(fee, expense, **more), key=key)


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
def test_no_figure_decreases(bench: Harness, fee: str, expense: str, status: int) -> None:
    assert set_totals(bench, "key-1", "100.00", "230.00").status == 200
    response = set_totals(bench, "key-2", fee, expense)
    assert response.status == status
    assert calls(bench, HASO) == (2 if status == 200 else 1)
    if status == 422:
        assert (response.slug, response.body["retry"]) == ("total-would-fall", "new_key")


def test_a_total_may_decrease_if_the_caller_allows_it_and_counts_from_then_on(bench: Harness) -> None:
    assert set_totals(bench, "key-1", "100.00", "230.00").status == 200
    assert set_totals(bench, "key-2", "50.00", "10.00", allow_lower=True).status == 200
    assert set_totals(bench, "key-3", "50.00", "9.99").status == 422
    assert set_totals(bench, "key-4", "50.00", "10.01").status == 200


def test_the_total_of_one_client_limits_every_client(bench: Harness) -> None:
    assert set_totals(bench, "key-1", "100.00", "230.00").status == 200
    response = answered(bench, HASO, HASO.success, body=totals("0", "1"), client="client-2")
    assert response.status == 422


def test_another_transaction_is_not_bound(bench: Harness) -> None:
    assert set_totals(bench, "key-1", "100.00", "230.00").status == 200
    bench.server.on(HASO.route, HASO.success)
    other = bench.send(HASO, totals("0", "1"), key="key-2", path_parameters={"transaction_code": "TRX-2"})
    assert other.status == 200


def test_a_refused_total_limits_no_later_order(bench: Harness) -> None:
    assert answered(bench, HASO, HASO.refusal, body=totals("500.00", "500.00")).status == 402
    assert set_totals(bench, "key-2", "1.00", "1.00").status == 200


def test_one_total_at_a_time(bench: Harness) -> None:
    """An unknown total may still arrive. It could overwrite a later, higher total."""
    holder = unknown_order(bench, HASO)
    for expense in ("230.00", "500.00"):
        response = set_totals(bench, "key-2", "100.00", expense)
        assert (response.status, response.slug) == (409, "held-by-another-operation")
        assert (response.body["retry"], response.body["holder"]) == ("same_key", holder)
    assert set_totals(bench, "key-3", "100.00", "500.00", allow_lower=True).status == 409
    assert calls(bench, HASO) == 0


def test_after_an_unknown_total_comes_a_pause(bench: Harness) -> None:
    """The unknown total may have been sent twice, and the second may arrive late."""
    unknown_order(bench, HASO)
    assert looked_up(bench, HASO, haso_success(Decimal("330.00"))).body["status"] == "succeeded"
    response = set_totals(bench, "key-2", "100.00", "500.00")
    assert (response.status, response.slug, response.body["retry"]) == (409, "held-by-another-operation", "same_key")
    assert "holder" not in response.body
    bench.clock.advance(660)
    assert set_totals(bench, "key-2", "100.00", "500.00").status == 200
    # After a certain outcome no pause is needed.
    assert set_totals(bench, "key-3", "100.00", "501.00").status == 200


# -------------------------------------------------------------------- pre-authorisations in flight


@pytest.mark.parametrize("amount", ["49.90", "10.00", None])
def test_one_capture_at_a_time(bench: Harness, amount: str | None) -> None:
    holder = unknown_order(bench, PAYNET)
    other = {"xact_id": PAYNET.body["xact_id"], **({} if amount is None else {"amount": amount})}
    response = bench.send(PAYNET, other, key="key-2")
    assert (response.status, response.slug) == (409, "held-by-another-operation")
    assert (response.body["retry"], response.body["holder"]) == ("same_key", holder)
    assert calls(bench, PAYNET) == 0


@pytest.mark.parametrize("reply", ["success", "refusal"])
def test_a_second_capture_may_follow_a_certain_one(bench: Harness, reply: str) -> None:
    answered(bench, PAYNET, PAYNET.success if reply == "success" else PAYNET.refusal)
    assert answered(bench, PAYNET, PAYNET.success, key="key-2").status == 200
    assert calls(bench, PAYNET) == 2


def test_another_pre_authorisation_is_free(bench: Harness) -> None:
    unknown_order(bench, PAYNET)
    assert answered(bench, PAYNET, PAYNET.success, body={"xact_id": "another"}, key="key-2").status == 200


def test_a_capture_that_belongs_to_another_order_proves_nothing(bench: Harness) -> None:
    first = json_reply({**PAYNET_CAPTURED, "xact_id": "first"})
    assert answered(bench, PAYNET, first).status == 200
    bench.clock.advance(600)
    known = unknown_order(bench, PAYNET, key="key-2")
    row = capture_row(bench.clock.now + 5, xact_id="first")
    response = looked_up(bench, PAYNET, paynet_rows(row), key="key-2")
    assert response.body["status"] == "unknown"
    ours = capture_row(bench.clock.now, xact_id="second")
    response = looked_up(bench, PAYNET, paynet_rows(row, ours), key="key-2")
    assert response.body["result"]["xact_id"] == "second"
    assert bench.record(known).status == SUCCEEDED


PAYNET_CAPTURED = {"transaction_type": 4, "is_succeed": True, "code": 0, "amount": 0}


# -------------------------------------------------------------------- while the holder settles


def guard_refuses(bench: Harness, monkeypatch: pytest.MonkeyPatch, guard: dict[str, Any], on_record: str) -> None:
    """Let the next claim fail at its guard as it was before."""

    def refuse(**_: Any) -> None:
        answer: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
            "CancellationReasons": [{"Code": on_record}, {"Code": "ConditionalCheckFailed", "Item": guard}],
        }
        raise ClientError(answer, "TransactWriteItems")

    monkeypatch.setattr(store_module._client(), "transact_write_items", refuse)


@pytest.mark.parametrize("settled", [False, True], ids=["still running", "settled meanwhile"])
def test_an_order_that_holds_its_guard_is_not_refused_because_of_it(
    bench: Harness, monkeypatch: pytest.MonkeyPatch, settled: bool
) -> None:
    """The table may report a conflict on the record, and the failed condition of the guard."""
    standing = bench.stand(WALLETGATE)
    guard = bench.guards()[0]
    if settled:
        bench.store.finalise(standing, SUCCEEDED, {"result": {}})
    guard_refuses(bench, monkeypatch, guard, "TransactionConflict")
    response = bench.send(WALLETGATE)
    if settled:
        assert (response.status, response.replayed) == (200, True)
    else:
        assert (response.status, response.slug) == (409, "in-progress")
        assert response.body["money"] == "unknown"


def test_a_final_order_does_not_wait_for_its_own_pause(bench: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conflict hides the record of the order. The guard it has released refuses it for its own pause."""
    known = unknown_order(bench, HASO)
    assert looked_up(bench, HASO, HASO.found(bench.record(known))).status == 200
    (guard,) = bench.guards()
    assert "quiet_until" in guard
    assert "holder" not in guard
    guard_refuses(bench, monkeypatch, guard, "TransactionConflict")
    response = bench.send(HASO)
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
    bench: Harness, monkeypatch: pytest.MonkeyPatch, example: Example, ending: str, retry: str
) -> None:
    holder = bench.stand(example)
    guard = bench.guards()[0]
    bench.store.finalise(holder, ending, {"result": {}})
    guard_refuses(bench, monkeypatch, guard, "None")
    response = bench.send(example, key="key-2")
    assert (response.status, response.slug) == (409, "held-by-another-operation")
    assert response.body["retry"] == retry


# -------------------------------------------------------------------- guards and the records of their holders

LONG_AFTER = 91 * 24 * 3600


def expire_records(bench: Harness) -> None:
    """Expire records as the table's TTL does: an old final record is gone, its guard is not."""
    bench.clock.advance(LONG_AFTER)
    for record in bench.records():
        assert float(record["expires_at"]["N"]) < bench.clock()
        bench.delete(record["id"]["S"])


@PAID_ONCE
def test_the_guard_of_a_paid_thing_outlives_its_record_and_later_claims(
    bench: Harness, example: Example, body: dict[str, Any]
) -> None:
    assert answered(bench, example, example.success, body=body).status == 200
    expire_records(bench)
    # The same key again. Its claim gets no answer and is taken back.
    bench.fail_table("TransactWriteItems", times=4)
    assert bench.send(example, body).slug == "store-unavailable"
    bench.heal_table()
    refused = bench.send(example, body, key="key-2")
    assert (refused.status, refused.body["retry"]) == (409, "never")
    assert calls(bench, example) == 1


def test_a_release_never_changes_the_guard_of_another_claim_under_the_same_key(bench: Harness) -> None:
    earlier = bench.stand(WALLETGATE)
    guards = bench.guards()
    assert guards
    # The claim of this invocation was never applied: the record is of another one.
    bench.delete(earlier.id)
    bench.store.release(dataclasses.replace(earlier, owner="another invocation of long ago"))
    assert bench.guards() == guards


def test_a_claim_that_is_applied_while_it_is_taken_back_leaves_no_guard(bench: Harness) -> None:
    """The answer to the claim was lost. The claim is applied after the release, before the record is read."""
    late = dataclasses.replace(bench.stand(WALLETGATE), owner="a claim without an answer")
    bench.delete(late.id)
    for guard in bench.guards():
        bench.delete(guard["id"]["S"])
    bench.before_next("GetItem", lambda _: bench.store.claim(late))
    bench.store.release(late)
    assert bench.records() == []
    assert all("holder" not in guard for guard in bench.guards())


@pytest.mark.parametrize("example", [WALLETGATE, HASO, PAYNET], ids=lambda it: it.operation)
def test_a_guard_that_was_left_behind_is_freed_by_the_next_claim(bench: Harness, example: Example) -> None:
    bench.delete(bench.stand(example).id)
    assert answered(bench, example, example.success, key="key-2").status == 200


def test_a_guard_without_a_mark_that_an_earlier_version_kept_counts_as_paid(bench: Harness) -> None:
    bench.delete(bench.stand(WALLETGATE).id)
    for guard in bench.guards():
        bench.put({name: value for name, value in guard.items() if name not in ("marks_paid", "holder_owner")})
    refused = bench.send(WALLETGATE, key="key-2")
    assert (refused.status, refused.body["retry"]) == (409, "never")


def settled_by_the_version_before(bench: Harness, record: Record) -> None:
    """A success as an earlier version writes it during a deployment: in the record, without a mark in the guards."""
    bench.store.finalise(record, SUCCEEDED, {"result": {}})
    for guard in bench.guards():
        bench.put({name: value for name, value in guard.items() if name != "paid"})


@pytest.mark.parametrize("days", [1, 31, 400])
def test_what_the_version_before_paid_under_a_claim_of_this_one_stays_paid(bench: Harness, days: int) -> None:
    holder = bench.stand(WALLETGATE)
    settled_by_the_version_before(bench, holder)
    bench.clock.advance(days * 24 * 3600)
    if days > 30:
        bench.delete(holder.id)
    refused = bench.send(WALLETGATE, key="key-2")
    assert (refused.status, refused.body["retry"]) == (409, "never")


def test_a_part_is_not_paid_after_the_version_before_paid_the_whole(bench: Harness) -> None:
    """An order for a part would release the guard of the bill. The order for the whole kept it."""
    holder = bench.stand(WALLETGATE)
    settled_by_the_version_before(bench, holder)
    part = dataclasses.replace(
        holder, id=f"{holder.id[:-1]}2", guards=tuple(dataclasses.replace(it, keeps=False) for it in holder.guards)
    )
    with pytest.raises(store_module.GuardRefusedError):
        bench.store.claim(part)


def test_a_released_guard_has_no_mark_for_its_next_holder(bench: Harness) -> None:
    """The version before takes it without a mark. It must not look as if this version had taken it."""
    bench.store.finalise(bench.stand(WALLETGATE), DECLINED, {})
    for guard in bench.guards():
        assert not {"holder", "holder_client", "holder_owner", "holder_keeps", "held_since", "marks_paid"} & set(guard)


def test_the_version_before_finds_the_payment_of_another_order(bench: Harness) -> None:
    """It looks for the bare value of the first field."""
    bench.store.finalise(bench.stand(PAYNET), SUCCEEDED, {"result": {"xact_id": "x-1"}})
    assert any("x-1" in guard.get("taken", {}).get("SS", ()) for guard in bench.guards())


def test_a_released_order_does_not_count_as_paid(bench: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard is held. Then its holder turns out not to be sent and releases it, before its record is read."""
    holder = bench.stand(WALLETGATE)
    bench.before_next("GetItem", lambda _: bench.store.release(holder))
    response = answered(bench, WALLETGATE, WALLETGATE.success, key="key-2")
    assert response.status == 200


def test_a_holder_of_another_client_is_not_named(bench: Harness) -> None:
    assert answered(bench, VAKIFBANK, VAKIFBANK.success, body=CODE).status == 200
    refused = bench.send(VAKIFBANK, CODE, key="key-2", client="client-2")
    assert refused.slug == "held-by-another-operation"
    assert "holder" not in refused.body
    assert refused.body["detail"].startswith("Another client")


def test_a_higher_total_in_the_pause_waits_even_if_the_pause_ends_now(bench: Harness) -> None:
    first = bench.record(unknown_order(bench, HASO))
    bench.clock.advance(60)
    bench.store.finalise(first, SUCCEEDED, {"result": {}})
    (guard,) = bench.guards()
    bench.clock.now = float(guard["quiet_until"]["N"])
    higher = {**HASO.body, "expense_amount": "99999.00"}
    refused = bench.send(HASO, higher, key="key-2")
    assert (refused.status, refused.slug) == (409, "held-by-another-operation")


@pytest.mark.parametrize("example", [PAYNET], ids=lambda it: it.operation)
def test_a_guard_may_be_held_for_ever_if_the_payment_is_not_known(bench: Harness, example: Example) -> None:
    bench.store.finalise(bench.stand(example), SUCCEEDED, {"result": {}}, hold_guards=True)
    bench.clock.advance(LONG_AFTER)
    assert bench.send(example, key="key-2").slug == "held-by-another-operation"
