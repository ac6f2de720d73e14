"""Paynet: capture of a pre-authorisation (page "Finansallaştırma": to capture), check, detail and the list of a day.

Assumptions, since the pages do not say:
- an Error object for 401 is ``authorization_error`` with result_code 7, for 400 ``invalid_request_error`` with 11;
- a bank refusal has ``code`` 1 (unsuccessful) beside ``is_succeed`` false and the bank error fields;
- several captures of one pre-authorisation are booked, up to its amount. More is refused with ``code`` 1 and the Paynet
  error fields. An order without an amount captures the whole sum, so after another capture it is refused;
- ``net_amount``, ``comission`` and ``comission_tax`` follow the sample: 4 % of the amount, and 18 % tax on that.
  ``amount`` is the captured sum (the sample shows 0: use the rule ``other_amount`` with ``"amount": "0"``);
- check and detail list the pre-authorisation (type 3) first, then each capture (type 4) as a row. Each row has the
  pre-authorisation's ``reference_no`` as ``agent_reference``. A capture's own ``xact_id`` finds it, too;
- the list has a row for each of them, and for what failed, the oldest first. ``datbi`` counts. Its rows have the names
  that a public client reads, and say nothing of why something failed;
- a pre-authorisation that no seed names exists with 100000.00 TRY. If its ``xact_id`` begins with ``sale*``, it is a
  sale of yesterday instead.
"""

from __future__ import annotations

import itertools
import uuid
from decimal import Decimal
from typing import Any

from vezne_sandbox.paynet.pre_authorisations import IDENTIFIERS, SALE, PreAuthorisation, RefundRequest
from vezne_sandbox.paynet.replies import error_object
from vezne_sandbox.paynet.request_refund import decide
from vezne_sandbox.provider import Provider
from vezne_sandbox.wire import Call, Malformed, Refused, Reply, json_reply, known_fields, text

DEFAULT_AMOUNT = Decimal("100000.00")
DAY = 24 * 3600


class Paynet(Provider):
    """Paynet's server."""

    name = "paynet"
    rotated = "secret_key"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._pre_authorisations: list[PreAuthorisation] = []
        self._named: dict[tuple[str, str], PreAuthorisation] = {}
        self._numbers = itertools.count(8229)

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

    def seed(self, values: dict[str, Any]) -> None:
        """Take ``pre_authorisations``: a list of {xact_id, xact, reference_no (at least one), amount}.

        And ``refund_decisions``: a list of {xact_id, approved}, what the staff decides of the open requests.
        """
        values = dict(values)
        for given in values.pop("pre_authorisations", []):
            names = {name: given[name] for name in IDENTIFIERS if name in given}
            self._open(names, Decimal(str(given["amount"])))
        for decided in values.pop("refund_decisions", []):
            decide(self, decided["xact_id"], approved=decided["approved"])
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

    def require_key(self, call: Call) -> None:
        """Refuse a call without an accepted key."""
        scheme, _, key = call.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic" or not self.secrets.accepts("secret_key", key):
            raise Refused(self.unauthorized())

    def authorized_fields(self, call: Call, allowed: frozenset[str]) -> dict[str, Any]:
        """Check the key, and read the body: texts that are ``allowed``, at least one identifier among them."""
        self.require_key(call)
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

    def pre_authorisation(self, fields: dict[str, Any]) -> PreAuthorisation:
        """Find the pre-authorisation that a call names; one that is not known is made."""
        names = {name: fields[name] for name in IDENTIFIERS if fields.get(name)}
        first, *others = map(self._named.get, names.items())
        if first is None and not any(others):
            return self._open(names, DEFAULT_AMOUNT)
        if first is None or any(other is not first for other in others):
            raise Refused(error_object(11, "the identifiers name different transactions"))
        return first

    def pre_authorisations(self) -> list[PreAuthorisation]:
        """List them, the oldest first."""
        return self._pre_authorisations

    def refund_requests(self) -> list[RefundRequest]:
        """List the requests to give money back, the oldest first."""
        return sorted((one for each in self._pre_authorisations for one in each.requests), key=lambda one: one.at)

    def is_known(self, xact_id: str) -> bool:
        """Tell whether a pre-authorisation, or what was booked under one, has this ``xact_id``."""
        return ("xact_id", xact_id) in self._named

    def _open(self, names: dict[str, str], amount: Decimal) -> PreAuthorisation:
        number = self.next_number()
        target = PreAuthorisation(
            xact_id=names.get("xact_id", f"xk_{uuid.uuid4().hex}"),
            xact=names.get("xact", str(number)),
            reference_no=names.get("reference_no", f"pre-{number}"),
            amount=amount,
            at=self.clock.now() - (DAY if names.get("xact_id", "").startswith(SALE) else 0),
        )
        self._pre_authorisations.append(target)
        for name in IDENTIFIERS:
            self.name_target(name, getattr(target, name), target)
        return target
