"""KolayBi's lists: invoices, an associate's transactions, and the vaults."""

from decimal import Decimal
from typing import Any, Literal

from vezne.providers.models import Currency, ProviderText, RecordNumber, RequestModel, ResultModel
from vezne.providers.undocumented_fields import PartlyDocumented


class TransactionsRequest(RequestModel):
    """Whose transactions."""

    associate_id: RecordNumber


class VaultsRequest(RequestModel):
    """Which vaults: of one currency, of one kind, or all."""

    currency: Currency | None = None
    type: Literal["bank_account", "safe_deposit"] | None = None


class Movement(PartlyDocumented):
    """A movement of an associate's account, as far as public clients and the answer to a collection name its fields."""

    id: int | None = None
    transaction_status: str | None = None
    transaction_type: str | None = None
    payment_method: str | None = None
    issue_date: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    description: ProviderText | None = None


class TransactionsResult(ResultModel):
    """The associate's transactions: their rows, or null if they are in no known form, and the whole answer."""

    transactions: list[Movement] | None = None
    raw: Any


class Vault(PartlyDocumented):
    """A cash desk (SAFE_DEPOSIT) or a bank account (BANK_ACCOUNT), with the fields that a public client reads.

    Its id is the `gateway_id` of a collection, and the `vault_id` of one on an invoice.
    """

    id: int | None = None
    type: str | None = None
    name: ProviderText | None = None
    balance: Decimal | None = None
    currency: str | None = None


class VaultsResult(ResultModel):
    """The vaults (cash desks and bank accounts), or null if they are in no known form, and the whole answer."""

    vaults: list[Vault] | None = None
    raw: Any


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
