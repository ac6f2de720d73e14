"""No small change of a provider's genuine answer, or of its list, makes another certain outcome of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from vezne.orders.evidence import plain_number
from vezne.providers.http import ProviderResponse

from tests.contract.test_walletgate import PAGE_ANSWER as WALLETGATE_ANSWER
from tests.support.example import Example
from tests.support.harness import START
from tests.support.mutations import MISSING, Mutation, Path, mutations, pairs, wrongly_believed
from tests.support.operations import EXAMPLES, PROVABLE
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO_EXAMPLE, haso_plan
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI_EXAMPLE, KOLAYBI_DATA
from tests.support.operations.kolaybi_collect_invoice import EXAMPLE as INVOICE_EXAMPLE, INVOICE_DATA
from tests.support.operations.paynet_capture import CAPTURE_ANSWER, EXAMPLE as PAYNET_EXAMPLE, capture_row
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK_EXAMPLE, VAKIFBANK_COMPLETED, vakifbank_row
from tests.support.operations.walletgate_pay_bill import EXAMPLE as WALLETGATE_EXAMPLE, ITEM
from tests.support.provider_server import Call, Reply
from tests.support.reader import Reader, answered

SUCCEEDED, DECLINED, UNKNOWN = "Succeeded", "Declined", "Unknown"
# The statuses that say that a request was not carried out. Written again here: one more would be a danger.
REFUSING = (400, 403, 404, 405, 415, 422)
FOUND, NOT_FOUND, INCONCLUSIVE = "Found", "NotFound", "Inconclusive"
Extra = dict[Path, Sequence[Any]]
CODE = "7e591df3-2f3c-4971-9682-9e4455b35b2f"
KOLAYBI, WALLETGATE, HASO, PAYNET = map(Reader, (KOLAYBI_EXAMPLE, WALLETGATE_EXAMPLE, HASO_EXAMPLE, PAYNET_EXAMPLE))
INVOICE_PART, INVOICE_WHOLE = Reader(INVOICE_EXAMPLE), Reader(INVOICE_EXAMPLE, amount=None)
VAKIFBANK = Reader(VAKIFBANK_EXAMPLE, institution_transaction_code=CODE)


@dataclass(frozen=True)
class Genuine:
    """An answer as the provider gives it, and its outcome.

    `deciding`: fields whose every other value leaves the outcome unknown. `contrary`: values of fields, also of such as
    it does not have, each of which contradicts the outcome.
    """

    reader: Reader
    status: int
    body: dict[str, Any]
    outcome: str
    deciding: frozenset[Path]
    contrary: Extra

    def __str__(self) -> str:
        return f"{self.reader.operation.name} {self.status} {self.outcome}"


FAILURES: dict[str, Sequence[Any]] = {
    "success": [False, "false", 0, "true", 1],
    "errors": [["x"], {"amount": ["x"]}],
    "error": ["x", {"message": "x"}],
}
KOLAYBI_FAILURES: Extra = {
    **{(*place, name): signs for place in ((), ("data",)) for name, signs in FAILURES.items()},
    ("code",): ["E42", 500, "0"],
    ("data", "status"): ["İptal Edildi"],
    ("data", "transaction_type"): ["Ödeme", 1],
    ("data", "deleted_at"): ["2026-12-01 09:00:00"],
}
INVOICE_CONTRARY: Extra = {
    ("data", "remaining_amount"): [MISSING, None, -1, "139,50", False, "x", [0]],
    ("data", "currency"): [MISSING, None, 949, "TL", "LIRA"],
}
NOT_REFUSED: Extra = {
    ("data",): [KOLAYBI_DATA, [1], {"id": 9}],
    ("transaction_status",): ["Tamamlandı"],
    ("message",): ["Tamamlandı", {"tr": "x"}],
    ("code",): [["E42"], {"value": "E42"}, 4.2, True, 200, "0", 500, "429"],
    ("errors",): [7, [["x"]], {"amount": {"x": 1}}],
}
OTHER_SIGNS = ("IPTAL", "Beklemede", "İptal Edildi", 3, False, {"Code": "IPTAL"})
OTHER_NAMES = ("Status", "Durum", "TransactionStatus", "PaymentState", "Sonuç", "IsCancelled", "Hata")
RESULT = ("Data", "QueryResult")
PAID = {
    "TransactionObjectId": "2022000039254817",
    "ErrorExplanation": "Tahsil Edildi",
    "InstitutionTaxNo": CODE,
    "TransactionQueryNo": "7425301",
    "ErrorCode": 1,
    "Result": True,
}
NO_FUNDS = {
    **PAID,
    "TransactionObjectId": "",
    "TransactionQueryNo": "",
    "ErrorExplanation": "Bakiye yetersiz",
    "ErrorCode": 41,
    "Result": False,
}
VAKIFBANK_DECIDING = frozenset({(*RESULT, "Result"), (*RESULT, "InstitutionTaxNo")})
# A gateway that refused did not ask the layer that moves money.
MONEY_LAYER: Extra = {
    ("Data",): [{"QueryResult": PAID}, {"Result": True}],
    ("QueryResult",): [PAID],
    ("Result",): [True],
}
WALLETGATE_PAID = ProviderResponse(200, WALLETGATE_ANSWER.encode()).json()
WALLETGATE_FAILURES: Extra = {
    **{(name,): [False, ["x"], {"a": 1}, "Hata"] for name in ("success", "errors", "error")},
    **{("payload", name): ["IPTAL", "Pending", False] for name in ("status", "transaction_status")},
    ("status",): ["00", False, None, Decimal("0.0"), [0], 1],
    ("code",): [" 100", Decimal("100.0"), None, True, "101", "300"],
    ("message",): ["Beklemede"],
    ("payload", "transaction_amount"): ["196,50", "-196.50", True, Decimal("196.4999"), Decimal("196.49")],
    ("payload", "charged_amount"): [0, Decimal("-196.5"), "x"],
    ("payload", "transaction_fee"): ["x"],
    ("payload", "sender_wallet_info"): [{"currency_code": "USD"}],
}
WALLETGATE_REFUSED = {"status": 1, "code": "311", "message": "Yetersiz bakiye", "payload": None}
TRANSACTION = {"transaction_id": "ABRVXXX7304"}
WALLETGATE_NOT_REFUSED: Extra = {
    ("payload",): [MISSING, WALLETGATE_PAID["payload"], TRANSACTION, {"detail": TRANSACTION}, [TRANSACTION],
                   {"charged_amount": 196.5}, "ABRV", 1],
    ("success",): [True],
    ("message",): [MISSING, "İşlem başarılı", "Success", "Mükerrer ext_transaction_id", ["x"]],
    # 301 is "duplicate ext_transaction_id": it may have been paid before.
    ("code",): [MISSING, None, "", {}, [], True, "999", 999, " 311", "311 ", Decimal("311.0"), ["311"], "400", "301"],
    ("status",): [MISSING, 0, "0", None, True, "", [1], "failed"],
}  # fmt: skip
HASO_PLAN = haso_plan("330")
# Codes that may come with a capture that was made, or that no page lists.
NO_REFUSAL = [5, 8, 10, 100, " 1", 1.0, [1], True, 9999, None]
ANSWERS = [
    Genuine(KOLAYBI, 200, {"data": KOLAYBI_DATA}, SUCCEEDED,
            frozenset({("data",), ("data", "transaction_status"), ("data", "amount"), ("data", "currency")}),
            KOLAYBI_FAILURES),
    *(Genuine(KOLAYBI, status, {"success": False, "code": "E42", "message": "Kasa bulunamadı", "errors": {}}, DECLINED,
              frozenset({("success",)}), NOT_REFUSED) for status in REFUSING),
    Genuine(KOLAYBI, 200, {"data": {**KOLAYBI_DATA, "transaction_status": "Beklemede"}}, UNKNOWN, frozenset(),
            {("success",): [True], ("code",): [200]}),
    Genuine(KOLAYBI, 403, {"message": "Forbidden"}, UNKNOWN, frozenset(), {("code",): ["E42"], ("errors",): [["x"]]}),
    Genuine(INVOICE_PART, 200, {"success": True, "data": INVOICE_DATA}, SUCCEEDED,
            frozenset({("data",), ("data", "transaction_status")}),
            {**KOLAYBI_FAILURES, **INVOICE_CONTRARY, ("data", "amount"): [1, "100,50", -100.5, 0]}),
    Genuine(INVOICE_WHOLE, 200, {"success": True, "data": {**INVOICE_DATA, "remaining_amount": Decimal("0.00")}},
            SUCCEEDED, frozenset({("data",), ("data", "transaction_status"), ("data", "remaining_amount")}),
            {**KOLAYBI_FAILURES, **INVOICE_CONTRARY, ("data", "amount"): [0, -1, "yüz"]}),
    *(Genuine(INVOICE_WHOLE, status, {"success": False, "message": "Kasa bulunamadı"}, DECLINED,
              frozenset({("success",)}), {("data",): [INVOICE_DATA], ("code",): NOT_REFUSED[("code",)]})
      for status in REFUSING),
    Genuine(VAKIFBANK, 200, {"Header": VAKIFBANK_COMPLETED, "Data": {"QueryResult": PAID}}, SUCCEEDED,
            VAKIFBANK_DECIDING,
            {**{(*RESULT, name): [one for one in OTHER_SIGNS if one != 3] for name in OTHER_NAMES},
             (*RESULT, "ErrorCode"): [12, True, " 1", [1]], (*RESULT, "ErrorExplanation"): ["Beklemede", "İPTAL"]}),
    Genuine(VAKIFBANK, 200, {"Header": VAKIFBANK_COMPLETED, "Data": {"QueryResult": NO_FUNDS}}, DECLINED,
            VAKIFBANK_DECIDING,
            {(*RESULT, "ErrorCode"): [1, "1", 0, None, "", " 41", [41], True, {"Code": 41}, "01", "Tamam"],
             (*RESULT, "ErrorExplanation"): ["Tahsil Edildi", "TAHSİL EDİLDİ ", "Mükerrer işlem"],
             (*RESULT, "TransactionObjectId"): ["2022000039254817"], (*RESULT, "TransactionQueryNo"): ["7425301"],
             (*RESULT, "Success"): [True], (*RESULT, "Status"): ["Tahsil Edildi"]}),
    Genuine(VAKIFBANK, 400, {"Header": {"StatusCode": "ACBH000233", "StatusDescription": "İşlem limiti aşıldı"}},
            DECLINED, frozenset(),
            {**MONEY_LAYER, ("Header", "StatusCode"): [["ACBH000233"], {"Code": "ACBH000233"}, " ACBH000233",
                                                       "ACBH000233 ", "acbh000233", "ACBG000008", "ACBH999999"]}),
    *(Genuine(VAKIFBANK, 400, {"Header": {"StatusCode": code}}, outcome, frozenset(), MONEY_LAYER)
      for code, outcome in [("ACBG000003", "NotSent"), ("ACBG000001", "CredentialsRefused"),
                            ("ACBG000005", "CredentialsRefused"), ("ACBG000010", "CredentialsRefused")]),
    Genuine(WALLETGATE, 200, WALLETGATE_PAID, SUCCEEDED,
            frozenset({("payload",), ("payload", "inv_payment_transaction_query_oid")}), WALLETGATE_FAILURES),
    *(Genuine(WALLETGATE, status, WALLETGATE_REFUSED, DECLINED, frozenset(), WALLETGATE_NOT_REFUSED)
      for status in (200, 400, 403, 404, 422)),
    Genuine(HASO, 200, {"Success": True, "Errors": [], "Data": HASO_PLAN}, SUCCEEDED,
            frozenset({("Success",), ("Data",), ("Data", "PaymentPlan")}),
            {("success",): [False], ("result",): [{"success": False}, "HATA"], ("Errors",): [["H101"]]}),
    *(Genuine(HASO, status, {"Success": False, "Errors": ["H101 İşlem bulunamadı"], "Data": {}}, DECLINED,
              frozenset({("Success",)}),
              {("success",): [True], ("result",): ["Başarılı"], ("Data", "Message"): ["RS100"],
               ("Data",): [HASO_PLAN], ("PaymentPlan",): [HASO_PLAN["PaymentPlan"]],
               ("Errors",): [MISSING, None, "H101", [], [""], [101], [{"code": "H101"}], ["H101", None], ["RS100"],
                             ["İşlem başarılı"], ["Daha önce gönderilmiş"]]}) for status in (200, 400, 422)),
    Genuine(HASO, 200, {"Success": True, "Errors": [], "Data": haso_plan("331")["PaymentPlan"][1]}, UNKNOWN,
            frozenset(), {("result",): [True]}),
    Genuine(HASO, 422, {"message": "Forbidden"}, UNKNOWN, frozenset(), {("Errors",): [["H101"]]}),
    Genuine(PAYNET, 200, {**CAPTURE_ANSWER, "amount": Decimal("49.90")}, SUCCEEDED,
            frozenset({("is_succeed",)}),
            {("bank_error_id",): ["51"], ("paynet_error_message",): ["Kapalı"], ("type",): ["api_error"],
             ("result_code",): [8, 1], ("reversed",): [True], ("code",): [8, "8", 1, [0], 100],
             ("amount",): [1, "49,90", -49.9, Decimal("49.89")],
             ("transaction_type",): [1, "S", 8, "cr", 6], ("currency",): ["USD", 949]}),
    Genuine(PAYNET, 200, {**CAPTURE_ANSWER, "is_succeed": False, "code": 1, "bank_error_id": "51"}, DECLINED,
            frozenset({("is_succeed",)}),
            {("authorization_code",): ["aut-1"], ("result_code",): [8, 5, 0], ("code",): NO_REFUSAL,
             ("transaction_type",): [1]}),
    Genuine(PAYNET, 400, {"type": "api_error", "message": "Mesaj", "code": 400, "result_code": 11}, DECLINED,
            frozenset({("type",), ("code",)}),
            {("is_succeed",): [True, "true", 1], ("authorization_code",): ["aut-1"],
             ("message",): [MISSING, "Başarılı İşlem"],
             ("result_code",): [*NO_REFUSAL, 0, 8.0, " 8", [8], 11.0, " 11", [11], 1, 17, 25, 200]}),
    Genuine(PAYNET, 200, {**CAPTURE_ANSWER, "is_succeed": None}, UNKNOWN, frozenset(), {("result",): [True]}),
    Genuine(PAYNET, 403, {"message": "Forbidden"}, UNKNOWN, frozenset(), {("result_code",): [7], ("code",): [403]}),
]  # fmt: skip
each_answer = pytest.mark.parametrize("genuine", ANSWERS, ids=str)


def same_value(mutation: Mutation, genuine: Any) -> bool:
    """Whether the change writes the very same amount, code or currency in another form that is known."""
    value = mutation.value
    number = plain_number(value)
    if isinstance(genuine, (int, Decimal)) and not isinstance(genuine, bool) and number is not None:
        return number == genuine
    if mutation.path[-1] == "CurrencyType":
        return value == "TRY"
    return isinstance(value, str) and mutation.path[-1] == "currency" and value.upper() == genuine


def is_among(value: Any, values: Sequence[Any]) -> bool:
    """Whether it is one of these values: `1` and `true` are two."""
    return any(type(one) is type(value) and one == value for one in values)


def at(body: Any, path: Path) -> Any:
    for part in path:
        body = body[part]
    return body


@each_answer
def test_no_change_of_an_answer_gives_another_certain_outcome(genuine: Genuine) -> None:
    assert genuine.reader.verdict(genuine.body, genuine.status) == genuine.outcome
    tried = [(one, genuine.reader.verdict(one.body, genuine.status))
             for one in mutations(genuine.body, genuine.contrary)]  # fmt: skip
    # An unknown answer becomes certain only by the very field that made it unknown.
    doubtful = (
        {("data", "transaction_status"), ("data",), ("Data",), ("is_succeed",)} if genuine.outcome == UNKNOWN else set()
    )
    others = [(one, said) for one, said in tried if one.path not in doubtful]
    # The gateway of VakıfBank refuses by its code alone, so another code may be another refusal.
    refusals = {"Declined", "NotSent", "CredentialsRefused"} if "Header" in genuine.body else set()
    allowed = {genuine.outcome, UNKNOWN} | (refusals if genuine.outcome in refusals else set())
    assert wrongly_believed(others, allowed) == []
    decisive = [
        (one, said)
        for one, said in tried
        if is_among(one.value, genuine.contrary.get(one.path, ()))
        or (one.path in genuine.deciding and not same_value(one, at(genuine.body, one.path)))
    ]
    assert len(decisive) >= len(genuine.contrary)
    assert wrongly_believed(decisive, {UNKNOWN}) == []


@each_answer
@pytest.mark.parametrize("status", [201, 202, 204, 302, 400, 402, 403, 404, 408, 409, 422, 425, 429])
def test_no_other_status_makes_another_outcome_of_an_answer(genuine: Genuine, status: int) -> None:
    said = genuine.reader.verdict(genuine.body, status)
    assert said in (genuine.outcome, UNKNOWN)
    if genuine.outcome == SUCCEEDED and status >= 300:
        assert said == UNKNOWN
    # A proxy may have written the other statuses.
    if genuine.outcome == DECLINED and status not in REFUSING:
        assert said == UNKNOWN


@pytest.mark.parametrize("genuine", [one for one in ANSWERS if one.outcome in (SUCCEEDED, DECLINED)], ids=str)
def test_an_unknown_answer_stays_unknown_with_another_change(genuine: Genuine) -> None:
    for both in pairs(genuine.body, genuine.contrary, count=300):
        first, second = (genuine.reader.verdict(one.body, genuine.status) for one in both)
        assert second == UNKNOWN or first != UNKNOWN, f"{both[0]}; {both[1]}"


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
@pytest.mark.parametrize("status", [200, *REFUSING])
@pytest.mark.parametrize("body", [b"", b"<html></html>", b"{}", b"[]", b'{"message": "Forbidden"}'])
def test_an_answer_in_another_form_than_the_providers_proves_nothing(
    example: Example, status: int, body: bytes
) -> None:
    """A proxy may have written it."""
    reader = Reader(example)
    assert reader.verdict(Reply(status, body)) == UNKNOWN
    assert reader.finding(Reply(status, body)) == INCONCLUSIVE


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_success_that_is_cut_or_no_json_is_unknown(example: Example) -> None:
    def broken(cut: Callable[[bytes], bytes]) -> Callable[[Call], Reply]:
        return lambda call: Reply(200, cut(example.success(call).body))

    reader = Reader(example)
    assert reader.verdict(example.success) == SUCCEEDED
    assert reader.verdict(broken(lambda body: body[:-3])) == UNKNOWN
    assert reader.verdict(broken(lambda body: body[:-1] + b",}")) == UNKNOWN


@pytest.mark.parametrize("example", PROVABLE, ids=str)
def test_a_look_up_is_believed_with_http_200_only(example: Example) -> None:
    reader = Reader(example)
    found = example.found(reader.record)
    assert reader.finding(found) == FOUND
    assert reader.finding(lambda call: replace(answered(found, call), status=400)) == INCONCLUSIVE


# ------------------------------------------------------------------------ lists


@dataclass(frozen=True)
class Listed:
    """A look-up's answer that shows our order in one row, which stands at `row`.

    `deciding`: the row's fields whose other values contradict, except `fitting` ones. What a row does not say
    contradicts nothing, except in `needed` fields. `contrary`: as in `Genuine`, in the row.
    """

    reader: Reader
    body: dict[str, Any]
    row: Path
    deciding: frozenset[str]
    contrary: dict[str, Sequence[Any]]
    needed: frozenset[str] = frozenset()
    fitting: tuple[Any, ...] = (None, MISSING)
    # Where absence may prove something: the field that names the order, and the places where an empty list shows none.
    named_by: str = ""
    empty_at: frozenset[Path] = frozenset()

    def __str__(self) -> str:
        return self.reader.operation.name

    @property
    def extra(self) -> Extra:
        return {(*self.row, name): signs for name, signs in self.contrary.items()}

    def contradictions(self) -> Iterator[Mutation]:
        """Each change that makes the row another one than that of our order, or a failed one."""
        for one in mutations(self.body, self.extra):
            name = one.path[-1]
            if is_among(one.value, self.extra.get(one.path, ())):
                yield one
            elif one.path[:-1] == self.row and name in self.deciding:
                fits = name not in self.needed and is_among(one.value, self.fitting)
                if not fits and not same_value(one, at(self.body, one.path)):
                    yield one

    def may_show_absence(self, one: Mutation) -> bool:
        """Whether the row names another order clearly, or there is no row."""
        if one.path in self.empty_at:
            return one.value == [] or one.value is MISSING
        return one.path == (*self.row, self.named_by)


STATUS_WORDS = ("IPTAL", "Beklemede", "Refunded", False, {"code": 60}, 60)
STATUS_NAMES = ("status", "refund_status", "durum", "is_cancelled", "error", "process_state")
MARKER = KOLAYBI.record.lookup_fields["marker"]
KOLAYBI_ROW = {**KOLAYBI_DATA, "id": 9, "description": MARKER, "issue_date": "2026-12-01 09:00:05"}
PAYNET_ROWS = [
    {**CAPTURE_ANSWER, "transaction_type": 3, "id": "8229", "agent_reference": "r"},
    {**capture_row(START + 2), "reversed": False, "id": "8230", "agent_reference": "r"},
]
LISTS = [
    Listed(KOLAYBI, {"success": True, "data": [KOLAYBI_ROW, {"description": "başka", "amount": 250.75}]}, ("data", 0),
           frozenset({"transaction_status", "transaction_type", "amount", "currency", "description"}),
           {"success": [False], "errors": [["x"]], "error": ["x"], "status": ["İptal Edildi", "cancelled", 0],
            "type": ["İade"], "is_cancelled": [True], "deleted_at": ["2026-12-01 09:05:00"],
            "issue_date": ["2026-10-01 09:00:00"], "transaction_status": ["İptal Edildi", ["Tamamlandı"]],
            "amount": ["250,75", 250.74], "currency": [949], "transaction_type": ["Ödeme", "Tahsilat İptali"]},
           needed=frozenset({"description"})),
    Listed(VAKIFBANK, {"Header": VAKIFBANK_COMPLETED, "Data": {"Result": [vakifbank_row(CODE)]}}, ("Data", "Result", 0),
           frozenset({"Amount", "CurrencyType", "TransactionType", "ErrorExplanation", "Result"}),
           {**dict.fromkeys(OTHER_NAMES, OTHER_SIGNS), "ErrorCode": [12, "12", True, [1], -1, 2, "yes", {}, 1.5]},
           needed=frozenset({"Amount", "CurrencyType"}), fitting=(None, MISSING, ""),
           named_by="InstitutionTransactionCode", empty_at=frozenset({("Data", "Result"), ("Data", "Result", 0)})),
    Listed(WALLETGATE, {"status": 0, "code": "100", "message": "İşlem başarılı",
                        "payload": {"items": [ITEM], "total_count": 1}}, ("payload", "items", 0), frozenset(),
           {**dict.fromkeys(STATUS_NAMES, STATUS_WORDS), "currency_code": ["USD", "try", "TRY ", 949],
            "tx_base_amount": [Decimal("-196.5"), Decimal("196.51"), "196,50", None], "tx_additional_fee": ["x"],
            "process_level_status_id": [10, 40, 60, "20 ", True, Decimal("20.0")], "transaction_status_id": [30],
            "transaction_status": ["Refunded", "normalcompleted"], "result_code": ["Failed", ""],
            "transaction_type": ["InvoicePaymentRefund", "İptal"]},
           named_by="ext_transaction_id",
           empty_at=frozenset({("payload",), ("payload", "items"), ("payload", "items", 0)})),
    Listed(HASO, {"Success": True, "Errors": [], "Data": HASO_PLAN}, ("Data", "PaymentPlan", 1),
           frozenset({"totalExpenseAmount"}), {}),
    Listed(PAYNET, {"object_name": "transaction", "code": 0, "Data": PAYNET_ROWS}, ("Data", 1),
           frozenset({"transaction_type", "amount", "currency", "is_succeed", "reversed"}),
           {"bank_error_id": ["51"], "reversed_xact_id": ["xk_9"], "result_code": [8], "code": [8],
            "is_succeed": [None], "amount": [None, "49,90", -49.9], "currency": ["USD"],
            "transaction_type": [None, "cr", 8, Decimal("4.0")], "xact_date": [None, "01.12.2026"]}),
]  # fmt: skip
each_list = pytest.mark.parametrize("listed", LISTS, ids=str)
each_list_that_shows_absence = pytest.mark.parametrize("listed", [one for one in LISTS if one.named_by], ids=str)


@each_list
def test_no_change_of_a_row_of_ours_is_believed(listed: Listed) -> None:
    assert listed.reader.finding(listed.body) == FOUND
    tried = [(one, listed.reader.finding(one.body)) for one in listed.contradictions()]
    assert len(tried) > 20
    assert wrongly_believed(tried, {INCONCLUSIVE} if listed.named_by else {NOT_FOUND, INCONCLUSIVE}) == []


@each_list_that_shows_absence
def test_no_change_of_a_row_shows_that_there_is_none(listed: Listed) -> None:
    """Except a change of its reference to a clearly different one."""
    changed = [one for one in mutations(listed.body, listed.extra) if not listed.may_show_absence(one)]
    tried = [(one, listed.reader.finding(one.body)) for one in changed]
    assert wrongly_believed(tried, {FOUND, INCONCLUSIVE}) == []


@each_list_that_shows_absence
def test_a_row_that_does_not_fit_is_not_believed_with_another_change(listed: Listed) -> None:
    for both in pairs(listed.body, listed.extra, count=400):
        first, second = (listed.reader.finding(one.body) for one in both)
        assert first == FOUND or second != FOUND, f"{both[0]}; {both[1]}"
        if first == INCONCLUSIVE and not any(map(listed.may_show_absence, both)):
            assert second == INCONCLUSIVE, f"{both[0]}; {both[1]}"


@each_list
def test_no_second_change_makes_a_row_believed_that_does_not_fit(listed: Listed) -> None:
    for name in sorted(listed.deciding):
        wrong = next(one for one in mutations(listed.body) if one.path == (*listed.row, name) and one.value == "other")
        second = [one for one in mutations(wrong.body) if one.path[: len(wrong.path)] != wrong.path
                  and wrong.path[: len(one.path)] != one.path]  # fmt: skip
        tried = [(one, listed.reader.finding(one.body)) for one in second]
        assert wrongly_believed(tried, {NOT_FOUND, INCONCLUSIVE}) == [], name
