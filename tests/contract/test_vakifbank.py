"""VakıfBank "TOS İşlemleri Yap" (POST /tos/payment) and "... Sorgula" (POST /tos/query) against their pages."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from stdnum import luhn

from tests.support.harness import Harness
from tests.support.operations.vakifbank_pay import (
    EXAMPLE as VAKIFBANK,
    VAKIFBANK_COMPLETED,
    vakifbank_answer,
    vakifbank_rows,
)
from tests.support.provider_server import HANG_UP, Answering, Call, Reply, json_reply
from tests.support.providers import SECRETS
from tests.support.wire import answered, findings, header, literals, looked_up, the_call, unknown_order, verdict

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
            {"transaction_type": "return", "returned_payment_date": "2022-12-01", "returned_transaction_query_no": "7"},
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


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        # Both layers: the gateway completed, and `Result` is the outcome of the payment.
        (result(), "succeeded"),
        (result(ErrorCode="1"), "succeeded"),
        (result(ErrorCode=0), "succeeded"),
        (result(InstitutionTaxNo=None), "unknown"),
        (refused(), "declined"),
        (refused("12"), "declined"),
        (refused("ACBH000233"), "declined"),
        (refused(InstitutionTaxNo=None), "unknown"),
        (refused(1, "Tahsil Edildi"), "unknown"),
        (result(Result=False, ErrorCode=12), "unknown"),
        (result(Result="true"), "unknown"),
        (result(Result=None), "unknown"),
        (result(Result="belki"), "unknown"),
        (result(InstitutionTaxNo=CODE), "unknown"),
        # A refusal of somebody else's payment says nothing about ours.
        (refused(InstitutionTaxNo=CODE), "unknown"),
        (json_reply({"Header": VAKIFBANK_COMPLETED}), "unknown"),
        (json_reply({"Header": VAKIFBANK_COMPLETED, "Data": None}), "unknown"),
        (json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {"QueryResult": None}}), "unknown"),
        (json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {"QueryResult": []}}), "unknown"),
        (json_reply({"Data": {"QueryResult": {"Result": True}}}), "unknown"),
        (json_reply({"Header": {"StatusCode": "APIGW000001"}, "Data": {"QueryResult": {"Result": True}}}), "unknown"),
        (Reply(200, PAGE_ANSWER.encode()[:-9]), "unknown"),
        (Reply(200, PAGE_ANSWER.replace("true", "true,").encode()), "unknown"),
        (Reply(200, b"<html></html>"), "unknown"),
        (Reply(201, PAGE_ANSWER.encode()), "unknown"),
        (HANG_UP, "unknown"),
        # "Mesaj Kodları" of the page, and the certain refusals of MessageCodes.
        (header_only("ACBH000645"), "declined"),
        (header_only("ACBH000027"), "declined"),
        (header_only("ACBH000619"), "declined"),
        (header_only("ACBH000645", 200), "declined"),
        (header_only("ACBG000007"), "declined"),
        (header_only("ACBH000194"), "declined"),
        (header_only("ACBH000201"), "declined"),
        (header_only("ACBH000203"), "declined"),
        (header_only("ACBH000214"), "declined"),
        (header_only("ACBH000215"), "declined"),
        (header_only("ACBH000233"), "declined"),
        (header_only("ACBH000234"), "declined"),
        (header_only("ACBH000235"), "declined"),
        # Error bodies of the bank may have a trailing comma.
        (Reply(400, b'{"Header": {"StatusCode": "ACBH000233", "StatusDescription": "x",},}'), "declined"),
        # The gateway did not let the call through.
        (header_only("ACBG000003"), "provider-unreachable"),
        (header_only("ACBG000004", 429), "provider-unreachable"),
        (header_only("ACBG000005"), "provider-rejected-credentials"),
        (header_only("ACBG000006"), "provider-rejected-credentials"),
        (header_only("ACBG000010"), "provider-rejected-credentials"),
        # "system error, try later": unknown. Every 5xx is unknown with any code, and so is every other code.
        (header_only("ACBG000008"), "unknown"),
        (header_only("ACBG000009"), "unknown"),
        (header_only("ACBG000008", 500), "unknown"),
        (header_only("ACBH000645", 500), "unknown"),
        (header_only("ACBG000003", 503), "unknown"),
        # A 429 means "not passed on" only if it names the limit of the plan.
        (header_only("ACBH000645", 429), "unknown"),
        (header_only("ACBG000001", 429), "unknown"),
        (header_only("ACBG000005", 429), "unknown"),
        (Reply(429, b""), "unknown"),
        (header_only("ACBG000000", 200), "unknown"),
        (header_only("ACBH999999"), "unknown"),
        (header_only(""), "unknown"),
        (Reply(400, b""), "unknown"),
        (Reply(403, b"<html>Forbidden</html>"), "unknown"),
        (Reply(404, b"{}"), "unknown"),
        (Reply(502, b"<html>Bad Gateway</html>"), "unknown"),
    ],
)
def test_the_outcome_of_each_answer(harness: Harness, reply: Answering, outcome: str) -> None:
    assert verdict(harness, VAKIFBANK, reply) == outcome


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


def row(harness: Harness, operation_id: str, **changes: Any) -> dict[str, Any]:
    """The row of this order, with the names of the payment and of the answer."""
    code = harness.record(operation_id).lookup_fields["institution_transaction_code"]
    return {
        "InstitutionCode": "0006624",
        "InstitutionTransactionCode": code,
        "TransactionType": 1,
        "Amount": Decimal("200.0"),
        "CurrencyType": "TL",
        "Result": True,
        "ErrorCode": 1,
        "ErrorExplanation": "Tahsil Edildi",
        "TransactionObjectId": "2022000039254817",
        "TransactionQueryNo": "7425301",
        **changes,
    }


def test_the_look_up_call(harness: Harness) -> None:
    known = unknown_order(harness, VAKIFBANK)
    looked_up(harness, VAKIFBANK, vakifbank_rows(row(harness, known)))
    (call,) = harness.server.to("POST /tos/query")
    assert header(call, "Authorization") == "Bearer sandbox-token"
    assert header(call, "Content-Type") == "application/json"
    assert call.json() == {
        "InstitutionCode": "0006624",
        "InstitutionTransactionNo": harness.record(known).lookup_fields["institution_transaction_code"],
    }


def test_a_found_payment(harness: Harness) -> None:
    known = unknown_order(harness, VAKIFBANK)
    response = looked_up(harness, VAKIFBANK, vakifbank_rows(row(harness, known)))
    assert (response.status, response.body["status"]) == (200, "succeeded")
    assert response.body["result"] == {
        "transaction_object_id": "2022000039254817",
        "transaction_query_no": "7425301",
        "institution_transaction_code": harness.record(known).lookup_fields["institution_transaction_code"],
        "error_code": "1",
        "error_explanation": "Tahsil Edildi",
        "gateway_object_id": None,
        "status_description": None,
        "status_description_en": None,
    }
    assert findings(harness, known) == ["found"]
    assert harness.server.to(VAKIFBANK.route) == []


def test_the_row_may_call_the_code_by_its_other_names(harness: Harness) -> None:
    known = unknown_order(harness, VAKIFBANK)
    ours = row(harness, known)
    ours["InstitutionTransactionNo"] = ours.pop("InstitutionTransactionCode")
    assert looked_up(harness, VAKIFBANK, vakifbank_rows(ours)).body["status"] == "succeeded"


def test_the_list_may_be_one_level_deeper(harness: Harness) -> None:
    known = unknown_order(harness, VAKIFBANK)
    body = {"Header": VAKIFBANK_COMPLETED, "Data": {"QueryResult": {"Result": [row(harness, known)]}}}
    assert looked_up(harness, VAKIFBANK, json_reply(body)).body["status"] == "succeeded"


@pytest.mark.parametrize(
    "changes",
    [
        {"Amount": Decimal("200.01")},
        {"Amount": None},
        {"Result": False},
        {"ErrorCode": 12},
    ],
    ids=["other amount", "no amount", "failed", "error code"],
)
def test_a_row_of_our_code_that_contradicts_proves_nothing(harness: Harness, changes: dict[str, Any]) -> None:
    known = unknown_order(harness, VAKIFBANK)
    response = looked_up(harness, VAKIFBANK, vakifbank_rows(row(harness, known, **changes)))
    assert (response.status, response.body["status"]) == (202, "unknown")
    assert findings(harness, known) == ["inconclusive"]
    # Not "not found", so it is not sent again either.
    assert harness.server.to(VAKIFBANK.route) == []


def test_two_rows_of_our_code_prove_nothing(harness: Harness) -> None:
    known = unknown_order(harness, VAKIFBANK)
    response = looked_up(harness, VAKIFBANK, vakifbank_rows(row(harness, known), row(harness, known)))
    assert response.status == 202
    assert findings(harness, known) == ["inconclusive"]


def test_a_foreign_payment_of_the_same_amount_is_not_ours(harness: Harness) -> None:
    known = unknown_order(harness, VAKIFBANK)
    foreign = row(harness, known, InstitutionTransactionCode=CODE)
    harness.server.on(VAKIFBANK.route, vakifbank_answer)
    response = looked_up(harness, VAKIFBANK, vakifbank_rows(foreign))
    assert findings(harness, known) == ["not_found"]
    # It is not found, and the bank refuses doubles, so it is sent again under the same code.
    assert response.body["status"] == "succeeded"
    (again,) = harness.server.to(VAKIFBANK.route)
    assert (
        again.json()["InstitutionTransactionCode"]
        == harness.record(known).lookup_fields["institution_transaction_code"]
    )


@pytest.mark.parametrize(
    "reply",
    [
        vakifbank_rows({"InstitutionTransactionCode": [7], "Amount": "viel"}),
        json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {}}),
        json_reply({"Header": VAKIFBANK_COMPLETED, "Data": None}),
        json_reply({"Header": {"StatusCode": "ACBG000008"}, "Data": {"Result": []}}),
        json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {"Result": []}}, 400),
        json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {"Result": []}}, 500),
        Reply(200, b"<html></html>"),
        Reply(401, b""),
        HANG_UP,
    ],
)
def test_a_look_up_that_fails_proves_nothing(harness: Harness, reply: Reply) -> None:
    known = unknown_order(harness, VAKIFBANK)
    assert looked_up(harness, VAKIFBANK, reply).status == 202
    assert findings(harness, known) == ["inconclusive"]
    assert harness.server.to(VAKIFBANK.route) == []


def test_a_duplicate_refused_on_resend_is_no_refusal(harness: Harness) -> None:
    """The page does not say how a double is answered. The first may have been booked meanwhile."""
    unknown_order(harness, VAKIFBANK)

    def refuse(call: Call) -> Reply:
        return vakifbank_answer(call, Result=False, ErrorCode=99, ErrorExplanation="Mükerrer işlem")

    harness.server.on(VAKIFBANK.route, refuse)
    response = looked_up(harness, VAKIFBANK, vakifbank_rows())
    assert (response.status, response.body["status"]) == (202, "unknown")
