"""Which answers and rows of VakıfBank are believed: the page's, those with one field changed, rows in other forms."""

import copy
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from vezne.providers.vakifbank import client as vakifbank

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
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK, VAKIFBANK_COMPLETED

CODE = "7e591df3-2f3c-4971-9682-9e4455b35b2f"
PAY = operation_of("vakifbank_pay")
ORDER = example_order(PAY, {**VAKIFBANK.body, "institution_transaction_code": CODE})
RECORD = example_record(PAY, ORDER)
RESULT = {
    "TransactionObjectId": "2022000039254817",
    "ErrorExplanation": "Tahsil Edildi",
    "InstitutionTaxNo": CODE,
    "TransactionQueryNo": "7425301",
    "ErrorCode": 1,
    "Result": True,
}
NO_FUNDS = {
    "TransactionObjectId": "",
    "ErrorExplanation": "Bakiye yetersiz",
    "InstitutionTaxNo": CODE,
    "TransactionQueryNo": "",
    "ErrorCode": 41,
    "Result": False,
}
PAID = {"Header": VAKIFBANK_COMPLETED, "Data": {"QueryResult": RESULT}}
REFUSED = {"Header": VAKIFBANK_COMPLETED, "Data": {"QueryResult": NO_FUNDS}}
AT_THE_GATEWAY = {"Header": {"StatusCode": "ACBH000233", "StatusDescription": "İşlem limiti aşıldı"}}
ROW = {
    "InstitutionCode": "0006624",
    "TransactionType": 1,
    "TaxIdentityCheck": True,
    "CreditUse": False,
    "Amount": 200,
    "CurrencyType": "TL",
    "SenderAccountNo": "0",
    "ReceivertAccountIbanNo": "TR33********1326",
    "InstitutionTransactionCode": CODE,
    "PaymentDate": "2026-12-28T00:00:00",
    "ComingReturnPaymentDate": "",
    "ComingReturnTransactionQueryNo": "",
    "Result": True,
    "ErrorCode": 1,
    "ErrorExplanation": "Tahsil Edildi",
    "TransactionObjectId": "2022000039254817",
    "TransactionQueryNo": "7425301",
}
LISTED = {"Header": VAKIFBANK_COMPLETED, "Data": {"Result": [ROW]}}
IN_A_RESULT = ("Data", "QueryResult")
IN_A_ROW = ("Data", "Result", 0)
NAMES_OF_OTHER_SIGNS = ("Status", "Durum", "TransactionStatus", "PaymentState", "Sonuç", "IsCancelled", "Hata")
OTHER_SIGNS: dict[Any, Any] = {
    (*place, name): ["IPTAL", "Beklemede", "İptal Edildi", 3, False, [], {"Code": "IPTAL"}]
    for place in (IN_A_RESULT, IN_A_ROW)
    for name in NAMES_OF_OTHER_SIGNS
}
SIGNS_OF_SUCCESS = {
    ("Data",): [PAID["Data"], {"Result": True}],
    ("Result",): [True],
    ("QueryResult",): [RESULT],
    ("Header", "StatusDescription"): ["Tamamlandı"],
    ("Header", "StatusDescriptionEn"): ["Completed"],
}


def test_the_outcomes_of_the_genuine_answers() -> None:
    assert verdict_on(PAY, ORDER, PAID) == "Succeeded"
    assert verdict_on(PAY, ORDER, REFUSED) == "Declined"
    assert verdict_on(PAY, ORDER, AT_THE_GATEWAY, 400) == "Declined"
    assert finding_on(PAY, RECORD, vakifbank, LISTED) == "Found"
    assert finding_on(PAY, RECORD, vakifbank, listed()) == "NotFound"


def in_result(signs: dict[Any, Any]) -> dict[Any, Any]:
    return {path: values for path, values in signs.items() if path[:2] == IN_A_RESULT}


