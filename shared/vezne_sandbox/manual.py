"""The manual that the server gives at ``GET /``: its addresses, lines to try, and every rule."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import vezne_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vezne_sandbox.provider import Operation

# {url} stands for the server's own address, as the reader of the manual reached it.
_LINES = """\
# is it up, and what can it do?
curl -s {url}/_control/health
curl -s {url}/_control/operations

# the next capture is booked, and its answer is lost
curl -s {url}/_control/rules -d '{{"operation": "paynet.capture", "then": "reset"}}'

# the rules with how often each applied, and away with all of them
curl -s {url}/_control/rules
curl -s -X DELETE {url}/_control/rules

# what a provider knows, the money that moved, the calls that arrived, and what else is kept
curl -s {url}/_control/seed -d '{{"paynet": {{"pre_authorisations": [{{"reference_no": "R-1", "amount": "10.00"}}]}}}}'
curl -s '{url}/_control/bookings?provider=paynet'
curl -s '{url}/_control/calls?operation=paynet.capture'
curl -s {url}/_control/state

# an hour passes, old tokens are refused, everything is forgotten
curl -s {url}/_control/clock -d '{{"advance_seconds": 3600}}'
curl -s {url}/_control/tokens/revoke -d '{{"provider": "vakifbank"}}'
curl -s -X POST {url}/_control/reset
"""


def manual(url: str, operations: Iterable[Operation]) -> str:
    """The manual as plain text, for a server at this address with these operations."""
    addresses = "\n".join(f"  {it.name:32}{it.method:5}{it.path}" for it in operations)
    assert vezne_sandbox.__doc__
    rest = inspect.cleandoc(vezne_sandbox.__doc__).partition("Control (JSON;")
    return (
        f"The sandboxes of five payment providers. Nothing here is real money. Every provider's address is {url}\n"
        f"\nLines to try:\n\n{_LINES.format(url=url)}\nAddresses of the providers:\n{addresses}\n\n{rest[1]}{rest[2]}\n"
    )
