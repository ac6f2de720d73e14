"""KolayBi: collection from an associate (page "Cari Tahsilat İşlemi": collection from a current account), login, lists.

Assumptions, since no page is public for them:
- refusals are ``{"success": false, "code", "message", "errors"}`` with HTTP 401 (login, token, channel) or 422;
- a row of the transaction list has the fields of the collection's answer, an ``id``, the gateway, and the
  ``description`` as received. The newest row is first;
- a list that is cut into pages tells ``current_page`` and ``last_page`` under ``pagination``, and takes ``?page=``;
- ``balance`` of a vault is the sum of what was collected into it, whatever its currency;
- currency codes are accepted in capital or small letters (the older page shows ``TRY``, the newer ``try``);
- every associate and gateway exists. An invoice that no seed names exists with 100000.00 TRY, of associate 1.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from vezne_sandbox.kolaybi.invoices import Invoice
from vezne_sandbox.kolaybi.replies import failure
from vezne_sandbox.provider import Provider
from vezne_sandbox.wire import Call, Refused, Reply

DEFAULT_TOTAL = "100000.00"


class KolayBi(Provider):
    """KolayBi's server."""

    name = "kolaybi"
    rotated = "api_key"
    token_lifetime = 24 * 3600

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.invoices: dict[int, Invoice] = {}

    def invoice(self, document_id: int) -> Invoice:
        """Find an invoice, or open one with the default total."""
        return self.invoices.get(document_id) or self._open({"id": document_id})

    def seed(self, values: dict[str, Any]) -> None:
        """Take ``invoices``: a list of {id, total_amount, currency, type, contact_id}, only the id is needed."""
        values = dict(values)
        for given in values.pop("invoices", []):
            self._open(given)
        super().seed(values)

    def state(self) -> dict[str, Any]:
        """Tell each invoice's total and what is left of it."""
        return {
            "invoices": {
                str(each.document_id): {"total_amount": str(each.total), "remaining_amount": str(each.remaining())}
                for each in self.invoices.values()
            }
        }

    def _open(self, given: dict[str, Any]) -> Invoice:
        opened = Invoice(
            int(given["id"]),
            Decimal(str(given.get("total_amount", DEFAULT_TOTAL))),
            str(given.get("currency", "TRY")),
            str(given.get("type", "sale_invoice")),
            int(given.get("contact_id", 1)),
        )
        return self.invoices.setdefault(opened.document_id, opened)

    def unauthorized(self) -> Reply:
        """Refuse the token."""
        return failure(401, "Unauthenticated.")

    def too_many_requests(self) -> Reply:
        """Refuse for the rate."""
        return failure(429, "Too Many Attempts.")

    def require_channel(self, call: Call) -> None:
        """Refuse a call without the right ``Channel`` header."""
        if not self.secrets.accepts("channel", call.headers.get("Channel")):
            raise Refused(failure(401, "Channel header is missing or invalid."))

    def require_token(self, call: Call) -> None:
        """Refuse a call without the right ``Channel`` header and a valid token."""
        self.require_channel(call)
        if not self.tokens.accepts(call.headers.get("Authorization")):
            raise Refused(self.unauthorized())
