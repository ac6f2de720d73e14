"""Ask Paynet's staff to give money back: Paynet "İade" (refund). A success says that the request was taken."""

from decimal import Decimal

from vezne.api import handle_order
from vezne.operation import Operation, Order, PolicyRefusedError
from vezne.orders.guards import Guard, NeverExceeds, OneAtATime
from vezne.orders.outcome import Finding, Outcome
from vezne.orders.record import Record, istanbul_day
from vezne.platform.money import amount_text, minor_units_text
from vezne.providers.client import InquiryRefusedError
from vezne.providers.credentials import PaynetCredentials, RequestCredentials
from vezne.providers.http import Deadline, ProviderResponse, Request, json_request
from vezne.providers.paynet import client as paynet
from vezne.providers.paynet.answers import short_outcome
from vezne.providers.paynet.models import RequestRefundRequest, RequestRefundResult
from vezne.providers.paynet.refunds import look_up, refundable

TAKEN = "transaction_reversed_request"
NOT_SHOWN = "Paynet does not show one successful capture or sale of this xact_id with its amount, or it is cancelled"


class RequestRefund(Operation[RequestRefundRequest, RequestRefundResult, PaynetCredentials]):
    """POST /v1/transaction/reversed_request."""

    name = "paynet.request_refund"
    route = "POST /paynet/refund-requests"
    client = paynet.CLIENT
    # Of what is given back: the answer of a success names nothing.
    reference_field = "order.xact_id"
    # Two requests for the same transaction may be two refunds, and the list's rows are not documented to their end.
    resend_is_safe = False
    look_up_is_complete = False
    moves_money = False
    # What was captured is the most that may be given back.
    asks_first = True
    shares_guards_of = ("paynet.capture", "paynet.reverse_capture")
    look_up_call = "POST v1/transaction/reversal_list, every row"

    def ask_first(self, order: Order[RequestRefundRequest], deadline: Deadline) -> dict[str, str]:
        """What was captured. "Aynı gün yapılan işlemlerde kısmi iade yapılamaz": no part of a transaction of today."""
        request = order.request
        try:
            original = refundable(request.xact_id, deadline)
        except InquiryRefusedError:
            original = None
        if original is None:
            raise PolicyRefusedError("xact_id", NOT_SHOWN)
        amount = original.amount if request.amount is None else request.amount
        if amount > original.amount:
            raise PolicyRefusedError("amount", "more than was captured")
        if amount < original.amount and original.day == istanbul_day(order.ordered_at):
            raise PolicyRefusedError("amount", "a transaction of today can only be given back whole")
        return {"id": original.id, "captured": f"{original.amount:f}"}

    def build(self, order: Order[RequestRefundRequest], access: RequestCredentials[PaynetCredentials]) -> Request:
        """The amount is "x100"; without it, "tüm tutar": the whole. No `succeedUrl`: nothing signs what comes to it."""
        request = order.request
        amount = {} if request.amount is None else {"amount": minor_units_text(request.amount)}
        fields = {"xact_id": request.xact_id, **amount}
        return json_request("/v1/transaction/reversed_request", fields, paynet.headers(access))

    def read(self, order: Order[RequestRefundRequest], answer: ProviderResponse) -> Outcome:  # noqa: ARG002
        """ "Bir talep oluşturulur": a request is made, which Paynet's staff approves or not. No money has moved."""
        return short_outcome(answer, TAKEN, frozenset(), RequestRefundResult)

    def lookup_fields(self, order: Order[RequestRefundRequest]) -> dict[str, str]:
        """Both names of the transaction, and what is asked for: the whole is what was captured."""
        names = {"xact_id": order.request.xact_id, "id": order.learned["id"]}
        return {**names, "amount": amount_text(_amount(order), "TRY"), "currency": "TRY"}

    def guards(self, order: Order[RequestRefundRequest]) -> tuple[Guard, ...]:
        """One request at a time, and all together no more than was captured.

        It is counted by the plain number, of which there is one, and by the `xact_id` that a cancelling names.
        """
        captures, reversals = self.shares_guards_of
        xact_id = order.request.xact_id
        part, most = _kurus(_amount(order)), _kurus(Decimal(order.learned["captured"]))
        return (
            NeverExceeds(f"id={order.learned['id']}", part, most),
            NeverExceeds(xact_id, part, most, of=reversals),
            OneAtATime(f"xact_id={xact_id}", of=captures),
        )

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """The list's one row of the transaction, entered when ours may have been, is proof. Its absence is not."""
        return look_up(record, deadline, self.settling_time)


def _amount(order: Order[RequestRefundRequest]) -> Decimal:
    return Decimal(order.learned["captured"]) if order.request.amount is None else order.request.amount


def _kurus(amount: Decimal) -> int:
    return int(minor_units_text(amount))


handler = handle_order.handler(RequestRefund())
