"""`make client` and its related targets on a deployed stack: what each client may do, and whose keys they are."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from vezne.orders.record import operation_id as named_by
from vezne_cli.catalogue import ORDERS
from vezne_cli.stack import AppClient, Stack

from tests.end_to_end.make_targets import make
from tests.support.order import Order, new_order


def stored(stack: Stack, name: str) -> dict[str, str]:
    content: dict[str, str] = json.loads(
        stack.aws("secretsmanager").get_secret_value(SecretId=f"vezne/clients/{name}")["SecretString"]
    )
    return content


def made(stack: Stack, name: str, *operations: str, **variables: str) -> AppClient:
    """Make a client of that name. Returns it as its back end knows it."""
    done = make(stack, "client", NAME=name, SCOPES=" ".join(operations), **variables)
    assert done.returncode == 0, done.stderr
    return known(stack, name)


def known(stack: Stack, name: str) -> AppClient:
    secret = stored(stack, name)
    return AppClient(secret["client_id"], secret["client_secret"], ())


def send(stack: Stack, client: AppClient, one: Order) -> Any:
    return stack.request("POST", one.path, token=token_of(stack, client), key=one.key, body=one.body)


def token_of(stack: Stack, client: AppClient) -> str:
    """A token with all scopes of the client, since the request names none."""
    answer = stack.http.post(
        stack.token_url,
        auth=(client.id, client.secret),
        data={"grant_type": "client_credentials"},
    )
    answer.raise_for_status()
    return str(answer.json()["access_token"])


@pytest.fixture
def name(stack: Stack) -> Iterator[str]:
    """The name of a client that is deleted after the test."""
    chosen = f"shop-{uuid.uuid4().hex[:8]}"
    yield chosen
    make(stack, "client-revoke", NAME=chosen, FORCE="1")


def lost(stack: Stack, client: AppClient, operation: str) -> tuple[Order, str]:
    """An order that was booked, but whose answer was lost, and its operation id."""
    one = new_order(operation, sandbox=stack.sandbox)
    stack.sandbox.rule(operation, "reset")
    answer = send(stack, client, one)
    assert answer.status_code == 202, answer.text
    assert len(stack.sandbox.bookings(one.provider, one.reference)) == 1
    return one, answer.json()["operation_id"]


def assert_not_sent_again(stack: Stack, client: AppClient, one: Order, operation_id: str) -> None:
    again = send(stack, client, one)
    assert again.status_code in (200, 202), again.text
    assert again.json()["operation_id"] == operation_id
    assert len(stack.sandbox.bookings(one.provider, one.reference)) == 1


# ------------------------------------------------------------------ keys outlive secrets and clients


@pytest.mark.parametrize("operation", ORDERS)
def test_a_rotation_between_a_lost_answer_and_the_retry_sends_nothing_again(
    stack: Stack, name: str, operation: str
) -> None:
    before = made(stack, name, operation)
    one, operation_id = lost(stack, before, operation)
    rotated = make(stack, "client-rotate", NAME=name)
    assert rotated.returncode == 0, rotated.stderr
    after = known(stack, name)
    assert (after.id, after.secret == before.secret) == (before.id, False)
    # For some time, each back end works with the secret that it has.
    assert_not_sent_again(stack, before, one, operation_id)
    assert_not_sent_again(stack, after, one, operation_id)
    finished = make(stack, "client-rotate", NAME=name, FINISH="1")
    assert finished.returncode == 0, finished.stderr
    with pytest.raises(httpx.HTTPStatusError):
        token_of(stack, before)
    assert_not_sent_again(stack, after, one, operation_id)
    for done in (rotated, finished):
        assert before.secret not in done.stdout + done.stderr
        assert after.secret not in done.stdout + done.stderr


@pytest.mark.parametrize("operation", ORDERS)
def test_a_client_made_again_under_its_name_sends_nothing_again(stack: Stack, name: str, operation: str) -> None:
    before = made(stack, name, operation)
    one, operation_id = lost(stack, before, operation)
    refused = make(stack, "client-revoke", NAME=name)
    assert refused.returncode == 2
    assert operation_id in refused.stderr
    assert token_of(stack, before)
    assert make(stack, "client-revoke", NAME=name, FORCE="1").returncode == 0
    after = made(stack, name, operation)
    assert after.id != before.id
    assert_not_sent_again(stack, after, one, operation_id)


def test_a_replacement_under_another_name_sends_nothing_again(stack: Stack, name: str) -> None:
    operation = "kolaybi.collect"
    before = made(stack, f"{name}-old", operation)
    one, operation_id = lost(stack, before, operation)
    after = made(stack, name, operation, PRINCIPAL=f"{name}-old")
    # Now a client exists that can ask for these orders.
    assert make(stack, "client-revoke", NAME=f"{name}-old").returncode == 0
    assert_not_sent_again(stack, after, one, operation_id)


def test_a_client_of_an_earlier_version_keeps_its_keys(stack: Stack, name: str) -> None:
    old = stack.aws("cognito-idp").create_user_pool_client(
        UserPoolId=stack.outputs["UserPoolId"],
        ClientName=name,
        GenerateSecret=True,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=["vezne/kolaybi.collect"],
    )["UserPoolClient"]
    client = AppClient(old["ClientId"], old["ClientSecret"], ())
    assert send(stack, client, new_order("kolaybi.collect")).status_code == 403
    adopted = make(stack, "client-adopt", NAME=name)
    assert adopted.returncode == 0, adopted.stderr
    one = new_order("kolaybi.collect")
    operation_id = send(stack, client, one).json()["operation_id"]
    # The name that the earlier version gave it.
    assert operation_id == named_by(client.id, "kolaybi.collect", one.key)
    listed = make(stack, "clients").stdout
    assert f"{name}  {client.id}\n  principal   {client.id}\n" in listed
    assert "first-client  " in listed


# ------------------------------------------------------------------ scopes and secrets


def test_a_client_can_do_what_its_scopes_say_until_it_is_revoked(stack: Stack) -> None:
    name = f"shop-{uuid.uuid4().hex[:8]}"
    made = make(stack, "client", NAME=name, SCOPES="paynet.capture, vezne/operations.read")
    assert made.returncode == 0, made.stderr
    secret = stored(stack, name)
    assert f"client id: {secret['client_id']}" in made.stdout
    assert f"vezne/clients/{name}" in made.stdout
    # The command shows where the secret is, and never the secret.
    assert secret["client_secret"] not in made.stdout + made.stderr

    scopes = ("vezne/paynet.capture", "vezne/operations.read", f"principal/{name}")
    client = AppClient(secret["client_id"], secret["client_secret"], scopes)
    token, one = stack.token(client), new_order("paynet.capture")
    assert stack.request("POST", one.path, token=token, key=one.key, body=one.body).status_code == 200
    other = new_order("haso.set_expenses")
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
    # The name can be used again.
    assert make(stack, "client", NAME=name, SCOPES="operations.read").returncode == 0
    assert make(stack, "client-revoke", NAME=name).returncode == 0


def test_the_secret_is_encrypted_with_the_stacks_own_key(stack: Stack) -> None:
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
        ("shop", "", "Missing argument 'SCOPES...'"),
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
    assert "There is no stack no-such-stack" in refused.stderr
    assert "Traceback" not in refused.stderr
