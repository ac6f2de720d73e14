"""The login: a token for ``client_credentials``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vezne_sandbox.provider import Operation
from vezne_sandbox.wire import Call, Malformed, Reply, json_reply

if TYPE_CHECKING:
    from vezne_sandbox.walletgate import Walletgate


def login(provider: Walletgate, call: Call) -> Reply:
    """Answer an access token for ``client_credentials``."""
    try:
        pairs = call.form()
    except Malformed:
        return json_reply({"error": "invalid_request"}, 400)
    fields = dict(pairs)
    if len(fields) != len(pairs) or set(fields) != {"grant_type", "client_id", "client_secret", "scope"}:
        return json_reply({"error": "invalid_request"}, 400)
    if fields["grant_type"] != "client_credentials":
        return json_reply({"error": "unsupported_grant_type"}, 400)
    if not all(provider.secrets.accepts(name, fields[name]) for name in ("client_id", "client_secret")):
        return json_reply({"error": "invalid_client"}, 400)
    if not provider.secrets.accepts("scope", fields["scope"]):
        return json_reply({"error": "invalid_scope"}, 400)
    answer = {
        "access_token": provider.tokens.issue(),
        "token_type": "Bearer",
        "expires_in": provider.tokens.lifetime,
        "scope": fields["scope"],
    }
    return json_reply(answer)


LOGIN = Operation(name="walletgate.login", kind="login", method="POST", path="/connect/token", handle=login)
