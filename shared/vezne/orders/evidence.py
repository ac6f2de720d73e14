"""The evidence rule: what an answer or a row must show before it is believed. Money decisions read nothing else.

- *Found* needs the natural key and every typed field the row carries (amount, currency, status, direction) to fit.
- *Not found* needs an answer read to its end in which no row could be ours. A row without its key, or with the key in
  an unknown form, makes the look-up inconclusive.
- A *refusal* needs a listed code as plain text or integer, in the provider's own envelope. It also needs a status that
  refuses, and no sign of success beside it.

Everything else is unknown. Values come here as the JSON had them (`Answer.json()`), never through a lenient model:
`"true"`, `1` and `true` are three different signs.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from vezne.orders.outcome import Finding, Found, Inconclusive, NotFound, Seen, Succeeded

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
# A part of a key that is this long counts as the key. The provider may have cut it, or added text.
_TELLING_PART = 16
# Words of failure, doubt or a double, without case and marks: "İPTAL" and "Başarısız" too.
_SAYS_OTHERWISE = re.compile(
    r"iptal|bekle|hata|yetersiz|redd|basarisiz|mukerrer|gecersiz|cancel|pending|fail|reject|declin|error|duplicate"
)
# Success in a refusal's text, or a double: what is paid already is refused the second time.
_SAYS_SUCCESS_OR_DOUBLE = re.compile(
    r"tahsiledildi|basarili|tamamlandi|odendi|success|completed|mukerrer|duplicate|dahaonce"
)
# A field of such a name beside a list may tell how many rows there are, or that there are more.
_HOW_MANY = re.compile(r"(?<!ac)count|total|adet|toplam|more|next", re.IGNORECASE)
_OF_PAGES = re.compile(r"page|sayfa", re.IGNORECASE)
# A field of such a name may be the status of a payment. The provider may name it in either language.
_NAME_OF_A_STATUS = re.compile(
    r"status|state|durum|result|sonu[cç]|success|error|hata|cancel|iptal|refund|iade|return|reject|fail", re.IGNORECASE
)


class Match(Enum):
    """How a row's key compares with ours."""

    OURS = "ours"
    ANOTHER = "another"
    # The key is missing, empty, of another type, or differs from ours by case, blanks, other separators or a cut only.
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a look-up as the rule sees it. `fits`: every typed field it carries is that of our order."""

    match: Match
    fits: bool
    content: Any


def plain_text(value: object) -> str | None:
    """A code or key as the provider wrote it: text, or an integer as text. None for everything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value)


def match_key(ours: str, *keys: object) -> Match:
    """Compare our natural key with every field of a row that may name it; those that are None name nothing."""
    matches = {_match_one(ours, key) for key in keys if key is not None}
    return matches.pop() if len(matches) == 1 else Match.UNCLEAR


def match_row(ours: str, row: object, names: Collection[str]) -> Match:
    """Compare our natural key with a row's fields of these names.

    Another's row is certainly another's only if it does not show our key in any other field either, at any depth.
    """
    if not isinstance(row, dict):
        return Match.UNCLEAR
    match = match_key(ours, *(row.get(name) for name in names))
    shown = match is Match.ANOTHER and any(_may_be(ours, plain_text(value) or "") for _, value in _fields(row))
    return Match.UNCLEAR if shown else match


def other_signs(row: dict[str, Any], known: Collection[str]) -> list[object]:
    """The values of a row's fields, at any depth, whose names may mean a status and are not `known`.

    Null and empty text say nothing. A provider whose page does not show its status field may answer it under any name.
    """
    values = [value for name, value in _fields(row) if name not in known and _NAME_OF_A_STATUS.search(name)]
    return [value for value in values if value is not None and value != ""]


def speaks_against(value: object) -> bool:
    """Whether a value speaks against success: `false`, a text with a word of failure or doubt, or no single value.

    No list of words is complete: without them a text is still no sign of success.
    """
    if isinstance(value, str):
        return _SAYS_OTHERWISE.search(bare(value)) is not None
    return value is False or (isinstance(value, dict | list) and bool(value))


