"""Compare each day's orders with KolayBi's own lists of what it booked."""

from vezne.api import handle_reconciliation
from vezne.providers.kolaybi.statement import KolayBiStatement

handler = handle_reconciliation.handler(KolayBiStatement())
