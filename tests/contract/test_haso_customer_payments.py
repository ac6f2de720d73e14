"""HASO 5.10 "Müşteri Ödemelerini Getir" (POST {SERVIS_URL}/Index/GetCustomerPayments) against its page.

Page: https://storedocs.haso.com.tr/5.-servis-metodlari/5.10-musteri-odemelerini-getir, read on 2026-11-28. It has a
table of the request, and shows no row.
"""

from typing import Any
from unittest import mock

import pytest
import simplejson
from pydantic import ValidationError
from vezne.providers.credentials import HasoCredentials, RequestCredentials
from vezne.providers.haso import client as haso
from vezne.providers.haso.inquiry_models import CustomerPaymentsRequest, CustomerPaymentsResult
from vezne.providers.http import Deadline, ProviderResponse

from tests.support.harness import load_function
from tests.support.providers import SECRETS

# printf 'sandbox-merchant-idC1204sandbox-merchant-salt' | openssl dgst -sha256 -hmac sandbox-merchant-key -binary |
#   openssl base64
TOKEN = "t/fMykAH5ONxCtPazmRsYBJV8OBjtPnddxv3LFVqVi8="
SIGNED = {"merchantId": "sandbox-merchant-id", "customerId": "C1204", "requestToken": TOKEN}


def asked(data: Any, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is sent for these fields, and what is answered if HASO answers `data`."""
    sent: dict[str, Any] = {}

    def ask(_client: Any, _deadline: Any, build: Any, *_: Any) -> ProviderResponse:
        access = RequestCredentials(HasoCredentials.model_validate(SECRETS["haso"]), "", "1")
        sent.update(simplejson.loads(build(access).body))
        return ProviderResponse(200, simplejson.dumps({"Success": True, "Errors": [], "Data": data}).encode())

    inquiry = load_function("haso_customer_payments").CustomerPayments()
    request = CustomerPaymentsRequest.model_validate({"customer_id": "C1204", **fields})
    with mock.patch.object(haso, "ask", ask):
        result: CustomerPaymentsResult = inquiry.ask(request, Deadline(lambda: 27_000))
    return sent, result.public()


def test_only_what_is_asked_for_is_sent_and_the_customer_alone_is_signed() -> None:
    assert asked({"Payments": []})[0] == SIGNED
    sent, _ = asked({"Payments": []}, statuses=["unpaid", "cancelled"], page=2, page_size=10)
    assert sent == {**SIGNED, "paymentStatuses": [0, 4], "pageNo": 2, "pageSize": 10}


def test_each_status_of_the_page_has_a_name() -> None:
    """ "0-Ödenmedi, 1-Ödendi, 2-Kısmi Ödeme, 3-Vadesi Geçmiş Ödeme, 4-İptal Edildi" """
    rows = [{"paymentCode": f"C-{status}", "paymentStatus": status, "amount": 10.5} for status in range(5)]
    _, answer = asked({"Payments": rows})
    statuses = ["unpaid", "paid", "partly_paid", "overdue", "cancelled"]
    assert [row["status"] for row in answer["payments"]] == statuses
    assert answer["payments"][1] == {"payment_code": "C-1", "status": "paid", "raw": {"amount": "10.5"}}


@pytest.mark.parametrize(
    ("data", "payments", "raw"),
    [
        # Another name of the list, capital letters, a status that is not on the page.
        ({"List": [{"PaymentCode": "C-1", "PaymentStatus": "3"}], "n": 1},
         [{"payment_code": "C-1", "status": "overdue", "raw": {}}], {"n": 1}),
        ({"Payments": [{"paymentStatus": 9}]},
         [{"payment_code": None, "status": None, "raw": {"paymentStatus": 9}}], {}),
        ({"A": [], "B": []}, None, {"Data": {"A": [], "B": []}}),
        ({"Payments": ["C-1"]}, None, {"Data": {"Payments": ["C-1"]}}),
        (None, None, {"Data": None}),
    ],
)  # fmt: skip
def test_what_the_page_does_not_show_is_not_lost(data: Any, payments: Any, raw: Any) -> None:
    _, answer = asked(data)
    assert (answer["payments"], answer["raw"]) == (payments, raw)


@pytest.mark.parametrize(
    "fields",
    [
        {"customer_id": "12345678901"},
        {"customer_id": "1.1.1.1"},
        {"statuses": ["open"]},
        {"page": 0},
        {"page_size": 201},
    ],
    ids=str,
)
def test_what_is_not_asked(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CustomerPaymentsRequest.model_validate({"customer_id": "C1204", **fields})
