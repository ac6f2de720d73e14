"""The asynchronous client, and the client's script in its document, against the local stack."""

import asyncio
import os
import re
import subprocess
import sys
import uuid
from decimal import Decimal

from vezne.providers.paynet.inquiry_models import CheckRequest
from vezne.providers.paynet.models import CaptureRequest
from vezne_cli.processes import ROOT
from vezne_cli.stack import Stack
from vezne_client import CAPTURE, CHECK, AsyncClient

from tests.end_to_end.callers import credentials


def capture() -> CaptureRequest:
    return CaptureRequest(reference_no=uuid.uuid4().hex, amount="10.50")


def booked(stack: Stack, provider: str, reference: str | None) -> list[Decimal]:
    return [Decimal(booking["amount"]) for booking in stack.sandbox.bookings(provider, reference)]


def test_orders_at_the_same_time(stack: Stack) -> None:
    requests = [capture() for _ in range(5)]

    async def all_of_them() -> list[str]:
        async with AsyncClient(stack.api_url, credentials(stack)) as client:
            done = await asyncio.gather(*(client.order(CAPTURE, request) for request in requests))
            checked = await client.ask(CHECK, CheckRequest(reference_no=requests[0].reference_no))
            assert [row.transaction_type for row in checked.transactions] == ["3", "4"]
            return [one.operation_id for one in done]

    assert len(set(asyncio.run(all_of_them()))) == 5
    for request in requests:
        assert booked(stack, "paynet", request.reference_no) == [Decimal("10.50")]


def test_the_script_of_the_document_runs_as_printed(stack: Stack) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", (ROOT / "shared/vezne_client/README.md").read_text(), re.DOTALL)
    own = stack.first_client
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}",
        "API_URL": stack.api_url,
        "TOKEN_URL": stack.token_url,
        "CLIENT_ID": own.id,
        "CLIENT_SECRET": own.secret,
    }
    command = [sys.executable, "-c", script]
    printed = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert printed.returncode == 0, printed.stderr
    first, second = printed.stdout.splitlines()
    operation_id = first.split(" ", maxsplit=1)[0]
    assert second == f"{operation_id} True"
    assert "transaction_type='4'" in first
    assert "amount=Decimal('10.00')" in first
    assert booked(stack, "paynet", "R-4711") == [Decimal("10.00")]
