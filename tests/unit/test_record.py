"""Ids, guard names, and the record's form in the table."""

import hashlib
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st
from vezne.orders.record import (
    EVIDENCE_HEAD,
    EVIDENCE_TAIL,
    NOT_EXECUTED,
    SHARDS,
    SUCCEEDED,
    UNKNOWN,
    Record,
    StoredGuard,
    from_item,
    guard_id,
    iso_time,
    operation_id,
    operation_tag,
    plain,
    seconds_of,
    to_item,
    trimmed,
)

from tests.support.example import Example
from tests.support.harness import ROOT, START, operation_of
from tests.support.operations import EXAMPLES

RECORD = Record(
    id=operation_id("client-1", "haso.set_expenses", "key-1"),
    operation="haso.set_expenses",
    principal="client-1",
    fingerprint="f" * 64,
    status="processing",
    owner="me",
    lease_until=START + 27,
    may_arrive_until=START + 27,
    created_at=START,
    updated_at=START,
    lookup_fields={"amount": "230.00", "merchant_oid": "SİPARİŞ-1"},
    guards=(StoredGuard("TRX-1", figures={"expense_amount": 23000}, may_fall=True),),
    evidence=({"at": iso_time(START), "finding": "not_found"},),
    next_look_up=START + 30,
)


def test_an_operation_id_has_the_announced_form_and_fence() -> None:
    known = operation_id("client-1", "paynet.capture", "key-1")
    assert re.fullmatch(r"op_[a-z2-7]{26}", known)
    assert known.startswith(f"op_{operation_tag('paynet.capture')}")
    template = (ROOT / "template.yaml").read_text()
    for example in EXAMPLES:
        # The roles in the template are fenced by these tags.
        assert f"op_{operation_tag(example.operation)}" in template


def test_operation_ids_are_frozen() -> None:
    """Another derivation would let every key that was used before run again."""
    digest = hashlib.sha256(b"client-1\npaynet.capture\nkey-1").digest()
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    bits = "".join(f"{byte:08b}" for byte in digest)
    by_hand = "".join(alphabet[int(bits[at : at + 5], 2)] for at in range(0, 110, 5))
    assert operation_id("client-1", "paynet.capture", "key-1") == f"op_{operation_tag('paynet.capture')}{by_hand}"
    assert operation_id("client-1", "paynet.capture", "key-1") == FROZEN_ID


FROZEN_ID = "op_3njc7x6x3oz455srd6jae6dwpw"


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["x.y", "x.z"]), st.sampled_from(["k", "k1", "1k"])),
        min_size=2, max_size=2, unique=True,
    )
)  # fmt: skip
def test_two_orders_never_share_an_id(orders: list[tuple[str, str, str]]) -> None:
    one, other = orders
    assert operation_id(*one) != operation_id(*other)


def test_a_guard_is_named_without_its_value() -> None:
    name = guard_id("walletgate.pay_bill", "90XX46")
    assert re.fullmatch(r"guard#walletgate\.pay_bill#[a-z2-7]{26}", name)
    assert name != guard_id("walletgate.pay_bill", "90XX47")
    assert name != guard_id("vakifbank.pay", "90XX46")


def test_a_record_survives_the_table() -> None:
    assert from_item(to_item(RECORD)) == RECORD
    final = replace(RECORD, status=SUCCEEDED, outcome={"result": {"ad": "Ömer"}}, next_look_up=None, guards=())
    assert from_item(to_item(final)) == final


@pytest.mark.parametrize(
    ("status", "indexed"), [("processing", True), (UNKNOWN, True), (SUCCEEDED, False), (NOT_EXECUTED, False)]
)
def test_only_unresolved_records_are_in_the_index(status: str, indexed: bool) -> None:
    item = to_item(replace(RECORD, status=status))
    assert ("unresolved" in item) is indexed
    if indexed:
        operation, shard = item["unresolved"]["S"].split("#")
        assert operation == RECORD.operation
        assert 0 <= int(shard) < SHARDS


def test_records_spread_over_all_shards() -> None:
    shards = {
        to_item(replace(RECORD, id=operation_id("c", "haso.set_expenses", str(key))))["unresolved"]["S"]
        for key in range(200)
    }
    assert len(shards) == SHARDS


@given(st.floats(0, 4_000_000_000))
def test_times_keep_their_milliseconds(seconds: float) -> None:
    text = iso_time(seconds)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert abs(Decimal(seconds_of(text)) - Decimal(seconds)) <= Decimal("0.001")


def test_long_evidence_keeps_its_beginning_and_its_end() -> None:
    long = tuple({"at": str(number)} for number in range(200))
    kept = trimmed(long)
    assert kept[:EVIDENCE_HEAD] == long[:EVIDENCE_HEAD]
    assert kept[-EVIDENCE_TAIL:] == long[-EVIDENCE_TAIL:]
    assert len(kept) == EVIDENCE_HEAD + EVIDENCE_TAIL
    assert trimmed(long[:80]) == long[:80]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_clues_hold_what_a_look_up_needs_and_no_account(example: Example) -> None:
    operation = operation_of(example.function)
    order = example.known(operation)
    lookup_fields = operation.lookup_fields(order)
    if example.amounts:
        assert lookup_fields["amount"]
        # KolayBi's answer names the currency of an invoice.
        assert lookup_fields.get("currency", "TRY") == "TRY"
        assert ("currency" in lookup_fields) != (example.operation == "kolaybi.collect_invoice")
    hidden = {"TR330006100519786457841326", "5536557580", "28XX01", "25XX25", "0", "Oktay"}
    assert not hidden & set(lookup_fields.values())


def test_every_guard_with_all_its_names_comes_back() -> None:
    guards = (
        StoredGuard("bill", keeps=True),
        StoredGuard("capture", remembers=("xact_id", "order_id")),
        StoredGuard("capture", of="paynet.capture"),
    )
    for some in ((), guards, guards[::-1], guards[1:]):
        assert from_item(to_item(replace(RECORD, guards=some))).guards == some


def test_an_earlier_version_reads_the_first_guard_in_the_form_it_knows() -> None:
    guards = (StoredGuard("capture", remembers=("xact_id", "order_id")), StoredGuard("bill", keeps=True))
    stored = plain(to_item(replace(RECORD, guards=guards)))["guard"]
    assert stored == {"key": "capture", "keeps": False, "figures": {}, "may_fall": False, "quiet_seconds": 0,
                      "remembers": "xact_id"}  # fmt: skip


def test_a_record_of_an_earlier_version_is_read() -> None:
    item = to_item(replace(RECORD, account={"url": "https://provider.invalid"}, settled_by="answer"))
    for name in ("account", "settled_by", "remembers_also", "more_guards"):
        item.pop(name, None)
    record = from_item(item)
    assert (record.account, record.settled_by) == ({}, None)


def test_a_guards_member_of_a_later_version_is_passed_over() -> None:
    item = to_item(RECORD)
    item["guard"]["M"]["later"] = {"S": "member"}
    assert from_item(item) == RECORD
