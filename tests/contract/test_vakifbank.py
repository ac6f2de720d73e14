"""VakıfBank "TOS İşlemleri Yap" (POST /tos/payment) and "... Sorgula" (POST /tos/query) against their pages."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from stdnum import luhn
from vezne.orders.outcome import Found, Succeeded

from tests.support.harness import Harness
from tests.support.operations.vakifbank_pay import (
    EXAMPLE as VAKIFBANK,
    VAKIFBANK_COMPLETED,
    vakifbank_answer,
    vakifbank_row,
    vakifbank_rows,
)
from tests.support.provider_server import Answering, Reply, json_reply
from tests.support.providers import SECRETS
from tests.support.reader import Reader
from tests.support.wire import answered, header, literals, looked_up, the_call, unknown_order

# The page's "İstek" (request), with its "$guid".
PAGE_REQUEST = """{
  "InstitutionCode": "0006624",
  "TransactionType": 1,
  "TaxIdentityCheck": true,
  "CreditUse": true,
  "Amount": 200.0,
  "CurrencyType": "TL",
  "SenderAccountNo": "0",
  "ReceivertAccountIbanNo": "0",
  "ReceiverBankCode": "0015",
  "ReceiverBranchCode": "",
  "ReceiverNameSurname": "Oktay",
  "Explanation": "",
  "InstitutionTransactionCode": "$guid",
  "ReceiverAddress": "",
  "ReceiverTelephone": "",
  "ReceiverIdentityNo": "",
  "ReceiverAdministrationTax": "",
  "ReceiverTaxNo": "",
  "ReceiverFatherName": "oktay",
  "ReceiverEmail": "",
  "PaymentDate": "2022-12-28T00:00:00",
  "InstitutionPackageNo": "",
  "ComingReturnPaymentDate": "",
  "ComingReturnTransactionQueryNo": "",
  "ChiefName": "",
  "ChiefAccountNo": "",
  "ChiefIdentityNo": "",
  "ChiefAdress": "",
  "ChiefCountryCity": "",
  "ChiefBirthPlace": "",
  "ChiefBirthDate": "",
  "ChiefCustomerNo": ""
}"""
ORDER = {
    "transaction_type": "account",
    "amount": "200.00",
    "currency": "TRY",
    "sender_account_no": "0",
    "payment_date": "2022-12-28",
    "tax_identity_check": True,
    "credit_use": True,
    "receiver_account": "0",
    "receiver_bank_code": "0015",
    "receiver_name": "Oktay",
    "receiver_father_name": "oktay",
}
# The page's "Cevap" (answer).
CODE = "7e591df3-2f3c-4971-9682-9e4455b35b2f"
PAGE_ANSWER = """{
  "Header": {
    "StatusCode": "APIGW000000",
    "StatusDescription": "Tamamlandı",
    "StatusDescriptionEn": "Completed",
    "ObjectID": "18c1fd2f-b997-41dc-bf9e-5e8caacdcecb"
  },
  "Data": {
    "QueryResult": {
      "TransactionObjectId": "2022000039254817",
      "ErrorExplanation": "Tahsil Edildi",
      "InstitutionTaxNo": "7e591df3-2f3c-4971-9682-9e4455b35b2f",
      "TransactionQueryNo": "7425301",
      "ErrorCode": 1,
      "Result": true
    }
  }
}"""


def result(**changes: Any) -> Answering:
    """The page's answer to the code that was sent, with changes to its `QueryResult`."""
    return lambda call: vakifbank_answer(call, **changes)


def refused(code: Any = 12, explanation: str = "Bakiye yetersiz", **changes: Any) -> Answering:
    """The same for a payment that was not made, which has no number."""
    no_number = {"TransactionObjectId": "", "TransactionQueryNo": ""}
    return result(Result=False, ErrorCode=code, ErrorExplanation=explanation, **no_number, **changes)


def header_only(code: str, status: int = 400, text: str = "Açıklama") -> Reply:
    return json_reply({"Header": {"StatusCode": code, "StatusDescription": text}}, status)


