"""KolayBi: collection from an associate (page "Cari Tahsilat İşlemi": collection from a current account), login, lists.

Assumptions, since no page is public for them:
- refusals are ``{"success": false, "code", "message", "errors"}`` with HTTP 401 (login, token, channel) or 422;
- a row of the transaction list has the fields of the collection's answer, an ``id``, the gateway, and the
  ``description`` as received. The newest row is first;
- a list that is cut into pages tells ``current_page`` and ``last_page`` under ``pagination``, and takes ``?page=``;
- ``balance`` of a vault is the sum of what was collected into it, whatever its currency;
- currency codes are accepted in capital or small letters (the older page shows ``TRY``, the newer ``try``);
- every associate and gateway exists.
"""

from __future__ import annotations

from vezne_sandbox.kolaybi.replies import failure
from vezne_sandbox.provider import Provider
from vezne_sandbox.wire import Call, Refused, Reply


class KolayBi(Provider):
    """KolayBi's server."""

    name = "kolaybi"
    rotated = "api_key"
    token_lifetime = 24 * 3600

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
