"""The form of HASO's refusals."""

from __future__ import annotations

from vezne_sandbox.wire import Reply, json_reply


def failure(*errors: str, status: int = 200) -> Reply:
    """Write a refusal: ``Success`` false, and ``Errors`` filled."""
    return json_reply({"Success": False, "Errors": list(errors), "Data": {}}, status)
