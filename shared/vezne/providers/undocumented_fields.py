"""Fields of an answer that no public page of the provider describes: under `raw`, masked and never interpreted.

Only inquiries use this. The result of an order has typed fields only.
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
# `account_id`, `accountId`: ids of the provider, which callers ask for.
_NAME_OF_AN_ID = re.compile(r"(_id|I[dD])$")
# Fewer digits do not identify an account, a card or a person.
_SHORTEST_SENSITIVE = 8
_NUMBERS = (
    re.compile(r"(?<![0-9])[0-9]{10,19}(?![0-9])"),
    # A card number as it is printed: 4-4-4-4, or 4-6-5.
    re.compile(r"(?<![0-9])[0-9]{4}([\W_])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?![0-9])"),
    re.compile(r"(?<![0-9])[0-9]{4}([\W_])[0-9]{6}\1[0-9]{5}(?![0-9])"),
)
_IBAN_BEGINS = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}")
_SEPARATOR = re.compile(r"[\W_]")
# The validation context for an answer of this API, which is read back. It is not a provider's answer.
PUBLIC = {"public": True}
# In letters and digits. Each may have a separator after it.
SHORTEST_IBAN, LONGEST_IBAN = 15, 34


def masked(value: Any, name: str = "") -> Any:
    """A JSON value as this API answers it: decimals become strings, and sensitive numbers are masked.

    Masked anywhere: IBANs, and digits that pass the check of a card number, a TCKN or a VKN (identity and tax numbers).
    Masked by name: texts with eight or more digits in fields named like an account, card, person or tax number. Ids of
    the provider are not masked by name.
    """
    if isinstance(value, dict):
        return {_masked_text(str(key), ""): masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, name) for item in value]
    # Only NaN and Infinity are floats here. Python reads them, and JSON does not have them.
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
    # Full-width digits and similar characters become plain ones. A text with nothing to mask does not change.
    plain = unicodedata.normalize("NFKC", text)
    seen = _mask_ibans(plain)
    for pattern in _NUMBERS:
        seen = pattern.sub(lambda found: mask_end(found.group()) if _is_checked(found.group()) else found.group(), seen)
    return text if seen == plain else seen


def _mask_ibans(text: str) -> str:
    """Mask every IBAN, in groups or not. The work grows only with the length of the text."""
    parts, done = [], 0
    for found in _IBAN_BEGINS.finditer(text):
        if found.start() >= done and (end := _end_of_iban(text, found.start())):
            parts += [text[done : found.start()], mask_end(text[found.start() : end])]
            done = end
    return "".join([*parts, text[done:]])


def _end_of_iban(text: str, start: int) -> int | None:
    """Where the longest IBAN from `start` ends, or None. Only a fitting remainder needs the full check."""
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
    """ISO 7064, MOD 97-10: the remainder of a number with one more character at its end. A counts as 10, Z as 35."""
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
    """An answer with some documented fields. The others are under `raw`, with the provider's names.

    A documented field in an undocumented form is under `raw`, too. So it does not hide other fields or rows.
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
    """An answer without documented fields."""

    raw: Any

    @model_validator(mode="before")
    @classmethod
    def _all_of_it(cls, answer: Any, info: ValidationInfo) -> Any:
        return answer if info.context is PUBLIC else {"raw": masked(answer)}
