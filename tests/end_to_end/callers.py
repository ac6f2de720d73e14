"""The typed client of the local stack, and the answers that it gets."""

import httpx
from vezne_cli.stack import AppClient, Stack
from vezne_client import Client, Credentials


def credentials(stack: Stack, client: AppClient | None = None) -> Credentials:
    """The credentials of the first client, or of another one."""
    own = client or stack.first_client
    return Credentials(stack.token_url, own.id, own.secret, own.scopes)


def heard_by(client: Client) -> list[httpx.Response]:
    """Record every answer that the client gets from now on, unchanged."""
    answers: list[httpx.Response] = []
    client._http.event_hooks = {"response": [answers.append]}
    return answers
