"""KolayBi's lists: an associate's transactions, and the vaults. No field of either answer is public."""

from typing import Literal

from vezne.providers.models import Currency, RecordNumber, RequestModel
from vezne.providers.undocumented_fields import Undocumented


class TransactionsRequest(RequestModel):
    """Whose transactions."""

    associate_id: RecordNumber


class VaultsRequest(RequestModel):
    """Which vaults: of one currency, of one kind, or all."""

    currency: Currency | None = None
    type: Literal["bank_account", "safe_deposit"] | None = None


class TransactionsResult(Undocumented):
    """The associate's transactions, as KolayBi answers them."""


class VaultsResult(Undocumented):
    """The vaults (cash desks and bank accounts), as KolayBi answers them. A vault's id is a `gateway_id`."""
