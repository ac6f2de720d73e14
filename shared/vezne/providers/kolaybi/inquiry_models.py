"""KolayBi's lists: invoices, an associate's transactions, and the vaults."""

from decimal import Decimal
from typing import Literal

from vezne.providers.models import Currency, RecordNumber, RequestModel, ResultModel
from vezne.providers.undocumented_fields import PartlyDocumented, Undocumented


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


class InvoicesRequest(RequestModel):
    """Which invoices: of one kind (KolayBi's default is sale_invoice), of one associate, and which page of them."""

    type: (
        Literal[
            "sale_invoice",
            "sale_return_invoice",
            "purchase_invoice",
            "purchase_return_invoice",
            "self_employment_receipt",
        ]
        | None
    ) = None
    associate_id: RecordNumber | None = None
    page: RecordNumber | None = None


class Contact(PartlyDocumented):
    """The associate (cari) of an invoice."""

    id: int | None = None
    name: str | None = None
    surname: str | None = None


class Invoice(PartlyDocumented):
    """One invoice. Amount in major units; `status` draft, ready_to_send, sent, approved, rejected or cancelled."""

    id: int | None = None
    serial_no: str | None = None
    order_date: str | None = None
    due_date: str | None = None
    total_amount: Decimal | None = None
    currency: str | None = None
    status: str | None = None
    type: str | None = None
    contact: Contact | None = None


class Pages(PartlyDocumented):
    """Which page of the list this is. A page has 20 invoices."""

    current_page: int | None = None
    per_page: int | None = None
    total: int | None = None


class InvoicesResult(ResultModel):
    """One page of the company's invoices, in KolayBi's order."""

    invoices: list[Invoice]
    pagination: Pages | None = None
