"""Compare each day's orders with VakıfBank's own lists of what it booked."""

from vezne.api import handle_reconciliation
from vezne.providers.vakifbank.statement import VakifBankStatement

handler = handle_reconciliation.handler(VakifBankStatement())