def test_the_pages_order_is_sent_as_on_the_page(harness: Harness) -> None:
    answered(harness, VAKIFBANK, vakifbank_answer, body=ORDER)
    call = the_call(harness, VAKIFBANK)
    assert (call.method, call.path) == ("POST", "/tos/payment")
    assert header(call, "Authorization") == "Bearer sandbox-token"
    assert header(call, "Content-Type") == "application/json"
    code = call.json()["InstitutionTransactionCode"]
    assert str(UUID(code)) == code
    assert literals(call.body) == literals(PAGE_REQUEST.replace("$guid", code))


def test_the_pages_answer_is_read(harness: Harness) -> None:
    order = {**ORDER, "institution_transaction_code": CODE}
    response = answered(harness, VAKIFBANK, Reply(200, PAGE_ANSWER.encode()), body=order)
    assert response.status == 200
    assert response.body["result"] == {
        "transaction_object_id": "2022000039254817",
        "transaction_query_no": "7425301",
        "institution_transaction_code": CODE,
        "error_code": "1",
        "error_explanation": "Tahsil Edildi",
        "gateway_object_id": "18c1fd2f-b997-41dc-bf9e-5e8caacdcecb",
        "status_description": "Tamamlandı",
        "status_description_en": "Completed",
    }
    assert the_call(harness, VAKIFBANK).json()["InstitutionTransactionCode"] == CODE


def test_the_login(harness: Harness) -> None:
    answered(harness, VAKIFBANK, vakifbank_answer, body=ORDER)
    login = harness.server.calls[0]
    secret = SECRETS["vakifbank"]
    assert (login.method, login.path) == ("POST", "/auth/oauth/v2/token")
    assert header(login, "Content-Type") == "application/x-www-form-urlencoded"
    assert header(login, "Authorization") is None
    assert login.form() == [
        ("client_id", secret["client_id"]),
        ("client_secret", secret["client_secret"]),
        ("grant_type", "b2b_credentials"),
        ("scope", "payment"),
        ("consentId", secret["consent_id"]),
        ("resource", "sandbox"),
    ]


def test_the_derived_code_is_made_from_the_operation(harness: Harness) -> None:
    """The same order has the same code when it is sent again. Another order has another code."""
    codes = []
    for key in ("key-1", "key-2"):
        answered(harness, VAKIFBANK, vakifbank_answer, body=ORDER, key=key)
        codes.append(harness.server.to(VAKIFBANK.route)[-1].json()["InstitutionTransactionCode"])
    assert codes[0] != codes[1]
    assert harness.records()[0]["clues"]["M"]["institution_transaction_code"]["S"] in codes


CARD = "411111111111111" + luhn.calc_check_digit("411111111111111")


@pytest.fixture
def cards_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARD_PAYMENTS", "true")


@pytest.mark.parametrize("allowed", [None, "", "false", "True", "1"])
def test_a_payment_to_a_card_needs_a_deployment_that_allows_it(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, allowed: str | None
) -> None:
    if allowed is not None:
        monkeypatch.setenv("CARD_PAYMENTS", allowed)
    order = {**ORDER, "transaction_type": "credit_card", "receiver_account": CARD}
    response = harness.send(VAKIFBANK, order)
    assert (response.status, response.slug, response.body["money"]) == (400, "invalid-request", "not_moved")
    assert response.body["errors"] == [
        {
            "place": "body.transaction_type",
            "reason": "credit_card is not allowed in this deployment; its parameter CardPayments allows it",
        }
    ]
    assert CARD not in str(response)
    assert (harness.server.calls, harness.writes()) == ([], [])


def test_no_standing_order_pays_to_a_card(cards_allowed: None, harness: Harness) -> None:
    """Its number would be stored in the rule, in the queue and in the dead letter."""
    harness.server.on(VAKIFBANK.route, vakifbank_answer)
    request = {**ORDER, "transaction_type": "credit_card", "receiver_account": CARD}
    standing = {"name": "aidat", "occurrence": "2026-12-01T06:00:00Z", "request": request}
    with pytest.raises(Exception, match=r"^invalid-request$"):
        harness.standing_order(VAKIFBANK, standing)
    assert (harness.server.to(VAKIFBANK.route), harness.table_calls) == ([], [])
    harness.standing_order(VAKIFBANK, {**standing, "request": ORDER})
    assert len(harness.server.to(VAKIFBANK.route)) == 1


