"""The form of a collection from an associate, in the order of the page (/docs/associates/proceed)."""

from vezne.platform.money import shortest_number
from vezne.providers.kolaybi.models import CollectionRequest, CurrencyRate, Expense

_ACCOUNT_TYPES = {"vault": "Vault", "associate": "Associate"}


def collection_fields(request: CollectionRequest, marker: str) -> list[tuple[str, str]]:
    """Names and values. Our marker is at the start of the description, where a short column does not cut it."""
    fields = [
        ("amount", shortest_number(request.amount)),
        ("currency", request.currency),
        ("gateway_id", str(request.gateway_id)),
    ]
    if request.gateway_type:
        fields.append(("gateway_type", _ACCOUNT_TYPES[request.gateway_type]))
    if request.exchange_rate is not None:
        fields.append(("exchange_rate", shortest_number(request.exchange_rate)))
    fields += [("project_ids[]", str(project)) for project in request.project_ids or []]
    fields.append(("description", f"{marker} {request.description}" if request.description else marker))
    fields += _numbered("expenses", list(map(_expense, request.expenses or [])))
    fields += _numbered("transaction_currency_rates", list(map(_rate, request.transaction_currency_rates or [])))
    return fields


def _numbered(name: str, rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    """`expenses[0][source_type]=Associate&expenses[0][amount]=10.5`."""
    return [(f"{name}[{number}][{field}]", value) for number, row in enumerate(rows) for field, value in row.items()]


def _expense(expense: Expense) -> dict[str, str]:
    return {
        "source_type": _ACCOUNT_TYPES[expense.source_type],
        "amount": shortest_number(expense.amount),
        "currency": expense.currency,
        "source_id": str(expense.source_id),
    }


def _rate(rate: CurrencyRate) -> dict[str, str]:
    return {
        "quote_currency": rate.quote_currency,
        "rate": shortest_number(rate.rate),
        "total": shortest_number(rate.total),
    }
