"""The typed client where the stack is its API and what it hears."""

import httpx
from vezne_cli.stack import AppClient, Stack
from vezne_client import Client, Credentials


def credentials(stack: Stack, client: AppClient | None = None) -> Credentials:
    """Those of the first client, or of another."""
    own = client or stack.first_client
    return Credentials(stack.token_url, own.id, own.secret, own.scopes)


def heard_by(client: Client) -> list[httpx.Response]:
    """Every answer that the client gets from now on, as it came."""
    answers: list[httpx.Response] = []
    client._http.event_hooks = {"response": [answers.append]}
    return answers
