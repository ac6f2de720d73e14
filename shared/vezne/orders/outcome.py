"""What one call to a provider, and one look-up, can come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

# Statuses that mean "not processed" (RFC 9110, 15.5). They count only with the provider's own error body: a proxy can
# send them too.
REFUSING_STATUSES = frozenset({400, 403, 404, 405, 415, 422})


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The provider gave its explicit sign of success. `result` is the public result, ready for JSON."""

    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider refused for certain, by a sign listed in the operation. Code and text are the provider's, masked."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the order was sent, or the provider did not take the call. The same key may be sent again.

    `provider_failed`: it could not be reached, or its login gave no usable answer.
    """

    reason: str
    provider_failed: bool = False


@dataclass(frozen=True, slots=True)
class CredentialsRefused:
    """The provider refused our login, so it did not look at the order. `renewable`: a new login may be accepted."""

    reason: str
    renewable: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell from the answer, or from its absence, what happened. The default verdict."""

    reason: str


Outcome = Succeeded | Declined | NotSent | CredentialsRefused | Unknown


# What a look-up showed, as it is kept in the evidence. An amount is a Decimal. As text it could look like the number of
# a card or an account, and be masked.
Seen = Mapping[str, str | Decimal]


@dataclass(frozen=True, slots=True)
class Found:
    """A look-up found proof of what happened to this very order."""

    outcome: Succeeded | Declined
    seen: Seen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotFound:
    """A look-up was answered in full and the order was not in it."""

    seen: Seen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """A look-up failed, or what it showed neither proves nor excludes the order.

    `send_again`: where the same order twice changes nothing, a repeat of it may be sent. `failed`: there was no answer,
    or no login, so the next look-up is likely to fail as well. `seen`: what it showed all the same, for people.
    """

    reason: str
    send_again: bool = False
    failed: bool = False
    seen: Seen = field(default_factory=dict)


Finding = Found | NotFound | Inconclusive