RETURN = {
    "transaction_type": "return",
    "returned_payment_date": "2022-12-01",
    "returned_transaction_query_no": "7",
}


@pytest.mark.parametrize(("kind", "status"), [(5, "succeeded"), (1, "unknown")])
def test_a_return_is_looked_up_by_its_own_code_and_sent_once(harness: Harness, kind: int, status: str) -> None:
    """It gives back a payment that came in. It is a payment of its own, with a code of its own."""
    body = {**VAKIFBANK.body, **RETURN}
    code = harness.record(unknown_order(harness, VAKIFBANK, body=body)).lookup_fields["institution_transaction_code"]
    row = vakifbank_rows(vakifbank_row(code, TransactionType=kind))
    assert looked_up(harness, VAKIFBANK, row, body=body).body["status"] == status
    assert harness.server.to(VAKIFBANK.look_up_route)[-1].json()["InstitutionTransactionNo"] == code
    assert not harness.server.to(VAKIFBANK.route)


@pytest.mark.parametrize(
    ("changes", "wire"),
    [
        ({"transaction_type": "account"}, {"TransactionType": 1, "ReceivertAccountIbanNo": "0"}),
        ({"transaction_type": "name", "receiver_account": None}, {"TransactionType": 2, "ReceivertAccountIbanNo": ""}),
        (
            {"transaction_type": "credit_card", "receiver_account": CARD},
            {"TransactionType": 3, "ReceivertAccountIbanNo": CARD},
        ),
        (
            RETURN,
            {"TransactionType": 5, "ComingReturnPaymentDate": "2022-12-01", "ComingReturnTransactionQueryNo": "7"},
        ),
        ({"currency": "USD", "amount": "0.05"}, {"CurrencyType": "USD", "Amount": 0.05}),
    ],
    ids=["account", "name", "card", "return", "dollars"],
)
def test_each_transaction_type(
    cards_allowed: None, harness: Harness, changes: dict[str, Any], wire: dict[str, Any]
) -> None:
    response = answered(harness, VAKIFBANK, vakifbank_answer, body={**ORDER, **changes})
    assert response.status == 200
    sent = the_call(harness, VAKIFBANK).json()
    assert {name: sent[name] for name in wire} == wire


@pytest.mark.parametrize(
    ("amount", "literal"),
    [("0.01", "0.01"), ("200", "200.0"), ("1234567.80", "1234567.8"), ("9999999999999.99", "9999999999999.99")],
)
def test_amounts_are_exact_json_numbers(harness: Harness, amount: str, literal: str) -> None:
    answered(harness, VAKIFBANK, vakifbank_answer, body={**ORDER, "amount": amount})
    assert ("Amount", ("float", literal)) in literals(the_call(harness, VAKIFBANK).body)


