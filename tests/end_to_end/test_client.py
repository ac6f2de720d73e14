"""The typed client against the local stack: orders, lost answers, refusals, inquiries."""

import asyncio
import os
import re
import subprocess
import sys
import uuid
from decimal import Decimal

import pytest
from vezne.providers.kolaybi.models import CollectionRequest
from vezne.providers.paynet.inquiry_models import CheckRequest
from vezne.providers.paynet.models import CaptureRequest
from vezne_cli.processes import ROOT, choose_port
from vezne_cli.stack import Stack
from vezne_client import (
    CAPTURE,
    CHECK,
    COLLECT,
    AsyncClient,
    Client,
    NotSent,
    OutcomeUnknown,
    Problem,
)

from tests.end_to_end.callers import credentials


def capture() -> CaptureRequest:
    return CaptureRequest(reference_no=uuid.uuid4().hex, amount="10.50")


def booked(stack: Stack, provider: str, reference: str | None) -> list[Decimal]:
    return [Decimal(booking["amount"]) for booking in stack.sandbox.bookings(provider, reference)]


def test_an_order_and_its_repetition_after_a_restart(stack: Stack, vezne: Client) -> None:
    request, key = capture(), uuid.uuid4().hex
    done = vezne.order(CAPTURE, request, key=key)
    assert done.result is not None
    assert (done.result.amount, done.replayed) == (Decimal("10.50"), False)
    with Client(stack.api_url, credentials(stack)) as restarted:
        again = restarted.order(CAPTURE, request, key=key)
    assert (again.operation_id, again.result, again.replayed) == (done.operation_id, done.result, True)
    assert booked(stack, "paynet", request.reference_no) == [Decimal("10.50")]
    read = vezne.read(done.operation_id)
    assert (read.operation, read.status) == ("paynet.capture", "succeeded")


def test_a_booked_payment_whose_answer_was_lost_is_waited_for_and_not_repeated(stack: Stack, vezne: Client) -> None:
    associate = uuid.uuid4().int % 10**12 + 1
    request = CollectionRequest(associate_id=associate, currency="TRY", amount="10.50", gateway_id=1)
    stack.sandbox.rule("kolaybi.collect", "reset")
    done = vezne.order(COLLECT, request)
    assert done.result is not None
    assert done.result.amount == Decimal("10.50")
    rows = [row for row in stack.sandbox.bookings("kolaybi") if row["references"]["associate_id"] == str(associate)]
    assert len(rows) == 1
    assert [call for call in stack.sandbox.calls("kolaybi.list_transactions") if call["reference"] == str(associate)]


def test_an_outcome_nobody_can_prove_stays_unknown_at_the_deadline(stack: Stack, vezne: Client) -> None:
    request = capture()
    stack.sandbox.rule("paynet.capture", "reset", book=False)
    with pytest.raises(OutcomeUnknown) as raised:
        vezne.order(CAPTURE, request, wait_seconds=6)
    assert raised.value.operation_id is not None
    assert vezne.read(raised.value.operation_id).status == "unknown"
    assert booked(stack, "paynet", request.reference_no) == []
    assert (
        len([call for call in stack.sandbox.calls("paynet.capture") if call["reference"] == request.reference_no]) == 1
    )


def test_a_refusal_is_final(stack: Stack, vezne: Client) -> None:
    request = capture()
    stack.sandbox.rule("paynet.capture", "refuse", times=0)
    with pytest.raises(Problem) as raised:
        vezne.order(CAPTURE, request)
    assert (raised.value.slug, raised.value.money) == ("declined", "not_moved")
    assert (
        len([call for call in stack.sandbox.calls("paynet.capture") if call["reference"] == request.reference_no]) == 1
    )


def test_an_order_that_reaches_nobody_was_not_sent(stack: Stack) -> None:
    with Client(f"http://127.0.0.1:{choose_port()}", credentials(stack)) as client, pytest.raises(NotSent) as raised:
        client.order(CAPTURE, capture(), wait_seconds=1)
    assert raised.value.reason == "ConnectError"


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
