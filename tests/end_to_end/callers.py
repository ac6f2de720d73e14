"""The typed client where the stack is its API: what it hears, and requests for it from a path and fields."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import httpx
from vezne_cli.stack import AppClient, Stack
from vezne_client import Client, Credentials, InquiryCall, OrderCall


def credentials(stack: Stack, client: AppClient | None = None) -> Credentials:
    """Those of the first client, or of another."""
    own = client or stack.first_client
    return Credentials(stack.token_url, own.id, own.secret, own.scopes)


def heard_by(client: Client) -> list[httpx.Response]:
    """Every answer that the client gets from now on, as it came."""
    answers: list[httpx.Response] = []
    client._http.event_hooks = {"response": [answers.append]}
    return answers


def request_for(call: OrderCall[Any, Any] | InquiryCall[Any, Any], path: str, fields: Mapping[str, Any]) -> Any:
    """The call's request: what stands in the path, which is percent-encoded, and the other fields."""
    found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", call.path), path)
    assert found is not None, path
    decoded = {name: unquote(value) for name, value in found.groupdict().items()}
    in_path = {name: int(value) if name == "associate_id" else value for name, value in decoded.items()}
    return call.request.model_validate({**fields, **in_path})