@pytest.mark.parametrize(
    ("body", "status", "allowed"),
    [
        (PAID, 200, {"Succeeded", "Unknown"}),
        (REFUSED, 200, {"Declined", "Unknown"}),
        (AT_THE_GATEWAY, 400, {"Declined", "Unknown"}),
    ],
    ids=["paid", "refused", "at the gateway"],
)
def test_no_change_of_an_answer_gives_another_certain_outcome(body: Any, status: int, allowed: set[str]) -> None:
    extra = SIGNS_OF_SUCCESS if body is AT_THE_GATEWAY else in_result(OTHER_SIGNS)
    verdicts = ((one, verdict_on(PAY, ORDER, one.body, status)) for one in mutations(body, extra))
    assert wrongly_believed(verdicts, allowed) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("Result",), "yes"), (("Result",), 1), (("Result",), "true"), (("Result",), "TRUE"), (("Result",), None),
        (("ErrorCode",), 12), (("ErrorCode",), True), (("ErrorCode",), " 1"), (("ErrorCode",), [1]),
        (("InstitutionTaxNo",), None), (("InstitutionTaxNo",), CODE.upper()), (("InstitutionTaxNo",), f"{CODE} "),
        (("ErrorExplanation",), "Beklemede"), (("ErrorExplanation",), "İPTAL"), (("Status",), "IPTAL"),
    ],
)  # fmt: skip
def test_a_success_with_a_doubtful_sign_is_unknown(path: tuple[str, ...], value: Any) -> None:
    assert verdict_on(PAY, ORDER, changed_result(PAID, path, value)) == "Unknown"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("Result",), "no"), (("Result",), 0), (("Result",), "false"), (("Result",), None),
        (("ErrorCode",), 1), (("ErrorCode",), "1"), (("ErrorCode",), 0), (("ErrorCode",), None), (("ErrorCode",), ""),
        (("ErrorCode",), " 41"), (("ErrorCode",), [41]), (("ErrorCode",), True), (("ErrorCode",), {"Code": 41}),
        (("ErrorCode",), "01"), (("ErrorCode",), "Tamam"), (("ErrorExplanation",), "Tahsil Edildi"),
        (("ErrorExplanation",), "TAHSİL EDİLDİ "), (("ErrorExplanation",), "Mükerrer işlem"),
        (("TransactionObjectId",), "2022000039254817"), (("TransactionQueryNo",), "7425301"),
        (("InstitutionTaxNo",), None), (("InstitutionTaxNo",), ""), (("InstitutionTaxNo",), CODE.upper()),
        (("Success",), True), (("Status",), "Tahsil Edildi"),
    ],
)  # fmt: skip
def test_a_refusal_with_a_doubtful_sign_is_unknown(path: tuple[str, ...], value: Any) -> None:
    assert verdict_on(PAY, ORDER, changed_result(REFUSED, path, value)) == "Unknown"


def changed_result(body: Any, path: tuple[str, ...], value: Any) -> Any:
    (name,) = path
    return {**body, "Data": {"QueryResult": {**body["Data"]["QueryResult"], name: value}}}


@pytest.mark.parametrize("code", ["ACBG000003", "ACBG000001", "ACBG000005", "ACBG000010", "ACBH000645"])
@pytest.mark.parametrize("beside", [{"Data": PAID["Data"]}, {"Data": {"Result": True}}, {"QueryResult": RESULT}])
def test_a_gateways_refusal_with_a_money_layer_is_unknown(code: str, beside: dict[str, Any]) -> None:
    """If it were believed, the order would be sent again, or the answer would be that no money moved."""
    assert verdict_on(PAY, ORDER, {"Header": {"StatusCode": code}, **beside}, 400) == "Unknown"


@pytest.mark.parametrize("code", [["ACBH000233"], {"Code": "ACBH000233"}, " ACBH000233", "ACBH000233 ", "acbh000233"])
def test_a_gateways_code_is_plain_text(code: Any) -> None:
    assert verdict_on(PAY, ORDER, {"Header": {"StatusCode": code}}, 400) == "Unknown"


@pytest.mark.parametrize("status", [201, 202, 204, 302, 409, 429])
def test_a_gateways_refusal_needs_a_status_that_refuses(status: int) -> None:
    assert verdict_on(PAY, ORDER, AT_THE_GATEWAY, status) == "Unknown"


PAIRS = {"paid": (PAID, in_result(OTHER_SIGNS)), "refused": (REFUSED, in_result(OTHER_SIGNS))}


@pytest.mark.parametrize("which", PAIRS)
def test_an_unknown_answer_stays_unknown_with_another_change(which: str) -> None:
    body, extra = PAIRS[which]

    @settings(max_examples=300, deadline=None, database=None)
    @given(mutated_twice(body, extra))
    def check(both: list[Mutation]) -> None:
        first, second = both
        if verdict_on(PAY, ORDER, first.body) == "Unknown":
            assert verdict_on(PAY, ORDER, second.body) == "Unknown", f"{first}; {second}"

    check()


