"""Paynet's Error object."""

from __future__ import annotations

from vezne_sandbox.wire import Reply, json_reply

ERROR_TYPES = {
    7: ("authorization_error", 401),
    8: ("api_error", 500),
    10: ("api_error", 500),
    12: ("no_data_error", 404),
}


def error_object(result_code: int, message: str) -> Reply:
    """Write Paynet's Error object; ``code`` in it is the HTTP status."""
    kind, status = ERROR_TYPES.get(result_code, ("invalid_request_error", 400))
    body = {"type": kind, "message": message, "code": status, "result_code": result_code}
    return json_reply(body, status)
