"""Pay by instruction to an account, a name, a credit card, or back: VakıfBank "TOS İşlemleri Yap".

A card number may travel in the request (type 3): it is sent and forgotten.
"""

import uuid
from datetime import timedelta
from decimal import Decimal

from vezne import entry
from vezne.credentials import Access, VakifBankCredentials
from vezne.inquiries import vakifbank
from vezne.models.vakifbank import PaymentRequest, PaymentResult, QueryResult
from vezne.money import amount_text
from vezne.operation import Operation, Order
from vezne.outcome import (
    CredentialsRefused,
    Declined,
    Finding,
    Found,
    Inconclusive,
    NotFound,
    NotSent,
    Outcome,
    Succeeded,
    Unknown,
)
from vezne.provider import Answer, Deadline, Request, json_request
from vezne.record import Guard, Record

# "Mesaj Kodları" of the page: institution code, currency code, institution transaction id empty; and of MessageCodes:
# request message incorrect, security settings, no account defined (four), limits of transaction, day and company.
REFUSALS = frozenset(
    {"ACBH000645", "ACBH000027", "ACBH000619", "ACBG000007", "ACBH000194", "ACBH000201", "ACBH000203", "ACBH000214"}
    | {"ACBH000215", "ACBH000233", "ACBH000234", "ACBH000235"}
)
# MessageCodes: account-plan or API-plan limit exceeded. The gateway did not pass the call on.
TAKES_NO_CALLS = frozenset({"ACBG000003", "ACBG000004"})


class Pay(Operation[PaymentRequest, VakifBankCredentials]):
    """POST /tos/payment."""

    name = "vakifbank.pay"
    path = "/vakifbank/tos-payments"
    request_model = PaymentRequest
    client = vakifbank.CLIENT
    # "InstitutionTransactionCode ... İşlemin çift olmaması bu alandan kontrol edilmektedir."
    resend_is_safe = True
    # /tos/query lists one transaction by its number; how soon a payment shows there is not documented.
    look_up_is_complete = True
    settling_time = timedelta(minutes=30)
    look_up_call = "POST /tos/query by InstitutionTransactionNo"

    def build(self, order: Order[PaymentRequest], access: Access[VakifBankCredentials]) -> Request:
        """Every field of the page, absent text as "", in the page's order and spelling."""
        fields = order.request.wire_fields(access.credentials.institution_code, _code(order))
        return json_request("/tos/payment", fields, vakifbank.headers(access))

    def read(self, order: Order[PaymentRequest], answer: Answer) -> Outcome:
        """Two layers: `Header.StatusCode` says that the gateway completed, `QueryResult.Result` what became of it."""
        code = vakifbank.header_code(answer)
        if code in TAKES_NO_CALLS:
            return NotSent(code)
        if answer.status == 429:
            return Unknown(f"http-429 {code}".strip())
        if code in vakifbank.TOKEN_REFUSED | vakifbank.ACCESS_REFUSED:
            return CredentialsRefused(code, renewable=code in vakifbank.TOKEN_REFUSED)
        if code in REFUSALS:
            return Declined(code, vakifbank.header_text(answer))
        if answer.status != 200 or code != vakifbank.COMPLETED:
            return Unknown(f"http-{answer.status} {code}".strip())
        body = answer.json()
        result = QueryResult.model_validate(body["Data"]["QueryResult"])
        if result.result is None or result.institution_transaction_code not in (None, "", _code(order)):
            return Unknown("other reference")
        if not result.result:
            return Declined(result.error_code or "", result.error_explanation or "")
        known = result.model_dump(exclude={"result"})
        return Succeeded(PaymentResult(**known, gateway_object_id=body["Header"].get("ObjectID")).public())

    def clues(self, order: Order[PaymentRequest]) -> dict[str, str]:
        """The bank's dedupe key, and what a found payment must repeat."""
        request = order.request
        return {
            "institution_transaction_code": _code(order),
            "payment_date": request.payment_date,
            "amount": amount_text(request.amount, request.currency),
            "currency": request.currency,
        }

    def guard(self, order: Order[PaymentRequest]) -> Guard | None:
        """A code given by the caller may come under two keys; the bank would pay once, and we would report two."""
        code = order.request.institution_transaction_code
        return Guard(code, keeps=True) if code else None

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """A row with our code and amount, and no sign of a failure, is proof; any other row with our code is not."""
        code = record.clues["institution_transaction_code"]
        rows = vakifbank.query(code, record.clues["payment_date"], deadline)
        ours = [row for row in rows if row.carries(code)]
        if not ours:
            return NotFound({"rows": str(len(rows))})
        row = ours[0]
        if len(ours) > 1 or row.failed or row.amount != Decimal(record.clues["amount"]):
            return Inconclusive("a row of our code that proves nothing")
        known = row.model_dump(
            include={"transaction_object_id", "transaction_query_no", "error_code", "error_explanation"}
        )
        result = PaymentResult(**known, institution_transaction_code=code)
        return Found(Succeeded(result.public()), {"transaction_query_no": row.transaction_query_no or ""})


def _code(order: Order[PaymentRequest]) -> str:
    """The caller's code, or a GUID (the form of the page's sample) that follows from the operation id."""
    return order.request.institution_transaction_code or str(uuid.uuid5(uuid.NAMESPACE_OID, order.operation_id))


handler = entry.handler(Pay())
