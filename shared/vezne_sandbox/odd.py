"""Rows of a look-up in forms that no page shows: another name of the payment, or a status other than success.

The truth does not change: the row is of a payment that was booked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, Any]

UNNAMED: dict[str, Callable[[str], Any]] = {
    "other_case": str.swapcase,
    "padded": lambda reference: f" {reference}  ",
    "without_hyphens": lambda reference: reference.replace("-", "") + " ",
    "empty": lambda _: "",
    "null": lambda _: None,
}
"""What the row's reference becomes. ``missing`` leaves it out, ``other_name`` moves it to a field of another name."""
UNNAMED_FORMS = ("missing", "other_name", *UNNAMED)
ODD_FORMS = ("no_sign", "cancelled", "pending", "other_currency", "negative")


@dataclass(frozen=True)
class Names:
    """The fields of a provider's rows."""

    reference: str
    amount: str
    currency: str
    signs: tuple[str, ...]
    cancelled: Row
    pending: Row


def in_form(row: Row, names: Names, form: str) -> Row:
    """Write a row in one of the forms."""
    if form in UNNAMED_FORMS:
        return _unnamed(row, names.reference, form)
    match form:
        case "no_sign":
            return {name: value for name, value in row.items() if name not in names.signs}
        case "cancelled":
            return {**row, **names.cancelled}
        case "pending":
            return {**row, **names.pending}
        case "other_currency":
            return {**row, names.currency: "USD"}
        case "negative":
            return {**row, names.amount: -row[names.amount]}
    raise ValueError(form)


def _unnamed(row: Row, name: str, form: str) -> Row:
    if form in UNNAMED:
        return {**row, name: UNNAMED[form](row[name])}
    rest = {field: value for field, value in row.items() if field != name}
    return {**rest, "InternalReference": row[name]} if form == "other_name" else rest
