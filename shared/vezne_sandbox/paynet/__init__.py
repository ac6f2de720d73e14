"""Paynet: capture of a pre-authorisation (page "Finansallaştırma"), check and detail.

Assumptions, since the pages do not say:
- an Error object for 401 is ``authorization_error`` with result_code 7, for 400 ``invalid_request_error`` with 11;
- a bank refusal has ``code`` 1 (unsuccessful) beside ``is_succeed`` false and the bank error fields;
- several captures of one pre-authorisation are booked, up to its amount; more is refused by Paynet with ``code`` 1 and
  the Paynet error fields; without an amount the whole pre-authorised sum is wanted, so after a capture it is refused;
- ``net_amount``, ``comission`` and ``comission_tax`` follow the sample: 4 % of the amount, and 18 % tax on that;
  ``amount`` is the captured sum (the sample shows 0: use the rule ``other_amount`` with ``"amount": "0"``);
- check and detail list the pre-authorisation (type 3) first, then each capture (type 4) as a row of its own, all with
  the pre-authorisation's ``reference_no`` as ``agent_reference``; they find it also by a capture's own ``xact_id``;
- a pre-authorisation that no seed names exists with 100000.00 TRY.
"""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from vezne_sandbox.ledger import ISTANBUL, Booking, seven_digit_fraction
from vezne_sandbox.odd import Names, in_form
from vezne_sandbox.provider import Operation, Payment, Provider, ReplyFields
from vezne_sandbox.wire import Call, Malformed, Refused, Reply, hundredths, json_reply, known_fields, masked, text

IDENTIFIERS = ("xact_id", "xact", "reference_no")
PRE_AUTHORISATION, CAPTURE = 3, 4
ROW_FAULTS = frozenset({"unnamed_row", "odd_row", "new_ids", "letters", "clock_ahead"})
ROW = Names(
    reference="xact_id",
    amount="amount",
    currency="currency",
    signs=("is_succeed",),
    cancelled={"reversed": True},
    pending={"is_succeed": None},
)
LETTERS = {PRE_AUTHORISATION: "PR", CAPTURE: "CR"}
DEFAULT_AMOUNT = Decimal("100000.00")
KURUS = Decimal("0.01")
ERROR_TYPES = {
    7: ("authorization_error", 401),
    8: ("api_error", 500),
    10: ("api_error", 500),
    12: ("no_data_error", 404),
}
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


def error_object(result_code: int, message: str) -> Reply:
    """Write Paynet's Error object; ``code`` in it is the HTTP status."""
    kind, status = ERROR_TYPES.get(result_code, ("invalid_request_error", 400))
    body = {"type": kind, "message": message, "code": status, "result_code": result_code}
    return json_reply(body, status)


@dataclass
class PreAuthorisation:
    """A card authorisation waiting for captures. Amounts in major units."""

    xact_id: str
    xact: str
    reference_no: str
    amount: Decimal
    at: float
    captures: list[Booking] = field(default_factory=list)

    def remaining(self) -> Decimal:
        """Return what is not captured yet."""
        return self.amount - sum((capture.amount for capture in self.captures), Decimal(0))


