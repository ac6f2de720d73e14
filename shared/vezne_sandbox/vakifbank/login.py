"""The login: a token for ``b2b_credentials``. The fifth wrong secret locks the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vezne_sandbox.provider import Operation
from vezne_sandbox.vakifbank.messages import gateway_refusal
from vezne_sandbox.wire import Call, Malformed, Reply, json_reply

if TYPE_CHECKING:
    from vezne_sandbox.vakifbank import VakifBank


def login(provider: VakifBank, call: Call) -> Reply:
    """Answer an access token for ``b2b_credentials``; count wrong secrets, and lock after five."""
    try:
        fields = login_fields(call)
    except Malformed as error:
        return gateway_refusal("ACBG000007", error)
    if not provider.secrets.accepts("client_id", fields["client_id"]):
        return provider.unauthorized()
    if provider.locked:
        return gateway_refusal("ACBG000006")
    if not provider.secrets.accepts("client_secret", fields["client_secret"]):
        provider.wrong_secrets += 1
        return gateway_refusal("ACBG000006" if provider.locked else "ACBG000005", provider.wrong_secrets)
    if not provider.secrets.accepts("consent_id", fields["consentId"]):
        return provider.unauthorized()
    if not provider.secrets.accepts("resource", fields["resource"]):
        return provider.unauthorized()
    answer = {
        "access_token": provider.tokens.issue(),
        "token_type": "Bearer",
        "expires_in": provider.tokens.lifetime,
        "scope": "payment",
    }
    return json_reply(answer)


def login_fields(call: Call) -> dict[str, str]:
    """Read and check the form of the token call."""
    names = {"client_id", "client_secret", "grant_type", "scope", "consentId", "resource"}
    pairs = call.form()
    fields = dict(pairs)
    if len(fields) != len(pairs) or set(fields) != names:
        raise Malformed(f"the fields must be {', '.join(sorted(names))}")
    if fields["grant_type"] != "b2b_credentials":
        raise Malformed("grant_type must be b2b_credentials")
    if fields["scope"] != "payment":
        raise Malformed("scope must be payment")
    return fields


LOGIN = Operation(name="vakifbank.login", kind="login", method="POST", path="/auth/oauth/v2/token", handle=login)
