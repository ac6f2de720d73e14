"""How the providers know who is calling: HASO's token, Paynet's key, OAuth2 tokens."""

import base64
import hashlib
import hmac


def hmac_request_token(key: str, *parts: str) -> str:
    """HASO's `requestToken`: base64 of the raw HMAC-SHA256 of the parts joined without a separator, UTF-8.

    The page gives the order of the parts ("merchantId + merchantOid + ... + merhant_salt") and "HMAC ... sha256 ...
    base64"; it does not say which key, nor whether the digest is raw. We take the merchant key and the raw
    digest, which is not verified: see the README of this provider.
    Sign exactly the strings that are sent: the parts have no separator, so they must be validated first.
    """
    digest = hmac.new(key.encode(), "".join(parts).encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


def basic_secret_key(secret_key: str) -> str:
    """Paynet's `Authorization` header: the secret key after `Basic `, not encoded, as in the provider's sample."""
    return f"Basic {secret_key}"


def bearer(token: str) -> str:
    """An OAuth2 bearer `Authorization` header: KolayBi, VakıfBank, walletgate."""
    return f"Bearer {token}"
