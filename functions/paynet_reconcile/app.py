"""Compare each day's orders with Paynet's own list of what it booked."""

from vezne.api import handle_reconciliation
from vezne.providers.paynet.statement import PaynetStatement

handler = handle_reconciliation.handler(PaynetStatement())
