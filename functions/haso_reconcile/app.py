"""Compare each day's orders with HASO's payment plans."""

from vezne.api import handle_reconciliation
from vezne.providers.haso.statement import HasoStatement

handler = handle_reconciliation.handler(HasoStatement())