def speaks_for(value: object) -> bool:
    """Whether a text beside a refusal has a word of success or of a double, or is no text at all."""
    if isinstance(value, str):
        return _SAYS_SUCCESS_OR_DOUBLE.search(bare(value)) is not None
    return value is not None


def tells_of_more(place: dict[str, Any], rows: int) -> bool:
    """Whether the fields around a list tell of more rows than these."""
    told = [value for name, value in place.items() if _HOW_MANY.search(name) and not _OF_PAGES.search(name)]
    return any(_is_more(value, rows) for value in told)


def _is_more(value: object, rows: int) -> bool:
    if value is None or value is False or value == "":
        return False
    number = plain_text(value) or ""
    return not (number.isdecimal() and int(number) <= rows)


def _fields(row: object) -> Iterator[tuple[str, object]]:
    """Every field of a row with its name, those of objects and lists in it, too."""
    members = row.items() if isinstance(row, dict) else [("", item) for item in row] if isinstance(row, list) else ()
    for name, value in members:
        yield name, value
        yield from _fields(value)


def _match_one(ours: str, key: object) -> Match:
    text = plain_text(key)
    if text == ours:
        return Match.OURS
    if text is None or not bare(text) or _may_be(ours, text):
        return Match.UNCLEAR
    return Match.ANOTHER


def _may_be(ours: str, text: str) -> bool:
    one, other = bare(ours), bare(text)
    shorter, longer = sorted((one, other), key=len)
    return one == other or (len(shorter) >= _TELLING_PART and shorter in longer)


def bare(text: str) -> str:
    """A text's letters and digits alone, without case and marks: "Başarılı işlem" is `basariliislem`.

    Turkish capitals of `i` and `ı` have a dot more or less.
    """
    letters = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    return "".join(letter for letter in letters if letter.isalnum())


def plain_number(value: object) -> Decimal | None:
    """A JSON number, or a plain decimal string, as a number. None for everything else."""
    if isinstance(value, str):
        return Decimal(value) if _DECIMAL.fullmatch(value) else None
    return Decimal(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else None


def is_amount(value: object, ours: Decimal) -> bool:
    """Whether a JSON number, or a plain decimal string, is this amount, by value: `196.5000` is `196.50`."""
    return plain_number(value) == ours


def is_one_of(value: object, listed: Collection[str]) -> bool:
    """Whether a value is one of the listed texts, as plain text or integer, to the letter."""
    text = plain_text(value)
    return text is not None and text in listed


def absent_or(value: object, fits: Callable[[object], bool]) -> bool:
    """Whether an optional field says nothing (missing or null), or fits."""
    return value is None or fits(value)


def says_nothing(value: object) -> bool:
    """Whether a field is missing, null or empty. `false` and 0 do say something."""
    return value is None or value in ("", [], {})


def refusal_code(
    code: object, listed: Collection[str], *, refuses: bool, signs_of_success: Iterable[bool] = ()
) -> str | None:
    """The code of a refusal that may be believed, else None.

    `refuses`: the HTTP status and the provider's own envelope both say that the call was refused.
    """
    believed = refuses and is_one_of(code, listed) and not any(signs_of_success)
    return plain_text(code) if believed else None


def find(rows: Sequence[Row], succeeded: Callable[[Any], tuple[Succeeded, Seen]], *, filtered: bool = False) -> Finding:
    """What the rows of a look-up that was read to its end prove.

    `succeeded` makes the outcome and the evidence of the one row that is ours. `filtered`: the provider chose the rows
    by our key. So a row that names it unclearly may be a second one of ours.
    """
    ours = [row for row in rows if row.match is Match.OURS]
    unclear = any(row.match is Match.UNCLEAR for row in rows)
    if not ours:
        return Inconclusive("a row that may be ours") if unclear else NotFound({"rows": str(len(rows))})
    if len(ours) > 1 or (filtered and unclear):
        return Inconclusive("several rows that may be ours")
    if not ours[0].fits:
        return Inconclusive("a row of ours that does not fit")
    outcome, seen = succeeded(ours[0].content)
    return Found(outcome, seen)