# ------------------------------------------------------------------------ rows


def listed(*rows: Any) -> dict[str, Any]:
    return {"Header": VAKIFBANK_COMPLETED, "Data": {"Result": list(rows)}}


def without(*names: str, **more: Any) -> dict[str, Any]:
    return {**{name: value for name, value in ROW.items() if name not in names}, **more}


def names_another(one: Mutation) -> bool:
    """Whether the only code of the row is clearly another one, or there is no row."""
    if one.path in {("Data", "Result"), IN_A_ROW}:
        return one.value == [] or one.value is MISSING
    return one.path == (*IN_A_ROW, "InstitutionTransactionCode")


def test_no_change_of_a_row_makes_it_not_found() -> None:
    """Except a change of its code to a clearly different one."""
    changed = [one for one in mutations(LISTED, OTHER_SIGNS_OF_ROWS) if not names_another(one)]
    verdicts = ((one, finding_on(PAY, RECORD, vakifbank, one.body)) for one in changed)
    assert wrongly_believed(verdicts, {"Found", "Inconclusive"}) == []


OTHER_SIGNS_OF_ROWS = {path: values for path, values in OTHER_SIGNS.items() if path[:3] == IN_A_ROW}
JUDGED = ("Amount", "CurrencyType", "TransactionType", "ErrorExplanation", "Result", "ErrorCode")


def test_a_row_with_changed_signs_is_no_success() -> None:
    """A sign proves nothing if it is null, missing or empty, except amount and currency. Other changes contradict."""
    judged = [one for one in mutations(LISTED, OTHER_SIGNS_OF_ROWS) if one.path[3:] in {(name,) for name in JUDGED}]
    signs = [one for one in judged if one.path[3:] not in (("Amount",), ("CurrencyType",))]
    says_nothing = [one for one in signs if one.value in (None, "") or type(one.value) is object]
    same_in_text = [one for one in judged if str(one.value) in ("200", "1", "0") and not isinstance(one.value, bool)]
    same_in_text += [one for one in judged if one.path[3:] == ("CurrencyType",) and one.value == "TRY"]
    changed = [one for one in judged if one not in says_nothing and one not in same_in_text]
    assert len(changed) > 200
    verdicts = ((one, finding_on(PAY, RECORD, vakifbank, one.body)) for one in changed)
    assert wrongly_believed(verdicts, {"Inconclusive"}) == []


def test_a_status_under_any_name_makes_a_row_inconclusive() -> None:
    changed = [one for one in mutations(LISTED, OTHER_SIGNS_OF_ROWS) if one.path[3:] and one.path[3] not in ROW]
    assert len(changed) == 7 * len(NAMES_OF_OTHER_SIGNS)
    verdicts = ((one, finding_on(PAY, RECORD, vakifbank, one.body)) for one in changed)
    assert wrongly_believed(verdicts, {"Inconclusive"}) == []


@settings(max_examples=400, deadline=None, database=None)
@given(mutated_twice(LISTED, OTHER_SIGNS_OF_ROWS))
def test_a_row_that_proves_nothing_proves_nothing_with_another_change(both: list[Mutation]) -> None:
    first, second = both
    if finding_on(PAY, RECORD, vakifbank, first.body) == "Inconclusive" and not any(map(names_another, both)):
        assert finding_on(PAY, RECORD, vakifbank, second.body) == "Inconclusive", f"{first}; {second}"


UNNAMED = [
    {"ReferenceNo": CODE},
    {"InstitutionReferenceCode": CODE.upper()},
    {"InstitutionTransactionCode": CODE.upper()},
    {"InstitutionTransactionCode": f" {CODE}"},
    {"InstitutionTransactionCode": f"{CODE}   "},
    {"InstitutionTransactionCode": CODE.replace("-", "")},
    {"InstitutionTransactionCode": CODE[:30]},
    {"InstitutionTransactionCode": ""},
    {"InstitutionTransactionCode": "   "},
    {"InstitutionTransactionCode": None},
    {"InstitutionTransactionCode": {"Value": CODE}},
    {"InstitutionTransactionCode": "0006624", "InstitutionTransactionNo": CODE},
    {"InstitutionTransactionCode": "0006624", "Detail": {"Reference": CODE}},
    {},
]