def test_a_card_number_is_sent_and_kept_nowhere(
    cards_allowed: None, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    order = {**ORDER, "transaction_type": "credit_card", "receiver_account": CARD}
    response = answered(harness, VAKIFBANK, result(ErrorExplanation=f"{CARD} nolu karta ödendi"), body=order)
    assert response.status == 200
    assert CARD in the_call(harness, VAKIFBANK).body.decode()
    written = f"{response}{harness.items()}{capsys.readouterr()}"
    assert CARD not in written
    assert response.body["result"]["error_explanation"] == "*** nolu karta ödendi"


REFUSALS = (
    *("ACBH000645", "ACBH000027", "ACBH000619", "ACBG000007", "ACBH000194", "ACBH000201", "ACBH000203", "ACBH000214"),
    *("ACBH000215", "ACBH000233", "ACBH000234", "ACBH000235"),
)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        # Both layers: the gateway completed, and `Result` is the outcome of the payment.
        (result(), "Succeeded"),
        (result(ErrorCode="1"), "Succeeded"),
        (result(ErrorCode=0), "Succeeded"),
        (refused(), "Declined"),
        (refused("12"), "Declined"),
        (refused("ACBH000233"), "Declined"),
        (refused(1, "Tahsil Edildi"), "Unknown"),
        # A number of the payment contradicts a refusal, and so does somebody else's code.
        (result(Result=False, ErrorCode=12), "Unknown"),
        (refused(InstitutionTaxNo="another-code"), "Unknown"),
        (json_reply({"Header": VAKIFBANK_COMPLETED}), "Unknown"),
        (json_reply({"Data": {"QueryResult": {"Result": True}}}), "Unknown"),
        (json_reply({"Header": {"StatusCode": "APIGW000001"}, "Data": {"QueryResult": {"Result": True}}}), "Unknown"),
        (Reply(201, PAGE_ANSWER.encode()), "Unknown"),
        # "Mesaj Kodları" of the page, and the certain refusals of MessageCodes.
        *((header_only(code), "Declined") for code in REFUSALS),
        (header_only("ACBH000645", 200), "Declined"),
        # Error bodies of the bank may have a trailing comma.
        (Reply(400, b'{"Header": {"StatusCode": "ACBH000233", "StatusDescription": "x",},}'), "Declined"),
        # The gateway did not let the call through.
        (header_only("ACBG000003"), "NotSent"),
        (header_only("ACBG000004", 429), "NotSent"),
        (header_only("ACBG000005"), "CredentialsRefused"),
        (header_only("ACBG000006"), "CredentialsRefused"),
        (header_only("ACBG000010"), "CredentialsRefused"),
        # "system error, try later": unknown, and so is every other code.
        *((header_only(code), "Unknown") for code in ("ACBG000008", "ACBG000009", "ACBH999999", "")),
        (header_only("ACBG000000", 200), "Unknown"),
        # A 429 means "not passed on" only if it names the limit of the plan.
        *((header_only(code, 429), "Unknown") for code in ("ACBH000645", "ACBG000001", "ACBG000005")),
    ],
)
def test_the_outcome_of_each_answer(reply: Answering, outcome: str) -> None:
    assert READER.verdict(reply) == outcome


@pytest.mark.parametrize(
    "reply", [header_only("ACBG000001", 401), header_only("ACBG000001"), header_only("ACBG000002"), Reply(401, b"")]
)
def test_a_refused_token_is_renewed_once(harness: Harness, reply: Reply) -> None:
    harness.server.on(VAKIFBANK.route, reply, vakifbank_answer)
    assert harness.send(VAKIFBANK).status == 200
    assert len(harness.server.to("POST /auth/oauth/v2/token")) == 2
    bodies = [call.body for call in harness.server.to(VAKIFBANK.route)]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


def test_a_token_refused_twice_is_a_refused_login(harness: Harness) -> None:
    harness.server.on(VAKIFBANK.route, header_only("ACBG000001", 401))
    response = harness.send(VAKIFBANK)
    assert (response.status, response.slug) == (502, "provider-rejected-credentials")
    assert len(harness.server.to(VAKIFBANK.route)) == 2
    assert harness.records() == []


@pytest.mark.parametrize(
    ("reply", "code", "text"),
    [
        (header_only("ACBH000645", text="Kurum kodu boş olamaz."), "ACBH000645", "Kurum kodu boş olamaz."),
        (header_only("ACBH000234", text="Kalan limit 12345678901"), "ACBH000234", "Kalan limit ***"),
        (refused(), "12", "Bakiye yetersiz"),
        (refused(explanation="TR330006100519786457841326 hatalı"), "12", "*** hatalı"),
    ],
)
def test_a_refusals_code_and_text(harness: Harness, reply: Answering, code: str, text: str) -> None:
    response = answered(harness, VAKIFBANK, reply)
    assert response.status == 402
    assert (response.body["provider_code"], response.body["provider_text"]) == (code, text)


# -------------------------------------------------------------------- look-up


READER = Reader(VAKIFBANK, institution_transaction_code=CODE)
ROW = vakifbank_row(CODE)


def without(*names: str, **more: Any) -> dict[str, Any]:
    """Our row without these fields, and with others."""
    return {**{name: value for name, value in ROW.items() if name not in names}, **more}


def test_the_look_up_call(harness: Harness) -> None:
    known = unknown_order(harness, VAKIFBANK)
    looked_up(harness, VAKIFBANK, vakifbank_rows())
    (call,) = harness.server.to("POST /tos/query")
    assert header(call, "Authorization") == "Bearer sandbox-token"
    assert header(call, "Content-Type") == "application/json"
    assert call.json() == {
        "InstitutionCode": "0006624",
        "InstitutionTransactionNo": harness.record(known).lookup_fields["institution_transaction_code"],
    }


