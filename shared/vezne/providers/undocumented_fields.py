"""What a provider answers beyond its public pages: passed through untyped under `raw`, masked and never interpreted.

Only inquiries use this: a money result has typed fields alone.
"""

import functools
import re
import unicodedata
from decimal import Decimal
from typing import Any, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, ValidationInfo, model_validator
from stdnum import iban, luhn
from stdnum.tr import tckimlik, vkn

from vezne.platform.masking import mask_end
from vezne.providers.models import ResultModel

# `InstitutionTaxNo` is VakıfBank's name for the caller's own code.
_SENSITIVE_NAME = re.compile(r"iban|account|card|identity|kimlik|tckn|vkn|(?<!institution)tax", re.IGNORECASE)
# `account_id`, `accountId`: what an inquiry is asked for, such as a `gateway_id`.
_NAME_OF_AN_ID = re.compile(r"(_id|I[dD])$")
# Fewer do not lead to an account, a card or a person.
_SHORTEST_SENSITIVE = 8
_NUMBERS = (
    re.compile(r"(?<![0-9])[0-9]{10,19}(?![0-9])"),
    # A card number as it is printed: 4-4-4-4, or 4-6-5.
    re.compile(r"(?<![0-9])[0-9]{4}([\W_])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?![0-9])"),
    re.compile(r"(?<![0-9])[0-9]{4}([\W_])[0-9]{6}\1[0-9]{5}(?![0-9])"),
)
_IBAN_BEGINS = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}")
_SEPARATOR = re.compile(r"[\W_]")
# The context of validation when an answer of this API is read back, not a provider's.
PUBLIC = {"public": True}
# Letters and digits of an IBAN, which may have a separator behind each.
SHORTEST_IBAN, LONGEST_IBAN = 15, 34


def masked(value: Any, name: str = "") -> Any:
    """A JSON value ready to be answered: numbers with digits after the point as strings, sensitive numbers masked.

    Masked are IBANs, and digits that pass the check of a card number, a TCKN or a VKN, wherever they stand; and every
    text of eight or more digits under a name that speaks of an account, a card, a person or a tax number, but not of
    the provider's id of one.
    """
    if isinstance(value, dict):
        return {_masked_text(str(key), ""): masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, name) for item in value]
    # A float comes of NaN and Infinity only, which Python reads and JSON does not know.
    if isinstance(value, Decimal | float):
        return _masked_text(str(value), "")
    if isinstance(value, str):
        return _masked_text(value, name)
    if isinstance(value, int) and not isinstance(value, bool):
        text = _masked_text(str(value), name)
        return value if text == str(value) else text
    return value


def _masked_text(text: str, name: str) -> str:
    named = _SENSITIVE_NAME.search(name) and not _NAME_OF_AN_ID.search(name)
    if named and len(re.findall("[0-9]", text)) >= _SHORTEST_SENSITIVE:
        return mask_end(text)
    # Full-width digits and the like become the plain ones; a text with nothing to mask stays as it was.
    plain = unicodedata.normalize("NFKC", text)
    seen = _mask_ibans(plain)
    for pattern in _NUMBERS:
        seen = pattern.sub(lambda found: mask_end(found.group()) if _is_checked(found.group()) else found.group(), seen)
    return text if seen == plain else seen


def _mask_ibans(text: str) -> str:
    """Mask every IBAN, grouped or not. The work grows with the text's length alone, whatever stands in it."""
    parts, done = [], 0
    for found in _IBAN_BEGINS.finditer(text):
        if found.start() >= done and (end := _end_of_iban(text, found.start())):
            parts += [text[done : found.start()], mask_end(text[found.start() : end])]
            done = end
    return "".join([*parts, text[done:]])


def _end_of_iban(text: str, start: int) -> int | None:
    """Where the longest IBAN that begins here ends. The full check is only asked where the remainder fits."""
    bare, ends, remainders = "", [], [0]
    for position in range(start, min(start + 2 * LONGEST_IBAN, len(text))):
        character = text[position]
        if character.isascii() and character.isalnum():
            bare += character
            ends.append(position + 1)
            if len(bare) > len("TR33"):
                remainders.append(_appended(remainders[-1], character))
            if len(bare) == LONGEST_IBAN:
                break
        elif not _SEPARATOR.match(character) or ends[-1] < position:
            break
    for length in range(len(bare), SHORTEST_IBAN - 1, -1):
        remainder = functools.reduce(_appended, bare[:4], remainders[length - 4])
        if remainder == 1 and iban.is_valid(bare[:length]):
            return ends[length - 1]
    return None


def _appended(remainder: int, character: str) -> int:
    """ISO 7064, MOD 97-10: the remainder of a number with one more character at its end; A counts as 10, Z as 35."""
    value = int(character, 36)
    return (remainder * (100 if value > 9 else 10) + value) % 97


def _is_checked(text: str) -> bool:
    """Whether it passes the check of a card number, a TCKN or a VKN."""
    bare = _bare(text)
    card = 12 <= len(bare) <= 19 and luhn.is_valid(bare)
    return bool(card or tckimlik.is_valid(bare) or vkn.is_valid(bare))


def _bare(text: str) -> str:
    return _SEPARATOR.sub("", text)


class PartlyDocumented(ResultModel):
    """An answer of which only some fields are public. The others are under `raw`, with the provider's names.

    So is a public field in a form its page does not show: one odd field must not hide the others, or the other rows.
    """

    raw: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_the_rest(cls, answer: Any, read: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if not isinstance(answer, dict) or info.context is PUBLIC:
            return read(answer)
        known = {field.alias or name for name, field in cls.model_fields.items() if name != "raw"}
        try:
            return read(_parted(answer, known))
        except ValidationError as error:
            return read(_parted(answer, known - {problem["loc"][0] for problem in error.errors()}))


def _parted(answer: dict[str, Any], typed: set[Any]) -> dict[str, Any]:
    """The fields to be read by their types, and the others under `raw`."""
    rest = {name: value for name, value in answer.items() if name not in typed}
    return {**{name: value for name, value in answer.items() if name in typed}, "raw": masked(rest)}


class Undocumented(ResultModel):
    """An answer of which nothing is public."""

    raw: Any

    @model_validator(mode="before")
    @classmethod
    def _all_of_it(cls, answer: Any, info: ValidationInfo) -> Any:
        return answer if info.context is PUBLIC else {"raw": masked(answer)}
