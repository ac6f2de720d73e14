"""HASO 5.5 "Ödeme Planını Getir": POST {SERVIS_URL}/Index/GetPaymentsOfTransaction."""

from typing import Any

from pydantic import ValidationError

from vezne.credentials import Access, HasoCredentials, Keyring
from vezne.inquiries import Client, InquiryFailedError, ask
from vezne.models.haso import ExpensesResult
from vezne.provider import Answer, Deadline, Provider, Request, UnreadableError, json_request
from vezne.signing import hmac_request_token

PROVIDER = Provider("HASO_URL")
CLIENT = Client(PROVIDER, Keyring(HasoCredentials))


def signed_request(path: str, access: Access[HasoCredentials], fields: dict[str, str]) -> Request:
    """A JSON POST with `requestToken` over the fields in their order, the address and the salt.

    `fields` comes in the order the page signs: merchantId is put before it, ipAddress and salt behind.
    """
    credentials = access.credentials
    signed = {"merchantId": credentials.merchant_id, **fields}
    token = hmac_request_token(
        credentials.merchant_key.get_secret_value(),
        *signed.values(),
        credentials.ip_address,
        credentials.merchant_salt.get_secret_value(),
    )
    address = {"ipAddress": credentials.ip_address} if credentials.ip_address else {}
    return json_request(path, {**signed, **address, "requestToken": token}, {})


def read_plan(answer: Answer) -> ExpensesResult:
    """`Data.PaymentPlan` of a successful answer. Raises UnreadableError."""
    data: Any = answer.json().get("Data")
    plan = data.get("PaymentPlan") if isinstance(data, dict) else None
    rows = plan if isinstance(plan, list) else [plan]
    try:
        return ExpensesResult.model_validate({"payment_plan": rows})
    except ValidationError:
        raise UnreadableError("no payment plan") from None


def payment_plan(transaction_code: str, merchant_oid: str, deadline: Deadline) -> ExpensesResult:
    """The payment plan of a transaction as HASO has it now. Raises InquiryFailedError."""
    answer = ask(
        CLIENT,
        deadline,
        lambda access: signed_request(
            "/Index/GetPaymentsOfTransaction",
            access,
            {"merchantOid": merchant_oid, "transactionCode": transaction_code},
        ),
    )
    try:
        if answer.status != 200 or answer.json().get("Success") is not True:
            raise InquiryFailedError(f"http-{answer.status}")
        return read_plan(answer)
    except UnreadableError:
        raise InquiryFailedError("unreadable") from None
