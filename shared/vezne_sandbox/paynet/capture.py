"""The capture of all or a part of a pre-authorisation (page "Finansallaştırma")."""

from __future__ import annotations

import uuid
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from vezne_sandbox.ledger import Booking, seven_digit_fraction
from vezne_sandbox.paynet.pre_authorisations import CAPTURE_TYPE, IDENTIFIERS, PreAuthorisation, reference
from vezne_sandbox.paynet.replies import error_object
from vezne_sandbox.provider import Operation, Payment, ReplyFields
from vezne_sandbox.wire import Call, Malformed, Refused, Reply, hundredths, json_reply, masked

if TYPE_CHECKING:
    from vezne_sandbox.paynet import Paynet

KURUS = Decimal("0.01")
BANK_REFUSAL = {
    "bank_error_id": "51",
    "bank_error_message": "Yetersiz bakiye",
    "bank_error_short_desc": "Yetersiz bakiye",
    "bank_error_long_desc": "Kart limiti veya bakiyesi yetersiz",
}
ABOVE_REMAINDER = {
    "paynet_error_id": "1",
    "paynet_error_message": "Finansallaştırma tutarı ön provizyonun kalan tutarından büyük",
}


class Capture(Payment):
    """A capture of all or a part of a pre-authorisation."""

    transaction_type = CAPTURE_TYPE

    def __init__(self, provider: Paynet, call: Call, fields: dict[str, Any], target: PreAuthorisation) -> None:
        self._provider = provider
        self._target = target
        given = {name: fields[name] for name in IDENTIFIERS if fields.get(name)}
        self.booking = Booking(
            provider=provider.name,
            operation=call.operation,
            reference=next(iter(given.values())),
            references={**given, "reference_no": target.reference_no},
            amount=hundredths(fields, "amount") if fields.get("amount") else target.amount,
            currency="TRY",
            request=masked(fields, frozenset()),
        )
        number = provider.next_number()
        self._ids = {"id": str(number), "xact_id": f"xk_{uuid.uuid4().hex}", "number": str(number)}

    def obstacle(self) -> Reply | None:
        return self._failed(ABOVE_REMAINDER) if self.booking.amount > self._target.remaining() else None

    def record(self) -> None:
        self.booking.answer = {"id": self._ids["id"], **self._fields(self.booking.amount, self._ids["xact_id"])}
        self._target.bookings.append(self.booking)
        self._provider.name_target("xact_id", self._ids["xact_id"], self._target)

    def answer(self, fields: ReplyFields) -> Reply:
        xact_id = self._ids["xact_id"] if fields.reference == self.booking.reference else fields.reference
        return json_reply(self._fields(fields.amount, xact_id))

    def refuse(self, code: str | None) -> Reply:
        if code:
            return error_object(int(code), "İşlem başarısız")
        return self._failed(BANK_REFUSAL)

    def odd_refusal(self) -> Reply:
        """An Error object with a code that no page lists."""
        return error_object(9999, "İşlem başarısız")

    def other_reference(self) -> str:
        return f"xk_{uuid.uuid4().hex}"

    def _failed(self, errors: dict[str, str]) -> Reply:
        nothing = Decimal(0)
        sums = {"amount": nothing, "net_amount": nothing, "comission": nothing, "comission_tax": nothing}
        now = self._provider.clock.now()
        fields = self._fields(self.booking.amount, self._ids["xact_id"])
        self._target.failed.append(replace(self.booking, at=now, answer={"id": self._ids["id"], **fields}))
        failed = {"authorization_code": "", "is_succeed": False, "code": 1, "message": "İşlem başarısız"}
        return json_reply({**fields, **sums, **failed, **errors})

    def _fields(self, amount: Decimal, xact_id: str) -> dict[str, Any]:
        """Write all fields of the page in its order, with the sample's values where the order sets none."""
        comission = (amount * Decimal("0.04")).quantize(KURUS, ROUND_HALF_UP)
        comission_tax = (comission * Decimal("0.18")).quantize(KURUS, ROUND_HALF_UP)
        return {
            "xact_id": xact_id,
            "xact_date": seven_digit_fraction(self._provider.clock.istanbul()),
            "transaction_type": self.transaction_type,
            "pos_type": 5,
            "is_tds": True,
            "agent_id": "20005",
            "user_id": "cardholder",
            "email": "",
            "phone": "",
            "bank_id": "AXSS",
            "instalment": 3,
            "ratio": Decimal("0.04"),
            "card_no_masked": "435508******4358",
            "card_holder": "GJH",
            "amount": amount,
            "net_amount": amount - comission - comission_tax,
            "comission": comission,
            "comission_tax": comission_tax,
            "currency": "TRY",
            "authorization_code": f"aut-{self._ids['number']}",
            "reference_code": f"ref-{self._ids['number']}",
            "order_id": f"order-{self._ids['number']}",
            "is_succeed": True,
            "paynet_error_id": "",
            "paynet_error_message": "",
            "bank_error_id": "",
            "bank_error_message": "",
            "bank_error_short_desc": "",
            "bank_error_long_desc": "",
            "object_name": "transaction",
            "code": 0,
            "message": "Başarılı İşlem",
        }


def capture(provider: Paynet, call: Call) -> Payment:
    """Check a capture and find its pre-authorisation."""
    fields = provider.authorized_fields(call, frozenset({*IDENTIFIERS, "amount"}))
    try:
        if fields.get("amount") and hundredths(fields, "amount") <= 0:
            raise Malformed("amount must be above zero")
    except Malformed as error:
        raise Refused(error_object(11, str(error))) from error
    return Capture(provider, call, fields, provider.pre_authorisation(fields))


CAPTURE = Operation(
    name="paynet.capture",
    kind="pay",
    method="POST",
    path="/v1/transaction/capture",
    handle=capture,
    reference=reference,
    faults=frozenset({"other_amount", "other_reference", "odd_refusal"}),
    code_pattern=r"\d{1,3}",
    look_up="paynet.check",
)
