"""Breakers that never open, for tests in which many orders end badly on purpose."""

from typing import Any

from vezne.orders.breaker_item import breaker_id


def never_opens(provider: str) -> dict[str, Any]:
    """The item of a breaker in a state that the code does not know. It stops no order, and nobody changes it."""
    return {"id": {"S": breaker_id(provider)}, "state": {"S": "off"}}
