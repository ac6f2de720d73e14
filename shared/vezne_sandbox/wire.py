"""A provider call as received, and the answer to it.

Amounts stay exact: JSON numbers are read as int or Decimal, and Decimals are written with all their digits
(``196.5000`` stays ``196.5000``). Nothing here depends on a provider.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import simplejson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Malformed(Exception):
    """The request is not what the provider page asks for. The text names the place and the reason."""


@dataclass(frozen=True)
class Reply:
    """An answer of a provider: HTTP status, body and extra headers."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A provider's refusal, raised from any depth of a handler."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def json_reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Write ``value`` as the JSON body of an answer, Turkish letters as they are and Decimals digit by digit."""
    text = simplejson.dumps(value, ensure_ascii=False, use_decimal=True)
    return Reply(status, text.encode(), headers=headers or {})


@dataclass
class Call:
    """One HTTP request to a provider, read completely."""

    operation: str
    method: str
    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content_type: str
    body: bytes
    hidden_seconds: float = 0
    """Bookings younger than this are not shown."""
    new_ids: bool = False
    """Every row has another encrypted id than in the last answer (Paynet)."""
    letters: bool = False
    """The rows' types are the letters of the table of types (Paynet)."""
    cut_text: bool = False
    """The rows' descriptions are cut to a short length (KolayBi)."""
    clock_ahead: float = 0
    """The dates of the rows are so many seconds ahead (Paynet)."""
    foreign_amount: Decimal | None = None
    """Somebody else's payment with this amount is listed, too."""
    row_form: str | None = None
    """The rows are in this form, see ``odd.py``."""
    unfiltered: bool = False
    """The look-up ignores the filter by reference: it lists every payment."""
    fault: str = ""
    """The fault of a look-up, for those that the module ``statements`` has."""
    rows: int = 0
    """The fault's number of rows; 0 for its default."""

    def require_content_type(self, expected: str) -> None:
        """Check the media type; a charset other than UTF-8 is refused."""
        media_type, _, parameters = self.content_type.partition(";")
        if media_type.strip().lower() != expected:
            raise Malformed(f"Content-Type must be {expected}")
        charset = re.search(r"charset=\"?([\w-]+)", parameters, re.IGNORECASE)
        if charset and charset.group(1).lower() != "utf-8":
            raise Malformed("charset must be utf-8")

    def json(self) -> dict[str, Any]:
        """Read the body as a strict JSON object: UTF-8, no duplicate keys, no NaN."""
        self.require_content_type(JSON)
        return _json_object(self.body)

    def form(self) -> list[tuple[str, str]]:
        """Read the body as strict form fields in their order: percent-encoded UTF-8."""
        self.require_content_type(FORM)
        return _form_fields(self.body)

    def values(self) -> Iterator[str]:
        """Yield every value of the request, in a JSON body or a form, for the ``match`` of a rule."""
        yield from self.parameters.values()
        yield from self.query.values()
        for read in (_json_object, _form_fields):
            try:
                fields = read(self.body)
            except Malformed:
                continue
            pairs = fields.items() if isinstance(fields, dict) else fields
            yield from (str(value) for _, value in pairs)
            return

    def carries(self, reference: str) -> bool:
        """Tell whether ``reference`` is a value of the request, or a whole word inside one."""
        pattern = re.compile(rf"(?<![\w-]){re.escape(reference)}(?![\w-])")
        return any(pattern.search(value) for value in self.values())


def _json_object(body: bytes) -> dict[str, Any]:
    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise Malformed("duplicate JSON key")
        return dict(pairs)

    try:
        value = simplejson.loads(body.decode(), object_pairs_hook=without_duplicates, parse_float=Decimal)
    except ValueError as error:
        raise Malformed("the body is not JSON in UTF-8") from error
    if not isinstance(value, dict):
        raise Malformed("the body is not a JSON object")
    return value


def _form_fields(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, encoding="utf-8", errors="strict"
        )
    except ValueError as error:
        raise Malformed("the body is not a percent-encoded form in UTF-8") from error


# Checks of single fields. Each returns the value, or raises Malformed with the field's name.


def known_fields(fields: Mapping[str, Any], allowed: frozenset[str]) -> None:
    """Refuse fields that the page does not list."""
    unknown = sorted(set(fields) - allowed)
    if unknown:
        raise Malformed(f"unknown field {', '.join(unknown)}")


def text(fields: Mapping[str, Any], name: str, *, empty: bool = False) -> str:
    """Read a required JSON string; an empty one only with ``empty``."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise Malformed(f"{name} must be a string")
    if not value and not empty:
        raise Malformed(f"{name} must not be empty")
    return value


def integer(fields: Mapping[str, Any], name: str) -> int:
    """Read a required JSON integer (a boolean is none)."""
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed(f"{name} must be an integer")
    return value


def boolean(fields: Mapping[str, Any], name: str) -> bool:
    """Read a required JSON boolean."""
    value = fields.get(name)
    if not isinstance(value, bool):
        raise Malformed(f"{name} must be true or false")
    return value


def positive_number(fields: Mapping[str, Any], name: str) -> Decimal:
    """Read a required JSON number above zero; a string of digits is refused."""
    value = fields.get(name)
    if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
        raise Malformed(f"{name} must be a number")
    if value <= 0:
        raise Malformed(f"{name} must be above zero")
    return Decimal(value)


def hundredths(fields: Mapping[str, Any], name: str) -> Decimal:
    """Read a required string of digits, an amount multiplied by 100, as an amount in major units."""
    value = text(fields, name)
    if not re.fullmatch(r"[0-9]+", value):
        raise Malformed(f"{name} must be digits only: the amount multiplied by 100, without decimals")
    return Decimal(value).scaleb(-2)


# Masking. What the sandbox keeps of a request has no card number, IBAN or identity number.

_LONG_NUMBER = re.compile(r"(?<![\w-])(?:TR\d{2}[\d ]{20,28}\d|\d(?:[ -]?\d){10,18})(?![\w-])", re.IGNORECASE)


def masked_text(value: str) -> str:
    """Mask IBANs and stand-alone numbers of 11 to 19 digits inside a text, keeping the last four."""
    return _LONG_NUMBER.sub(lambda found: mask(found.group()), value)


def mask(value: str) -> str:
    """Mask a whole value, keeping the last four characters of a long one."""
    return "*" * (len(value) - 4) + value[-4:] if len(value) > 8 else "*" * len(value)


def masked(fields: Mapping[str, Any], secret: frozenset[str]) -> dict[str, Any]:
    """Copy ``fields`` with the fields named in ``secret`` masked whole, and numbers inside the others."""

    def masked_value(name: str, value: Any) -> Any:
        if isinstance(value, Decimal):
            return str(value)
        if not isinstance(value, str):
            return value
        return mask(value) if name in secret else masked_text(value)

    return {name: masked_value(name, value) for name, value in fields.items()}
