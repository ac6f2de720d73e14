"""A client of the control API, for tests and scripts."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import httpx


class SandboxControl:
    """Talks to a running sandbox. A control call the server refuses raises ``ValueError`` with its text."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def bookings(self, provider: str | None = None, reference: str | None = None) -> list[dict[str, Any]]:
        """List what was booked: the money that moved."""
        bookings: list[dict[str, Any]] = self._get("bookings", provider=provider, reference=reference)
        return bookings

    def booked(self, provider: str | None = None, reference: str | None = None) -> Decimal:
        """Add up the amounts booked."""
        return sum((Decimal(b["amount"]) for b in self.bookings(provider, reference)), Decimal(0))

    def calls(self, operation: str | None = None) -> list[dict[str, Any]]:
        """List provider calls in the order of their arrival."""
        calls: list[dict[str, Any]] = self._get("calls", operation=operation)
        return calls

    def wait_for_calls(self, operation: str, count: int = 1, seconds: float = 10) -> list[dict[str, Any]]:
        """Wait until ``count`` calls of an operation have arrived (and were booked, if their rule books)."""
        deadline = time.monotonic() + seconds
        while len(calls := self.calls(operation)) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(calls)} of {count} calls of {operation} after {seconds} s")
            time.sleep(0.01)
        return calls

    def rule(self, operation: str, then: str = "answer", **fields: Any) -> dict[str, Any]:
        """Set a rule; the manual (``manual.py``) explains its fields."""
        rule: dict[str, Any] = self._send("POST", "rules", {"operation": operation, "then": then, **fields})
        return rule

    def rules(self) -> list[dict[str, Any]]:
        """List the rules with how often each applied."""
        rules: list[dict[str, Any]] = self._get("rules")
        return rules

    def remove_rules(self, rule_id: int | None = None) -> None:
        """Remove one rule, or all."""
        self._send("DELETE", "rules" if rule_id is None else f"rules?id={rule_id}")

    def operations(self) -> dict[str, Any]:
        """List operations, each with the faults it can have."""
        operations: dict[str, Any] = self._get("operations")
        return operations

    def state(self) -> dict[str, Any]:
        """Tell what the providers know besides their bookings."""
        state: dict[str, Any] = self._get("state")
        return state

    def seed(self, **providers: dict[str, Any]) -> None:
        """Give providers knowledge, e.g. ``seed(paynet={"pre_authorisations": [...]})``."""
        self._send("POST", "seed", providers)

    def revoke_tokens(self, provider: str | None = None) -> None:
        """Make the access tokens of one provider, or of all, invalid."""
        self._send("POST", "tokens/revoke", {"provider": provider} if provider else {})

    def advance_clock(self, seconds: float) -> None:
        """Let time pass at the providers."""
        self._send("POST", "clock", {"advance_seconds": seconds})

    def reset(self) -> None:
        """Forget everything but the issued tokens."""
        self._send("POST", "reset")

    def _get(self, path: str, **query: str | None) -> Any:
        given = {name: value for name, value in query.items() if value is not None}
        return self._read(self._client.get(f"/_control/{path}", params=given))

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        return self._read(self._client.request(method, f"/_control/{path}", json=body))

    @staticmethod
    def _read(response: httpx.Response) -> Any:
        if response.status_code != 200:
            raise ValueError(response.text)
        return response.json()
