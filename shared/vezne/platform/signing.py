"""The providers' three ways to prove who is calling."""

import base64
import hashlib
import hmac


def hmac_request_token(key: str, *parts: str) -> str:
    """HASO's `requestToken`: base64 of the raw HMAC-SHA256 of the parts joined without a separator, UTF-8.

    The page gives the order of the parts ("merchantId + merchantOid + ... + merhant_salt") and "HMAC ... sha256 ...
    base64"; that the key is the merchant key and the digest is raw is the careful reading (README of this
    provider, not verified).
    Sign exactly the strings that are sent: the parts have no separator, so they must be validated first.
    """
    digest = hmac.new(key.encode(), "".join(parts).encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


def basic_secret_key(secret_key: str) -> str:
    """Paynet's `Authorization` header: the secret key raw after `Basic `, as the provider's own sample sends it."""
    return f"Basic {secret_key}"


def bearer(token: str) -> str:
    """An OAuth2 bearer `Authorization` header: KolayBi, VakıfBank, walletgate."""
    return f"Bearer {token}"
