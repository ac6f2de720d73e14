"""The form of KolayBi's refusals, which is an assumption."""

from __future__ import annotations

from typing import Any

from vezne_sandbox.wire import Reply, json_reply


def failure(status: int, message: str, errors: dict[str, list[str]] | None = None) -> Reply:
    """Write a refusal ."""
    body: dict[str, Any] = {"success": False, "code": status, "message": message}
    if errors:
        body["errors"] = errors
    return json_reply(body, status)
