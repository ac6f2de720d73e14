"""One access token for all functions of a provider: the function that logs in writes it down, the others read it.

It is in a secret of its own (LOGIN_SECRET_ID), under the stack's key. Its JSON is `{}` as long as there is no token:

- `token`; `expires_at`: seconds since 1970;
- `secret_version`: the version of the provider's secret that the token was obtained with. It is used with no other;
- `paced_until`: seconds since 1970. Each write moves it 600 s on, counted from now at least. A write that would move it
  further than 6,000 s from now is left out: so ten writes may come at once, and then one every ten minutes.

Secrets Manager keeps each version for a day, and about 100 of them, so it must not be written more often for long. For
the same reason a token that lives for less than eleven minutes is not shared. A token that is not shared costs a login
in each instance, and nothing else.
"""

import json
import os
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import SecretStr

from vezne.platform.telemetry import logger
from vezne.providers.credentials import (
    TOKEN_MARGIN_SECONDS,
    SecretUnavailableError,
    SecretUnusableError,
    Token,
    get_secret,
    put_secret,
)

WRITE_SECONDS = 600
WRITES_AT_ONCE = 10
SHORTEST_SHARED_SECONDS = WRITE_SECONDS + TOKEN_MARGIN_SECONDS
LONGEST_SHARED_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class _Stored:
    token: str = field(default="", repr=False)
    expires_at: int = 0
    secret_version: str = ""
    paced_until: int = 0


class SharedToken:
    """The shared token, as far as it is of use with this version of the secret and is not the refused one."""

    def __init__(self, version: str, refused: str) -> None:
        self._version = version
        self._refused = refused
        self._stored: _Stored | None = None

    def read(self) -> Token | None:
        """The token that stands there now, or None if there is none to use or it cannot be read."""
        try:
            self._stored = _read(get_secret(os.environ["LOGIN_SECRET_ID"])[0])
        except (SecretUnusableError, SecretUnavailableError) as error:
            self._stored = None
            logger.warning("shared token not read", reason=str(error))
            return None
        stored = self._stored
        seconds = stored.expires_at - time.time()
        if stored.secret_version != self._version or stored.token == self._refused or seconds <= TOKEN_MARGIN_SECONDS:
            return None
        return Token(SecretStr(stored.token), seconds)

    def write(self, token: Token) -> None:
        """Share a new token, if it lives long enough and the last writes were not too many.

        It comes after `read`. If it fails, only this instance has the token.
        """
        now = int(time.time())
        seconds = min(token.seconds, LONGEST_SHARED_SECONDS)
        # Written so, it is also true of a lifetime that is no number.
        if self._stored is None or not seconds >= SHORTEST_SHARED_SECONDS:
            return
        paced_until = max(now, self._stored.paced_until) + WRITE_SECONDS
        if paced_until > now + WRITES_AT_ONCE * WRITE_SECONDS:
            logger.warning("token not shared", reason="too many writes")
            return
        stored = _Stored(token.value.get_secret_value(), now + int(seconds), self._version, paced_until)
        try:
            put_secret(os.environ["LOGIN_SECRET_ID"], json.dumps(asdict(stored)))
        except (SecretUnusableError, SecretUnavailableError) as error:
            logger.error("token not shared", reason=str(error))


def _read(text: str) -> _Stored:
    """What the text says. A text of another form has no token, and the next login writes over it."""
    try:
        fields: Any = json.loads(text)
        stored = _Stored(**fields)
    except (ValueError, RecursionError, TypeError):
        return _Stored()
    kinds = {"token": str, "expires_at": int, "secret_version": str, "paced_until": int}
    if any(type(getattr(stored, name)) is not kind for name, kind in kinds.items()):
        return _Stored()
    # It is sent in a header.
    return stored if all("!" <= letter <= "~" for letter in stored.token) else _Stored()
