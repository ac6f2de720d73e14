"""Logins at the recording server that replaces the providers."""

from typing import Any

from vezne_sandbox.sandbox import Sandbox

SECRETS: dict[str, dict[str, Any]] = {
    "kolaybi": {"api_key": "sandbox-api-key", "channel": "sandbox-channel"},
    "vakifbank": {
        "client_id": "sandbox-client-id",
        "client_secret": "sandbox-client-secret",
        "consent_id": "sandbox-consent-id",
        "resource": "sandbox",
        "institution_code": "0006624",
    },
    "walletgate": {
        "client_id": "sandbox-client-id",
        "client_secret": "sandbox-client-secret",
        "scope": "sts_business_api",
        "platform_key": "sandbox-platform-key",
        "tenant_id": 0,
    },
    "haso": {
        "merchant_id": "sandbox-merchant-id",
        "merchant_key": "sandbox-merchant-key",
        "merchant_salt": "sandbox-merchant-salt",
        "ip_address": "203.0.113.7",
    },
    "paynet": {"secret_key": "sandbox-secret-key"},
}

# One secret for all providers. Each provider's client reads its own fields.
TOKEN_ANSWER = {
    "access_token": "sandbox-token",
    "data": "sandbox-token",
    "token_type": "Bearer",
    "expires_in": 3600,
    "scope": "payment",
}
# Provider -> the route of its login in the sandbox, and the answer.
LOGINS: dict[str, tuple[str, dict[str, Any]]] = {
    call.name.partition(".")[0]: (f"{call.method} {call.path}", TOKEN_ANSWER)
    for call in Sandbox().operations.values()
    if call.kind == "login"
}
