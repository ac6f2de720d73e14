"""The orders of events/ as an HTTP client sends them, and what came back as one line each."""

import time
from dataclasses import dataclass
from typing import Any

import httpx

from .catalogue import ORDERS
from .golden import Golden, golden
from .stack import Stack


@dataclass(frozen=True)
class Sent:
    """One order that was sent, its answer, and how long that took."""

    order: Golden
    response: httpx.Response
    milliseconds: int

    @property
    def answer(self) -> dict[str, Any]:
        """The operation resource or the problem, empty if neither came."""
        try:
            value = self.response.json()
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def succeeded(self) -> bool:
        """Whether the money moved and the answer says so."""
        return self.response.status_code == 200 and self.answer.get("status") == "succeeded"

    @property
    def replayed(self) -> bool:
        """Whether the answer was a stored one."""
        return bool(self.response.headers.get("Idempotent-Replayed") == "true")

    def row(self) -> tuple[str, str, str, str, str]:
        """Operation, HTTP status, status, provider reference and milliseconds, as text."""
        status = self.answer.get("status") if self.response.status_code < 300 else self.answer.get("type")
        return (
            self.order.operation,
            str(self.response.status_code),
            f"{status or '-'}{' (replayed)' if self.replayed else ''}",
            self.reference(),
            str(self.milliseconds),
        )

    def reference(self) -> str:
        """How the provider knows the payment, or `-`."""
        return str(self.answer.get("provider_reference", "-"))


def golden_orders() -> list[Golden]:
    """The orders of all operations."""
    return [golden(operation) for operation in ORDERS]


def send(stack: Stack, order: Golden, token: str) -> Sent:
    """Send one order and time it."""
    started = time.monotonic()
    response = stack.request("POST", order.path, token=token, key=order.key, content=order.text.encode())
    return Sent(order, response, round((time.monotonic() - started) * 1000))


def table(sent: list[Sent]) -> str:
    """The orders as an aligned table."""
    rows = [("operation", "HTTP", "status", "provider reference", "ms"), *(one.row() for one in sent)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
