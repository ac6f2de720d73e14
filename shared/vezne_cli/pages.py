"""The field tables of the providers' pages: as they were when the code was written, and as a saved page has them.

What was read is kept as facts, in `pages.toml` of each provider's folder: names, types, and which fields are required.
Tests hold the models, the document and the sandboxes to it. `vezne drift` compares a newer page with it.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import Any, Literal

from .processes import ROOT

REQUEST, ANSWER = "request", "answer"
# Two names of a field are called the same one renamed if they are at least so alike.
_ALIKE = 0.75
# A page is taken for a known one if it has at least this share of its fields.
_SHARE = 0.5

_TYPE = (
    r"(?:string|number|integer|[iİ]nteger|[iİ]nt|decimal|float|double|bool(?:ean)?|char|array|object|obje|date(?:time)?"
    r"|enum|list|dictionary)\b(?:\s?(?:\([^)]*\)|<[^>]*>))?"
)
# A name at the start of a line; its type behind it, or behind a column line, or in the next line.
_ROW = re.compile(
    rf"^[ \t]*([A-Za-z]\w*(?:\.\w+)*)(?:\[\])?[ \t]*(?:\|[ \t]*|\s+)({_TYPE})", re.MULTILINE | re.IGNORECASE
)
_FACTS = re.compile(r"(.+?)(?:, (yes|no|conditional|one of))?")
_REQUIRED = {
    "Evet*": "one of", "Evet": "yes", "Hayır": "no", "Koşullu Zorunlu": "conditional", "Zorunlu": "yes",
    "Opsiyonel": "no", "Z": "yes", "O": "no",
}  # fmt: skip
_SAYS_REQUIRED = "|".join(re.escape(word) for word in sorted(_REQUIRED, key=len, reverse=True))
_FIRST = re.compile(rf"[\s|]*({_SAYS_REQUIRED})(?=[\s|]|$)")
_LAST = re.compile(rf"(?:^|\s)({_SAYS_REQUIRED})[\s|]*$")
# The heads of a table of fields: with or without a column that says what is required.
_HEADS = re.compile(
    r"^[ \t]*(?:Alan|Parametre)(?:[ \t]+(?:adı|ismi))?\s*\|?\s*(?:Parametre[ \t]+)?(?:Tipi?|Format)\s*\|?\s*"
    r"(Zorunlu\s*\|?\s*|Z/O\s*)?Açıklama(\s*Zorunlu/Opsiyonel)?",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Field:
    """A field of a page's table. `required`: yes, no, conditional, "one of" several; empty in an answer."""

    place: str
    name: str
    type: str
    required: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.type}{f', {self.required}' if self.required else ''}"


@dataclass(frozen=True)
class Page:
    """A provider's page, as it was on a day."""

    operation: str
    title: str
    address: str
    read_on: date
    fields: tuple[Field, ...]
    # Request fields that callers do not give: who does.
    not_offered: Mapping[str, str]
    # Required fields that callers may leave out: what is sent then.
    filled_in: Mapping[str, str]
    # Answer fields that the page's table does not have: where they are shown.
    elsewhere: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """A difference of a newer page. `was` or `now` is None if the field is only in the other one."""

    kind: Literal["added", "removed", "renamed", "changed"]
    place: str
    was: Field | None
    now: Field | None


class UnknownPageError(Exception):
    """The text has no table of fields, or is of none of the pages."""


def pages() -> dict[str, Page]:
    """Every page that is kept, by its operation."""
    return {
        f"{provider}.{verb}": _page(f"{provider}.{verb}", facts)
        for file in sorted((ROOT / "shared" / "vezne" / "providers").glob("*/pages.toml"))
        for provider, verbs in tomllib.loads(file.read_text()).items()
        for verb, facts in verbs.items()
    }


def _page(operation: str, facts: dict[str, Any]) -> Page:
    fields = (_field(place, line) for place in (REQUEST, ANSWER) for line in facts[place])
    notes = (facts.get(name, {}) for name in ("not_offered", "filled_in", "elsewhere"))
    return Page(operation, facts["title"], facts["address"], facts["read_on"], tuple(fields), *notes)


def _field(place: str, line: str) -> Field:
    """A line of `pages.toml`: `name: type, required`."""
    name, _, facts = line.partition(": ")
    found = _FACTS.fullmatch(facts)
    if found is None:
        raise ValueError(f"{name} has no type")
    return Field(place, name, found[1], found[2] or "")


def read_fields(text: str) -> tuple[Field, ...]:
    """The fields of a page that was saved as text, in its order. Raises UnknownPageError if it has no table."""
    tables = list(_HEADS.finditer(text))
    fields: dict[tuple[str, str], Field] = {}
    asked = False
    for number, heads in enumerate(tables):
        end = tables[number + 1].start() if number + 1 < len(tables) else len(text)
        says_required = bool(heads[1] or heads[2])
        # What stands before the request's table, and does not say what is required, is the path.
        place = REQUEST if says_required or not asked else ANSWER
        asked |= says_required
        for field in _rows(text[heads.end() : end], place, says_required=says_required):
            fields.setdefault((field.place, field.name), field)
    if not fields:
        raise UnknownPageError("no table of fields is in it")
    return tuple(fields.values())


def _rows(table: str, place: str, *, says_required: bool) -> Iterator[Field]:
    rows = list(_ROW.finditer(table))
    for number, row in enumerate(rows):
        rest = table[row.end() : rows[number + 1].start() if number + 1 < len(rows) else len(table)]
        required = ""
        if says_required:
            said = _FIRST.match(rest) or _LAST.search(rest.split("\n\n\n")[0].strip())
            required = _REQUIRED[said[1]] if said else ""
        yield Field(place, row[1], _plain(row[2]), required)


def _plain(type_name: str) -> str:
    return re.sub(r"\s", "", type_name).replace("İ", "I").lower()


def page_of(fields: tuple[Field, ...]) -> Page:
    """The kept page whose fields these are. Raises UnknownPageError."""
    names = {(field.place, field.name) for field in fields}

    def share(page: Page) -> float:
        kept = {(field.place, field.name) for field in page.fields}
        return len(names & kept) / len(kept)

    best = max(pages().values(), key=share)
    if share(best) < _SHARE:
        raise UnknownPageError("its fields are of none of the pages that are kept")
    return best


def changes(kept: tuple[Field, ...], now: tuple[Field, ...]) -> list[Change]:
    """What a newer page adds, removes, renames or says otherwise of its fields."""
    before = {(field.place, field.name): field for field in kept}
    after = {(field.place, field.name): field for field in now}
    gone = [field for key, field in before.items() if key not in after]
    new = [field for key, field in after.items() if key not in before]
    found: list[Change] = []
    for field in gone:
        likenesses = {other: _likeness(field, other) for other in new if other.place == field.place}
        alike = max(likenesses, key=likenesses.__getitem__, default=None)
        if alike is not None and likenesses[alike] >= _ALIKE:
            new.remove(alike)
            found.append(Change("renamed", field.place, field, alike))
        else:
            found.append(Change("removed", field.place, field, None))
    found += [Change("added", field.place, None, field) for field in new]
    found += [
        Change("changed", field.place, field, after[key])
        for key, field in before.items()
        if key in after and (field.type, field.required) != (after[key].type, after[key].required)
    ]
    return found


def _likeness(one: Field, other: Field) -> float:
    shorter, longer = sorted((one.name.lower(), other.name.lower()), key=len)
    return 1.0 if shorter in longer else SequenceMatcher(None, shorter, longer).ratio()
