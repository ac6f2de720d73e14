"""5.6: mark a payment as paid that was paid outside HASO ("Haso dışında bir yapıdan ödeme alındığı zaman").

Assumptions, since the page does not say:
- ``paymentDate`` is sent as it is signed: ``yyyy-MM-dd``;
- an optional field that is absent is signed as "";
- a payment that is paid already is refused;
- ``paymentfunds`` tells what was paid for each payment code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from vezne_sandbox.haso import INSTALMENT
from vezne_sandbox.haso.replies import failure
from vezne_sandbox.ledger import Booking
from vezne_sandbox.provider import Operation, Payment, ReplyFields, json_field
from vezne_sandbox.wire import Call, Refused, Reply, json_reply, masked

if TYPE_CHECKING:
    from vezne_sandbox.haso import Haso

SIGNED = ("merchantId", "merchantOid", "paymentCode", "paymentReferenceCode", "paymentDate")
OPTIONAL = ("paymentReferenceCode",)
PAID_ALREADY = "Taksit daha önce ödendi."


class Marking(Payment):
    """The marking of one or more payments as paid."""

    def __init__(self, provider: Haso, call: Call, fields: dict[str, Any], codes: list[str], reference: str) -> None:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fields["paymentDate"], re.ASCII):
            raise Refused(failure("paymentDate must be a day"))
        self._provider, self._codes = provider, codes
        self.booking = Booking(
            provider=provider.name,
            operation=call.operation,
            reference=reference,
            references={"paymentCode": " ".join(codes), "merchantOid": fields["merchantOid"]},
            amount=INSTALMENT * len(codes),
            currency="TRY",
            request=masked(fields, frozenset({"requestToken"})),
        )

    def obstacle(self) -> Reply | None:
        return self.refuse(PAID_ALREADY) if self._provider.marked().keys() & set(self._codes) else None

    def record(self) -> None:
        """The booking has it all."""

    def answer(self, fields: ReplyFields) -> Reply:
        return json_reply({"Success": True, "Errors": [], "Data": self._data()})

    def odd_refusal(self) -> Reply:
        """``Success`` false and ``Errors`` beside the code of a success."""
        return json_reply({"Success": False, "Errors": ["Taksit bulunamadı."], "Data": self._data()})

    def refuse(self, code: str | None) -> Reply:
        return failure(code or "Taksit bulunamadı.")

    def _data(self) -> dict[str, Any]:
        return {"Message": "RS100", "paymentfunds": dict.fromkeys(self._codes, INSTALMENT)}


def set_paid(provider: Haso, call: Call) -> Payment:
    """Check the fields and the signature of 5.6."""
    fields = provider.signed_fields(call, SIGNED, optional=OPTIONAL)
    return Marking(provider, call, fields, [fields["paymentCode"]], fields["paymentCode"])


SET_PAID = Operation(
    name="haso.set_paid",
    kind="pay",
    method="POST",
    path="/RequestV2/SetPaidPayment",
    handle=set_paid,
    reference=json_field("paymentCode"),
    faults=frozenset({"odd_refusal"}),
    code_pattern=r".+",
    look_up="haso.customer_payments",
    shown_for_certain=True,
    paid_once=True,
)