@pytest.mark.parametrize("named", UNNAMED, ids=str)
@pytest.mark.parametrize("beside", [[], [without(InstitutionTransactionCode="another-code")]], ids=["alone", "beside"])
def test_a_row_that_may_be_ours_is_neither_found_nor_not_found(named: dict[str, Any], beside: list[Any]) -> None:
    rows = [*beside, without("InstitutionTransactionCode", **named)]
    assert finding_on(PAY, RECORD, vakifbank, listed(*rows)) == "Inconclusive"


@pytest.mark.parametrize("name", ["InstitutionTransactionCode", "InstitutionTransactionNo", "InstitutionTaxNo"])
def test_a_row_may_use_each_of_the_pages_names_for_the_code(name: str) -> None:
    assert finding_on(PAY, RECORD, vakifbank, listed(without("InstitutionTransactionCode", **{name: CODE}))) == "Found"


@pytest.mark.parametrize(
    "signs",
    [
        {}, {"ErrorCode": 0}, {"ErrorCode": 0, "ErrorExplanation": ""}, {"ErrorExplanation": "Tahsil Edildi"},
        {"Result": None, "ErrorCode": None},
    ],
)  # fmt: skip
def test_a_row_without_a_sign_of_success_proves_nothing(signs: dict[str, Any]) -> None:
    row = without("Result", "ErrorCode", "ErrorExplanation", **signs)
    assert finding_on(PAY, RECORD, vakifbank, listed(row)) == "Inconclusive"


@pytest.mark.parametrize("signs", [{"Result": True}, {"ErrorCode": 1}, {"Result": True, "ErrorCode": "0"}])
def test_a_row_with_one_sign_of_success_is_found(signs: dict[str, Any]) -> None:
    row = without("Result", "ErrorCode", "ErrorExplanation", **signs)
    assert finding_on(PAY, RECORD, vakifbank, listed(row)) == "Found"


def test_a_record_of_the_version_before_names_no_type() -> None:
    old = copy.deepcopy(RECORD)
    del old.lookup_fields["transaction_type"]
    assert finding_on(PAY, old, vakifbank, listed(without(TransactionType=2))) == "Found"
    assert finding_on(PAY, RECORD, vakifbank, listed(without(TransactionType=2))) == "Inconclusive"


@pytest.mark.parametrize(
    "data",
    [
        {"Result": [], "TotalCount": 1}, {"Result": [], "HasMore": True}, {"Result": [], "ErrorCode": 12},
        {"Result": [], "Status": "FAIL"}, {"QueryResult": {"Result": [], "ErrorCode": 12}}, {"Result": None}, [], None,
        {"Result": [], "QueryResult": {"Result": [ROW]}, "ErrorCode": 12},
    ],
)  # fmt: skip
def test_an_empty_list_that_may_be_incomplete_is_inconclusive(data: Any) -> None:
    body = {"Header": VAKIFBANK_COMPLETED, "Data": data}
    assert finding_on(PAY, RECORD, vakifbank, body) == "Inconclusive"


def test_rows_in_two_lists_are_all_read() -> None:
    body = {"Header": VAKIFBANK_COMPLETED, "Data": {"Result": [], "QueryResult": {"Result": [ROW]}}}
    assert finding_on(PAY, RECORD, vakifbank, body) == "Found"


# ---------------------------------------------------------------------- absence


def istanbul(text: str) -> float:
    return datetime.fromisoformat(f"{text}+03:00").timestamp()


@pytest.mark.parametrize(
    ("payment_date", "sent_until", "counts_from"),
    [
        # Its date is in 27 days: the bank lists it on that day, or on the business day after a closure of ten days.
        ("2026-12-28", "2026-12-01T09:00:27", "2027-01-08T00:30:00"),
        ("2026-12-28T15:30:00", "2026-12-01T09:00:27", "2027-01-08T00:30:00"),
        ("2026-12-01", "2026-12-01T09:00:27", "2026-12-12T00:30:00"),
        # Its date is in the past: it can be made when it arrives.
        ("2026-11-01", "2026-12-01T09:00:27", "2026-12-11T09:30:27"),
    ],
)
def test_absence_proves_nothing_before_the_payments_day_is_over(
    payment_date: str, sent_until: str, counts_from: str
) -> None:
    order = example_order(PAY, {**VAKIFBANK.body, "payment_date": payment_date})
    record = replace(example_record(PAY, order), may_arrive_until=istanbul(sent_until))
    assert PAY.absence_counts_from(record) == istanbul(counts_from)
