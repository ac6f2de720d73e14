"""Pay by instruction to an account, a name, a credit card, or back: VakıfBank "TOS İşlemleri Yap".

A request may have a card number (type 3), if the deployment allows it. It is sent and not kept.
"""

import os
import uuid
from datetime import timedelta
from functools import partial

from vezne.api import handle_order
from vezne.operation import Operation, Order, PolicyRefusedError
from vezne.orders.evidence import find
from vezne.orders.guards import Guard, PaidOnce
from vezne.orders.outcome import REFUSING_STATUSES, CredentialsRefused, Declined, Finding, NotSent, Outcome, Unknown
from vezne.orders.record import Record
from vezne.platform.money import amount_text
from vezne.providers.credentials import RequestCredentials, VakifBankCredentials
from vezne.providers.http import Deadline, ProviderResponse, Request, json_request
from vezne.providers.vakifbank import client as vakifbank, signs
from vezne.providers.vakifbank.models import TRANSACTION_TYPES, PaymentRequest, PaymentResult

# "Mesaj Kodları" of the page: institution code, currency code, institution transaction id empty. Of MessageCodes:
# request message incorrect, security settings, no account defined (four), limits of transaction, day and company.
REFUSALS = frozenset(
    {"ACBH000645", "ACBH000027", "ACBH000619", "ACBG000007", "ACBH000194", "ACBH000201", "ACBH000203", "ACBH000214"}
    | {"ACBH000215", "ACBH000233", "ACBH000234", "ACBH000235"}
)
# MessageCodes: limit of the account plan or of the API plan exceeded. The gateway did not pass the call on.
TAKES_NO_CALLS = frozenset({"ACBG000003", "ACBG000004"})
# HTTP statuses with which a code of the gateway is believed.
ANSWERED = REFUSING_STATUSES | {200, 429}
NO_STANDING_CARDS = "credit_card is not allowed in a standing order"
NO_CARDS = "credit_card is not allowed in this deployment; its parameter CardPayments allows it"


class Pay(Operation[PaymentRequest, PaymentResult, VakifBankCredentials]):
    """POST /tos/payment."""

    name = "vakifbank.pay"
    route = "POST /vakifbank/tos-payments"
    client = vakifbank.CLIENT
    reference_field = "transaction_query_no"
    # "InstitutionTransactionCode ... İşlemin çift olmaması bu alandan kontrol edilmektedir." (It prevents doubles.)
    resend_is_safe = True
    # /tos/query lists one transaction by its number. It is not documented how soon a payment is listed.
    look_up_is_complete = True
    settling_time = timedelta(minutes=30)
    look_up_call = "POST /tos/query by InstitutionTransactionNo"

    def check_policy(self, request: PaymentRequest, *, standing: bool) -> None:
        """A card number needs a deployment that allows it, and must never be in a rule, a queue or a dead letter."""
        if request.transaction_type == "credit_card" and (standing or os.environ.get("CARD_PAYMENTS") != "true"):
            raise PolicyRefusedError("transaction_type", NO_STANDING_CARDS if standing else NO_CARDS)

    def build(self, order: Order[PaymentRequest], access: RequestCredentials[VakifBankCredentials]) -> Request:
        """Every field of the page in its order and spelling; a missing text is ""."""
        fields = order.request.wire_fields(access.credentials.institution_code, _code(order))
        return json_request("/tos/payment", fields, vakifbank.headers(access))

    def read(self, order: Order[PaymentRequest], answer: ProviderResponse) -> Outcome:
        """Two layers: `Header.StatusCode` says that the gateway completed, `QueryResult` how the payment ended."""
        code = vakifbank.header_code(answer)
        if code != vakifbank.COMPLETED:
            return _refused_at_the_gateway(code, answer)
        if answer.status != 200:
            return Unknown(f"http-{answer.status} {code}")
        return signs.outcome(answer.json(), _code(order))

    def lookup_fields(self, order: Order[PaymentRequest]) -> dict[str, str]:
        """The code by which the bank refuses doubles, and the fields that a found payment must have."""
        request = order.request
        return {
            "institution_transaction_code": _code(order),
            "payment_date": request.payment_date,
            "amount": amount_text(request.amount, request.currency),
            "currency": request.currency,
            "transaction_type": str(TRANSACTION_TYPES[request.transaction_type]),
        }

    def guards(self, order: Order[PaymentRequest]) -> tuple[Guard, ...]:
        """A caller may give one code under two keys. The bank would pay once, and we would report two payments.

        Two clients may give one code, too: the bank compares the codes of the whole institution.
        """
        code = order.request.institution_transaction_code
        return (PaidOnce(code),) if code else ()

    def absence_counts_from(self, record: Record) -> float:
        """A payment is listed when it is made: on its date, or on the next business day."""
        made_by = vakifbank.made_by(record.lookup_fields["payment_date"], record.may_arrive_until)
        return made_by + self.settling_time.total_seconds()

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """Proof is the only row with our code, if it has our amount and currency and a sign of success."""
        code = record.lookup_fields["institution_transaction_code"]
        rows = [signs.row(row, record.lookup_fields) for row in vakifbank.query(code, deadline)]
        return find(rows, partial(signs.found, code), filtered=True)


def _refused_at_the_gateway(code: str, answer: ProviderResponse) -> Outcome:
    """A listed code refuses if there is only the `Header`. With a money layer the outcome is unknown."""
    if answer.status not in ANSWERED or not vakifbank.is_refused_alone(answer):
        return Unknown(f"http-{answer.status} {code}".strip())
    if code in TAKES_NO_CALLS:
        return NotSent(code)
    if answer.status != 429:
        if code in vakifbank.TOKEN_REFUSED | vakifbank.ACCESS_REFUSED:
            return CredentialsRefused(code, renewable=code in vakifbank.TOKEN_REFUSED)
        if code in REFUSALS:
            return Declined(code, vakifbank.header_text(answer))
    return Unknown(f"http-{answer.status} {code}".strip())


def _code(order: Order[PaymentRequest]) -> str:
    """The caller's code, or a GUID made from the operation id, in the form of the page's sample."""
    return order.request.institution_transaction_code or str(uuid.uuid5(uuid.NAMESPACE_OID, order.operation_id))


handler = handle_order.handler(Pay())
