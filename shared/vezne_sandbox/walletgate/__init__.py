"""walletgate: login, payment of a bill (page "Make Payment"), list of transactions, bills and product.

Assumptions, since the pages do not say:
- a wrong login is HTTP 400 ``{"error": "invalid_client"}`` as in RFC 6749; a refused token is HTTP 401;
- other refusals have the envelope with ``status`` 1, a ``code`` and ``payload`` null. A malformed request has HTTP 400
  and code "400", a business refusal HTTP 200;
- the same ``inv_payment_transaction_query_oid`` again is code "301"; the oid is the ``ext_transaction_id`` of the list;
- the list's payload is ``{"items", "page_index", "page_size", "total_count"}``, its items have an
  ``ext_transaction_id``. Pages count from 1 (0 is taken as 1). Without dates the list goes back one day;
- the product is asked for by ``product_oid``;
- an oid that no seed names is an open bill of the amount given, partly payable. The wallet has enough money unless a
  seed sets ``balance``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from vezne_sandbox.provider import Provider
from vezne_sandbox.walletgate.bills import Bill, Bills
from vezne_sandbox.walletgate.replies import failure
from vezne_sandbox.wire import Call, Malformed, Refused, Reply, integer, known_fields


class Walletgate(Provider):
    """walletgate's identity server and API, on one host."""

    name = "walletgate"
    rotated = "client_secret"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.bills = Bills()
        self.balance: Decimal | None = None
        self._numbers = 0

    def unauthorized(self) -> Reply:
        """Refuse the token."""
        return failure("401", "Yetkisiz erişim", 401)

    def too_many_requests(self) -> Reply:
        """Refuse for the rate."""
        return failure("429", "Çok fazla istek", 429)

    def next_number(self) -> int:
        """Count payments, for their ids."""
        self._numbers += 1
        return self._numbers

    def seed(self, values: dict[str, Any]) -> None:
        """Take ``balance`` (decimal string) of the wallet, and ``bills``: see ``Bill`` for the fields."""
        values = dict(values)
        if "balance" in values:
            self.balance = Decimal(str(values.pop("balance")))
        for bill in values.pop("bills", []):
            self.bills.add(Bill.of(bill))
        super().seed(values)

    def authorized_fields(self, call: Call, allowed: frozenset[str]) -> dict[str, Any]:
        """Check the token and ``x-client-id``, and read the body; fields that are not ``allowed`` are refused."""
        if not self.tokens.accepts(call.headers.get("Authorization")):
            raise Refused(self.unauthorized())
        if not self.secrets.accepts("platform_key", call.headers.get("x-client-id")):
            raise Refused(self.unauthorized())
        try:
            fields = call.json()
            known_fields(fields, allowed)
            if "tenant_id" in fields:
                integer(fields, "tenant_id")
        except Malformed as error:
            raise Refused(failure("400", str(error), 400)) from error
        return fields
