"""The login: a bare token for the API key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vezne_sandbox.kolaybi.replies import failure
from vezne_sandbox.provider import Operation
from vezne_sandbox.wire import Call, Malformed, Reply, json_reply, known_fields, text

if TYPE_CHECKING:
    from vezne_sandbox.kolaybi import KolayBi


def login(provider: KolayBi, call: Call) -> Reply:
    """Answer the bare token under ``data``."""
    provider.require_channel(call)
    try:
        fields = call.json()
        known_fields(fields, frozenset({"api_key"}))
        api_key = text(fields, "api_key")
    except Malformed as error:
        return failure(422, str(error))
    if not provider.secrets.accepts("api_key", api_key):
        return provider.unauthorized()
    return json_reply({"data": provider.tokens.issue()})


LOGIN = Operation(name="kolaybi.login", kind="login", method="POST", path="/kolaybi/v1/access_token", handle=login)
