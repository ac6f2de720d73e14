"""Which answers and list items of walletgate are believed: the page's, those with one field changed, other forms."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from vezne.providers.http import ProviderResponse
from vezne.providers.walletgate import client as walletgate

from tests.contract.test_walletgate import PAGE_ANSWER
from tests.support.harness import operation_of
from tests.support.mutations import (
    MISSING,
    Mutation,
    example_order,
    example_record,
    finding_on,
    mutated_twice,
    mutations,
    verdict_on,
    wrongly_believed,
)
from tests.support.operations.walletgate_pay_bill import BILL, OID

PAY = operation_of("walletgate_pay_bill")
ORDER = example_order(PAY, BILL)
RECORD = example_record(PAY, ORDER)
PAID = ProviderResponse(200, PAGE_ANSWER.encode()).json()
REFUSED = {"status": 1, "code": "311", "message": "Yetersiz bakiye", "payload": None}
ITEM = {
    "id": "ABRVXXX7304",
    "ext_transaction_id": OID,
    "tx_group_correlation_id": "group-1",
    "tx_ref_correlation_id": "reference-1",
    "wallet_id": "45X9XX21",
    "process_level_status_id": 20,
    "transaction_type": "InvoicePayment",
    "transaction_status_id": 20,
    "transaction_status": "NormalCompleted",
    "result_code": "Success",
    "created_date_utc": "2026-12-01T06:00:01.0000001+00:00",
    "updated_date_utc": "2026-12-01T06:00:01.0000001+00:00",
    "completed_date_utc": "2026-12-01T06:00:01.0000001+00:00",
    "tx_base_amount": Decimal("196.5000"),
    "tx_additional_fee": Decimal("0.0000"),
    "currency_code": "TRY",
}
LIST = {"status": 0, "code": "100", "message": "İşlem başarılı", "payload": {"items": [ITEM], "total_count": 1}}
IN_AN_ITEM = ("payload", "items", 0)
WORDS = ["IPTAL", "Beklemede", "Refunded", False, {"code": 60}, 60]
STATUS_NAMES = ("status", "refund_status", "durum", "is_cancelled", "error", "process_state")
OTHER_SIGNS: dict[Any, Any] = {(*IN_AN_ITEM, name): WORDS for name in STATUS_NAMES}
AGAINST_SUCCESS: dict[Any, Any] = {
    **{(name,): [False, ["x"], {"a": 1}, "Hata"] for name in ("success", "errors", "error")},
    **{("payload", name): ["IPTAL", "Pending", False] for name in ("status", "transaction_status")},
}
SUCCESS = {"transaction_id": "ABRVXXX7304"}
FOR_SUCCESS: dict[Any, Any] = {
    ("payload",): [PAID["payload"], SUCCESS, {"detail": SUCCESS}, [SUCCESS], {"charged_amount": 196.5}, "ABRV", 1],
    ("success",): [True],
    ("message",): ["İşlem başarılı", "Success", "Mükerrer ext_transaction_id", ["x"]],
}


def listed(*items: Any, **around: Any) -> dict[str, Any]:
    return {**LIST, "payload": {"items": list(items), **around}}


def but(*names: str, **more: Any) -> dict[str, Any]:
    return {**{name: value for name, value in ITEM.items() if name not in names}, **more}


def test_the_outcomes_of_the_genuine_answers() -> None:
    assert verdict_on(PAY, ORDER, PAID) == "Succeeded"
    assert verdict_on(PAY, ORDER, REFUSED) == verdict_on(PAY, ORDER, REFUSED, 400) == "Declined"
    assert finding_on(PAY, RECORD, walletgate, LIST) == "Found"
    assert finding_on(PAY, RECORD, walletgate, listed()) == "NotFound"


@pytest.mark.parametrize(
    ("body", "status", "extra", "allowed"),
    [
        (PAID, 200, AGAINST_SUCCESS, {"Succeeded", "Unknown"}),
        (REFUSED, 200, FOR_SUCCESS, {"Declined", "Unknown"}),
        (REFUSED, 400, FOR_SUCCESS, {"Declined", "Unknown"}),
    ],
    ids=["paid", "refused", "refused with 400"],
)
def test_no_change_of_an_answer_gives_another_certain_outcome(
    body: Any, status: int, extra: dict[Any, Any], allowed: set[str]
) -> None:
    verdicts = ((one, verdict_on(PAY, ORDER, one.body, status)) for one in mutations(body, extra))
    assert wrongly_believed(verdicts, allowed) == []


@pytest.mark.parametrize(
    "sign", [(path, value) for path, values in AGAINST_SUCCESS.items() for value in values], ids=str
)
def test_a_success_with_a_sign_against_it_is_unknown(sign: Any) -> None:
    (one,) = [one for one in mutations(PAID, {sign[0]: [sign[1]]}) if one.path == sign[0] and one.value == sign[1]][-1:]
    assert verdict_on(PAY, ORDER, one.body) == "Unknown"


@pytest.mark.parametrize("sign", [(path, value) for path, values in FOR_SUCCESS.items() for value in values], ids=str)
@pytest.mark.parametrize("status", [200, 400])
def test_a_refusal_with_a_sign_of_success_is_unknown(sign: Any, status: int) -> None:
    assert verdict_on(PAY, ORDER, {**REFUSED, sign[0][0]: sign[1]}, status) == "Unknown"


@pytest.mark.parametrize(
    "change",
    [
        {"status": "00"}, {"status": False}, {"status": None}, {"status": Decimal("0.0")}, {"status": [0]},
        {"code": " 100"}, {"code": Decimal("100.0")}, {"code": None}, {"code": True}, {"message": "Beklemede"},
    ],
    ids=str,
)  # fmt: skip
def test_a_success_needs_both_signs(change: dict[str, Any]) -> None:
    assert verdict_on(PAY, ORDER, {**PAID, **change}) == "Unknown"


@pytest.mark.parametrize(
    "change",
    [
        {"transaction_amount": "196,50"}, {"transaction_amount": "-196.50"}, {"transaction_amount": True},
        {"charged_amount": 0}, {"charged_amount": Decimal("-196.5")}, {"charged_amount": "x"}, {"transaction_fee": "x"},
        {"inv_payment_transaction_query_oid": None}, {"inv_payment_transaction_query_oid": OID.lower()},
        {"inv_payment_transaction_query_oid": f" {OID}"}, {"sender_wallet_info": {"currency_code": "USD"}},
    ],
    ids=str,
)  # fmt: skip
def test_the_payload_is_our_bill_our_amount_and_our_currency(change: dict[str, Any]) -> None:
    assert verdict_on(PAY, ORDER, {**PAID, "payload": {**PAID["payload"], **change}}) == "Unknown"


@pytest.mark.parametrize("code", [None, "", {}, [], True, "999", 999, " 311", "311 ", Decimal("311.0"), ["311"], "400"])
@pytest.mark.parametrize("status", [200, 400, 403, 404, 422])
def test_only_a_listed_code_in_a_plain_form_refuses(code: Any, status: int) -> None:
    assert verdict_on(PAY, ORDER, {**REFUSED, "code": code}, status) == "Unknown"


@pytest.mark.parametrize("code", ["300", "310", "311", 300])
@pytest.mark.parametrize("status", [200, 400, 403, 404, 422])
def test_a_listed_code_refuses(code: Any, status: int) -> None:
    assert verdict_on(PAY, ORDER, {**REFUSED, "code": code}, status) == "Declined"


@pytest.mark.parametrize("lacking", ["status", "code", "message", "payload"])
def test_a_refusal_has_the_platforms_whole_envelope(lacking: str) -> None:
    body = {name: value for name, value in REFUSED.items() if name != lacking}
    assert verdict_on(PAY, ORDER, body) == verdict_on(PAY, ORDER, body, 400) == "Unknown"


@pytest.mark.parametrize("status", [0, "0", None, True, "", [1], "failed"])
def test_a_refusal_needs_its_status(status: Any) -> None:
    assert verdict_on(PAY, ORDER, {**REFUSED, "status": status}) == "Unknown"


@pytest.mark.parametrize(("body", "extra"), [(PAID, AGAINST_SUCCESS), (REFUSED, FOR_SUCCESS)], ids=["paid", "refused"])
def test_an_unknown_answer_stays_unknown_with_another_change(body: Any, extra: dict[Any, Any]) -> None:
    @settings(max_examples=300, deadline=None, database=None)
    @given(mutated_twice(body, extra))
    def check(both: list[Mutation]) -> None:
        first, second = both
        if verdict_on(PAY, ORDER, first.body) == "Unknown":
            assert verdict_on(PAY, ORDER, second.body) == "Unknown", f"{first}; {second}"

    check()


# ----------------------------------------------------------------------- items


def names_another(one: Mutation) -> bool:
    """Whether the only reference of the item is clearly another one, or there is no item."""
    if one.path in {("payload",), ("payload", "items"), IN_AN_ITEM}:
        return one.value == [] or one.value is MISSING
    return one.path == (*IN_AN_ITEM, "ext_transaction_id")


def test_no_change_of_an_item_makes_it_not_found() -> None:
    """Except a change of its reference to a clearly different one."""
    changed = [one for one in mutations(LIST, OTHER_SIGNS) if not names_another(one)]
    verdicts = ((one, finding_on(PAY, RECORD, walletgate, one.body)) for one in changed)
    assert wrongly_believed(verdicts, {"Found", "Inconclusive"}) == []


@pytest.mark.parametrize(
    "change",
    [
        {"currency_code": "USD"}, {"currency_code": "try"}, {"currency_code": "TRY "}, {"currency_code": 949},
        {"tx_base_amount": Decimal("-196.5")}, {"tx_base_amount": Decimal("196.51")}, {"tx_base_amount": "196,50"},
        {"tx_base_amount": None}, {"tx_additional_fee": "x"},
        {"process_level_status_id": 10}, {"process_level_status_id": 40}, {"process_level_status_id": 60},
        {"process_level_status_id": "20 "}, {"process_level_status_id": True},
        {"process_level_status_id": Decimal("20.0")},
        {"transaction_status_id": 30}, {"transaction_status": "Refunded"}, {"transaction_status": "normalcompleted"},
        {"result_code": "Failed"}, {"result_code": ""}, {"transaction_type": "InvoicePaymentRefund"},
        {"transaction_type": "İptal"}, {"process_level_status_id": None, "transaction_status_id": None},
        *({name: value} for name in STATUS_NAMES for value in WORDS),
    ],
    ids=str,
)  # fmt: skip
def test_an_item_of_ours_that_does_not_fit_proves_nothing(change: dict[str, Any]) -> None:
    assert finding_on(PAY, RECORD, walletgate, listed(but(**change))) == "Inconclusive"


@settings(max_examples=400, deadline=None, database=None)
@given(mutated_twice(LIST, OTHER_SIGNS))
def test_an_item_that_proves_nothing_proves_nothing_with_another_change(both: list[Mutation]) -> None:
    first, second = both
    if finding_on(PAY, RECORD, walletgate, first.body) == "Inconclusive" and not any(map(names_another, both)):
        assert finding_on(PAY, RECORD, walletgate, second.body) == "Inconclusive", f"{first}; {second}"


UNNAMED = but("ext_transaction_id")


def test_an_item_without_a_reference_is_ours_only_if_the_filter_works() -> None:
    """A control query asks for a reference that does not exist. Rows in its answer show that nothing was filtered."""
    assert finding_on(PAY, RECORD, walletgate, listed(UNNAMED), listed()) == "Found"
    assert finding_on(PAY, RECORD, walletgate, listed(UNNAMED), listed(UNNAMED)) == "Inconclusive"
    assert finding_on(PAY, RECORD, walletgate, listed(UNNAMED), listed(but(ext_transaction_id="x"))) == "Inconclusive"
    assert finding_on(PAY, RECORD, walletgate, listed(UNNAMED), {"status": 1, "code": "999"}) == "Inconclusive"


@pytest.mark.parametrize("change", [{"currency_code": "USD"}, {"tx_base_amount": 1}, {"transaction_status_id": 60}])
def test_an_item_without_a_reference_must_fit_too(change: dict[str, Any]) -> None:
    assert finding_on(PAY, RECORD, walletgate, listed({**UNNAMED, **change}), listed()) == "Inconclusive"


@pytest.mark.parametrize(
    "reference", [OID.lower(), f" {OID}", "", "  ", 7.5, [OID], OID.replace("-", ""), OID[:20]], ids=str
)
def test_an_item_that_may_be_ours_is_neither_found_nor_not_found(reference: Any) -> None:
    item = but(ext_transaction_id=reference)
    assert finding_on(PAY, RECORD, walletgate, listed(item), listed()) == "Inconclusive"
    other = but(ext_transaction_id="another", order_number=OID)
    assert finding_on(PAY, RECORD, walletgate, listed(other), listed()) == "Inconclusive"


# ----------------------------------------------------------------------- pages


def page(number: int, size: int = 50) -> list[Any]:
    return [but(id=f"TX{number}-{index}", ext_transaction_id=f"other-{number}-{index}") for index in range(size)]


def test_a_full_page_is_not_the_end() -> None:
    """A platform that does not filter shows other payments first."""
    assert finding_on(PAY, RECORD, walletgate, listed(*page(1)), listed(*page(2)), listed(ITEM)) == "Found"
    assert finding_on(PAY, RECORD, walletgate, listed(*page(1)), listed(*page(2, 3))) == "NotFound"


def test_a_first_page_that_is_given_twice_is_read_once() -> None:
    """Whether pages count from 0 or from 1 is not documented."""
    first = [*page(1, 49), ITEM]
    assert finding_on(PAY, RECORD, walletgate, listed(*first), listed(*first), listed()) == "Found"


def test_more_pages_than_are_read_prove_nothing() -> None:
    pages = [listed(*page(number)) for number in range(30)]
    assert finding_on(PAY, RECORD, walletgate, *pages) == "Inconclusive"


@pytest.mark.parametrize("around", [{"total_count": 1}, {"total": "2"}, {"has_more": True}, {"next": "x"}], ids=str)
def test_an_end_before_the_announced_one_proves_nothing(around: dict[str, Any]) -> None:
    assert finding_on(PAY, RECORD, walletgate, listed(**around)) == "Inconclusive"


def test_a_shorter_page_than_asked_for_is_not_the_end_if_more_are_announced() -> None:
    first, second = listed(*page(1, 20), total_count=21), listed(ITEM, total_count=21)
    assert finding_on(PAY, RECORD, walletgate, first, second) == "Found"
