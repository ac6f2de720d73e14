"""`make client` and `make client-revoke` on a deployed stack."""

import json
import uuid

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.desk import make
from tests.end_to_end.examples import example
from tests.stack import AppClient, Stack


def stored(stack: Stack, name: str) -> dict[str, str]:
    content: dict[str, str] = json.loads(
        stack.aws("secretsmanager").get_secret_value(SecretId=f"vezne/clients/{name}")["SecretString"]
    )
    return content


def test_a_client_can_do_what_its_scopes_say_until_it_is_revoked(stack: Stack) -> None:
    name = f"shop-{uuid.uuid4().hex[:8]}"
    made = make(stack, "client", NAME=name, SCOPES="paynet.capture, vezne/operations.read")
    assert made.returncode == 0, made.stderr
    secret = stored(stack, name)
    assert f"client id: {secret['client_id']}" in made.stdout
    assert f"vezne/clients/{name}" in made.stdout
    # Where the secret is, never the secret itself.
    assert secret["client_secret"] not in made.stdout + made.stderr

    scopes = ("vezne/paynet.capture", "vezne/operations.read", f"principal/{name}")
    client = AppClient(secret["client_id"], secret["client_secret"], scopes)
    token, one = stack.token(client), example("paynet.capture")
    assert stack.request("POST", one.path, token=token, key=one.key, body=one.body).status_code == 200
    other = example("haso.set_expenses")
    assert stack.request("POST", other.path, token=token, key=other.key, body=other.body).status_code == 401

    again = make(stack, "client", NAME=name, SCOPES="paynet.capture")
    assert again.returncode == 2
    assert "already" in again.stderr

    revoked = make(stack, "client-revoke", NAME=name)
    assert revoked.returncode == 0, revoked.stderr
    with pytest.raises(httpx.HTTPStatusError):
        stack.token(client)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        stored(stack, name)
    gone = make(stack, "client-revoke", NAME=name)
    assert gone.returncode == 2
    assert "no client" in gone.stderr
    # The name is free again.
    assert make(stack, "client", NAME=name, SCOPES="operations.read").returncode == 0
    assert make(stack, "client-revoke", NAME=name).returncode == 0


def test_the_secret_is_under_the_key_of_the_stacks_own(stack: Stack) -> None:
    name = f"shop-{uuid.uuid4().hex[:8]}"
    assert make(stack, "client", NAME=name, SCOPES="operations.read").returncode == 0
    vault = stack.aws("secretsmanager")
    try:
        ours = vault.describe_secret(SecretId=stack.secrets["paynet"]).get("KmsKeyId")
        assert vault.describe_secret(SecretId=f"vezne/clients/{name}").get("KmsKeyId") == ours
    finally:
        make(stack, "client-revoke", NAME=name)


@pytest.mark.parametrize(
    ("name", "scopes", "reason"),
    [
        ("shop", "paynet.refund", "no operation paynet.refund"),
        ("shop", "", "Name the client's scopes"),
        ("sh op", "paynet.capture", "Name the client with"),
        ("first-client", "paynet.capture", "already"),
        ("standing-order", "paynet.capture", "kept for others"),
    ],
)
def test_a_client_that_cannot_be_made(stack: Stack, name: str, scopes: str, reason: str) -> None:
    made = make(stack, "client", NAME=name, SCOPES=scopes)
    assert made.returncode == 2
    assert reason in made.stderr
    assert "Traceback" not in made.stderr


def test_the_templates_own_client_is_not_revoked(stack: Stack) -> None:
    refused = make(stack, "client-revoke", NAME="first-client")
    assert refused.returncode == 2
    assert "belongs to the template" in refused.stderr
    assert stack.token()


def test_a_stack_that_is_not_there(stack: Stack) -> None:
    refused = make(stack, "client", NAME="shop", SCOPES="paynet.capture", STACK="no-such-stack")
    assert refused.returncode == 2
    assert "no-such-stack cannot be read" in refused.stderr
    assert "Traceback" not in refused.stderr
