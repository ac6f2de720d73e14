"""Compare each day's orders with walletgate's own list of what it booked."""

from vezne.api import handle_reconciliation
from vezne.providers.walletgate.statement import WalletgateStatement

handler = handle_reconciliation.handler(WalletgateStatement())