def test_a_found_payment() -> None:
    found = READER.look_up(vakifbank_rows(ROW))
    assert isinstance(found, Found)
    assert found.outcome == Succeeded(
        {
            "transaction_object_id": "2022000039254817",
            "transaction_query_no": "7425301",
            "institution_transaction_code": CODE,
            "error_code": "1",
            "error_explanation": "Tahsil Edildi",
            "gateway_object_id": None,
            "status_description": None,
            "status_description_en": None,
        }
    )


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        ([], "NotFound"),
        ([vakifbank_row("another-code")], "NotFound"),
        ([ROW, ROW], "Inconclusive"),
        ([{**ROW, "ErrorCode": 12}], "Inconclusive"),
        ([{"InstitutionTransactionCode": [7], "Amount": "viel"}], "Inconclusive"),
    ],
    ids=["none", "foreign", "two", "error code", "odd"],
)
def test_what_proves_nothing(rows: list[Any], finding: str) -> None:
    assert READER.finding(vakifbank_rows(*rows)) == finding


# ------------------------------------------------------------------------ rows

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
    assert READER.finding(vakifbank_rows(*rows)) == "Inconclusive"


@pytest.mark.parametrize("name", ["InstitutionTransactionCode", "InstitutionTransactionNo", "InstitutionTaxNo"])
def test_a_row_may_use_each_of_the_pages_names_for_the_code(name: str) -> None:
    assert READER.finding(vakifbank_rows(without("InstitutionTransactionCode", **{name: CODE}))) == "Found"


@pytest.mark.parametrize(
    "signs",
    [
        {}, {"ErrorCode": 0}, {"ErrorCode": 0, "ErrorExplanation": ""}, {"ErrorExplanation": "Tahsil Edildi"},
        {"Result": None, "ErrorCode": None},
    ],
)  # fmt: skip
def test_a_row_without_a_sign_of_success_proves_nothing(signs: dict[str, Any]) -> None:
    row = without("Result", "ErrorCode", "ErrorExplanation", **signs)
    assert READER.finding(vakifbank_rows(row)) == "Inconclusive"


@pytest.mark.parametrize("signs", [{"Result": True}, {"ErrorCode": 1}, {"Result": True, "ErrorCode": "0"}])
def test_a_row_with_one_sign_of_success_is_found(signs: dict[str, Any]) -> None:
    row = without("Result", "ErrorCode", "ErrorExplanation", **signs)
    assert READER.finding(vakifbank_rows(row)) == "Found"


def test_a_record_of_the_version_before_names_no_type() -> None:
    old = Reader(VAKIFBANK, institution_transaction_code=CODE)
    del old.record.lookup_fields["transaction_type"]
    assert old.finding(vakifbank_rows(without(TransactionType=2))) == "Found"
    assert READER.finding(vakifbank_rows(without(TransactionType=2))) == "Inconclusive"


@pytest.mark.parametrize(
    "data",
    [
        {"Result": [], "TotalCount": 1}, {"Result": [], "HasMore": True}, {"Result": [], "ErrorCode": 12},
        {"Result": [], "Status": "FAIL"}, {"QueryResult": {"Result": [], "ErrorCode": 12}}, {"Result": None}, [], None,
        {},
        {"Result": [], "QueryResult": {"Result": [ROW]}, "ErrorCode": 12},
    ],
)  # fmt: skip
def test_an_empty_list_that_may_be_incomplete_is_inconclusive(data: Any) -> None:
    body = {"Header": VAKIFBANK_COMPLETED, "Data": data}
    assert READER.finding(body) == "Inconclusive"


def test_rows_in_two_lists_are_all_read() -> None:
    body = {"Header": VAKIFBANK_COMPLETED, "Data": {"Result": [], "QueryResult": {"Result": [ROW]}}}
    assert READER.finding(body) == "Found"


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
    record = replace(Reader(VAKIFBANK, payment_date=payment_date).record, may_arrive_until=istanbul(sent_until))
    assert READER.operation.absence_counts_from(record) == istanbul(counts_from)