class Capture(Payment):
    """A capture of all or a part of a pre-authorisation."""

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
        self._target.captures.append(self.booking)
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
        failed = {"authorization_code": "", "is_succeed": False, "code": 1, "message": "İşlem başarısız"}
        return json_reply({**self._fields(self.booking.amount, self._ids["xact_id"]), **sums, **failed, **errors})

    def _fields(self, amount: Decimal, xact_id: str) -> dict[str, Any]:
        """Write all fields of the page in its order, with the sample's values where the order sets none."""
        comission = (amount * Decimal("0.04")).quantize(KURUS, ROUND_HALF_UP)
        comission_tax = (comission * Decimal("0.18")).quantize(KURUS, ROUND_HALF_UP)
        return {
            "xact_id": xact_id,
            "xact_date": seven_digit_fraction(self._provider.clock.istanbul()),
            "transaction_type": CAPTURE,
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


class Paynet(Provider):
    """Paynet's server."""

    name = "paynet"
    rotated = "secret_key"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._pre_authorisations: list[PreAuthorisation] = []
        self._named: dict[tuple[str, str], PreAuthorisation] = {}
        self._numbers = itertools.count(8229)

    def operations(self) -> list[Operation]:
        """Serve capture, check and detail."""

        def reference(call: Call) -> str:
            fields = call.json()
            return str(next((fields[name] for name in IDENTIFIERS if fields.get(name)), ""))

        path = "/v1/transaction"
        faults = frozenset({"other_amount", "other_reference", "odd_refusal"})
        return [
            Operation(
                "paynet.capture",
                "POST",
                f"{path}/capture",
                self.capture,
                "pay",
                reference,
                faults,
                r"\d{1,3}",
                look_up="paynet.check",
            ),
            Operation("paynet.check", "POST", f"{path}/check", self.check, "look_up", reference, ROW_FAULTS),
            Operation("paynet.detail", "POST", f"{path}/detail", self.detail, "look_up", reference, ROW_FAULTS),
        ]

    def unauthorized(self) -> Reply:
        """Refuse the key."""
        return error_object(7, "Yetkisiz erişim")

    def too_many_requests(self) -> Reply:
        """Refuse for the rate."""
        body = {"type": "api_error", "message": "Çok fazla istek", "code": 429, "result_code": 1}
        return json_reply(body, 429)

    def next_number(self) -> int:
        """Count transactions, for their ids and codes."""
        return next(self._numbers)

    def name_target(self, name: str, value: str, target: PreAuthorisation) -> None:
        """Let a call find the pre-authorisation by this identifier; as ``xact_id``, also by one of its captures."""
        self._named[name, value] = target

    def capture(self, call: Call) -> Payment:
        """Check a capture and find its pre-authorisation."""
        fields = self._authorized_fields(call, frozenset({*IDENTIFIERS, "amount"}))
        try:
            if fields.get("amount") and hundredths(fields, "amount") <= 0:
                raise Malformed("amount must be above zero")
        except Malformed as error:
            raise Refused(error_object(11, str(error))) from error
        return Capture(self, call, fields, self._pre_authorisation(fields))

    def check(self, call: Call) -> Reply:
        """List the transaction's rows, found by ``xact_id`` or ``reference_no``."""
        fields = self._authorized_fields(call, frozenset({"xact_id", "reference_no"}))
        return self._rows(self._pre_authorisation(fields), call, {})

    def detail(self, call: Call) -> Reply:
        """List the same rows with more fields, found by ``xact_id``, ``xact`` or ``reference_no``."""
        fields = self._authorized_fields(call, frozenset(IDENTIFIERS))
        return self._rows(self._pre_authorisation(fields), call, {"reversed": False, "reversed_xact_id": ""})

    def seed(self, values: dict[str, Any]) -> None:
        """Take ``pre_authorisations``: a list of {xact_id, xact, reference_no (at least one), amount}."""
        values = dict(values)
        for given in values.pop("pre_authorisations", []):
            names = {name: given[name] for name in IDENTIFIERS if name in given}
            self._open(names, Decimal(str(given["amount"])))
        super().seed(values)

    def state(self) -> dict[str, Any]:
        """Tell each pre-authorisation's amount and remainder."""
        return {
            "pre_authorisations": [
                {
                    **{name: getattr(target, name) for name in IDENTIFIERS},
                    "amount": str(target.amount),
                    "remaining": str(target.remaining()),
                }
                for target in self._pre_authorisations
            ]
        }

    def _authorized_fields(self, call: Call, allowed: frozenset[str]) -> dict[str, Any]:
        scheme, _, key = call.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic" or not self.secrets.accepts("secret_key", key):
            raise Refused(self.unauthorized())
        try:
            fields = call.json()
            known_fields(fields, allowed)
            for name in fields:
                text(fields, name, empty=True)
            if not any(fields.get(name) for name in IDENTIFIERS):
                raise Malformed("one of xact_id, xact and reference_no is required")
        except Malformed as error:
            raise Refused(error_object(11, str(error))) from error
        return fields

    def _pre_authorisation(self, fields: dict[str, Any]) -> PreAuthorisation:
        names = {name: fields[name] for name in IDENTIFIERS if fields.get(name)}
        first, *others = map(self._named.get, names.items())
        if first is None and not any(others):
            return self._open(names, DEFAULT_AMOUNT)
        if first is None or any(other is not first for other in others):
            raise Refused(error_object(11, "the identifiers name different transactions"))
        return first

    def _open(self, names: dict[str, str], amount: Decimal) -> PreAuthorisation:
        number = self.next_number()
        target = PreAuthorisation(
            xact_id=names.get("xact_id", f"xk_{uuid.uuid4().hex}"),
            xact=names.get("xact", str(number)),
            reference_no=names.get("reference_no", f"pre-{number}"),
            amount=amount,
            at=self.clock.now(),
        )
        self._pre_authorisations.append(target)
        for name in IDENTIFIERS:
            self.name_target(name, getattr(target, name), target)
        return target

    def _rows(self, target: PreAuthorisation, call: Call, more: dict[str, Any]) -> Reply:
        latest = self.clock.now() - call.hidden_seconds
        captures = [c for c in target.captures if not call.hidden_seconds or c.at <= latest]
        pre_authorisation = {"id": target.xact, "xact_id": target.xact_id, "transaction_type": PRE_AUTHORISATION}
        rows = [_row(pre_authorisation, target.amount, target.reference_no, target.at, more)]
        rows += [_row(c.answer, c.amount, target.reference_no, c.at, more) for c in captures]
        if call.row_form is not None:
            rows = [in_form(row, ROW, call.row_form) for row in rows]
        if call.clock_ahead:
            rows = [{**row, "xact_date": ahead(row["xact_date"], call.clock_ahead)} for row in rows]
        if call.new_ids:
            rows = [{**row, "xact_id": f"xk_{uuid.uuid4().hex}"} for row in rows]
        if call.letters:
            rows = [{**row, "transaction_type": LETTERS[row["transaction_type"]]} for row in rows]
        if call.foreign_amount is not None:
            foreign = {"id": "1", "xact_id": f"xk_{uuid.uuid4().hex}", "transaction_type": CAPTURE}
            rows.insert(0, _row(foreign, call.foreign_amount, f"foreign-{uuid.uuid4()}", self.clock.now(), more))
        return json_reply({"object_name": "transaction", "code": 0, "message": "Başarılı İşlem", "Data": rows})


def ahead(stamp: str, seconds: float) -> str:
    """Write the same moment by a clock that is so many seconds ahead."""
    return seven_digit_fraction(datetime.fromisoformat(stamp) + timedelta(seconds=seconds))


def _row(ids: dict[str, Any], amount: Decimal, reference_no: str, at: float, more: dict[str, Any]) -> dict[str, Any]:
    """Write one row of ``Data``."""
    number = ids["id"]
    return {
        "xact_id": ids["xact_id"],
        "id": number,
        "xact_date": seven_digit_fraction(datetime.fromtimestamp(at, ISTANBUL)),
        "transaction_type": ids["transaction_type"],
        "pos_type": 5,
        "is_tds": True,
        "agent_id": "20005",
        "note": "",
        "ratio": Decimal("0.04"),
        "agent_reference": reference_no,
        "amount": amount,
        "net_amount": ids.get("net_amount", amount),
        "comission": ids.get("comission", Decimal(0)),
        "comission_tax": ids.get("comission_tax", Decimal(0)),
        "currency": "TRY",
        "authorization_code": ids.get("authorization_code", f"aut-{number}"),
        "reference_code": ids.get("reference_code", f"ref-{number}"),
        "order_id": ids.get("order_id", f"order-{number}"),
        "is_succeed": True,
        **more,
    }
