"""App clients of a stack: `make client` makes one with the scopes it needs, `make client-revoke` takes it away.

A client's secret goes from the user pool into Secrets Manager, under the key of the stack's own secrets, and is shown
nowhere on the way.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .build import STACK_NAME
from .connection import OperatorError, connect
from .stack import INQUIRIES, OPERATIONS

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# As long as the first client's in the template.
_TOKEN_MINUTES = 15


def read_scopes(text: str) -> list[str]:
    """The scopes of a list like `paynet.capture, operations.read`. Raises OperatorError."""
    names = [name.removeprefix("vezne/") for name in re.split(r"[\s,]+", text.strip()) if name]
    known = {**OPERATIONS, **INQUIRIES}
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        problem = f"There is no operation {', '.join(unknown)}." if unknown else "Name the client's scopes."
        raise OperatorError(f"{problem} There are: {', '.join(known)}")
    return [f"vezne/{name}" for name in dict.fromkeys(names)]


def create(outputs: dict[str, str], stack: str, name: str, scopes: list[str]) -> Iterator[str]:
    """Make the client, put its secret away, and say where; raises OperatorError and leaves nothing half made."""
    if not _NAME.fullmatch(name):
        raise OperatorError("Name the client with up to 64 letters, digits, _ and -.")
    if _find(outputs, name):
        raise OperatorError(f"There is a client {name} already: revoke it first, or choose another name.")
    pool, vault = boto3.client("cognito-idp"), boto3.client("secretsmanager")
    client = pool.create_user_pool_client(
        UserPoolId=outputs["UserPoolId"],
        ClientName=name,
        GenerateSecret=True,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=scopes,
        ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],
        AccessTokenValidity=_TOKEN_MINUTES,
        TokenValidityUnits={"AccessToken": "minutes"},
    )["UserPoolClient"]
    try:
        secret = vault.create_secret(
            Name=_secret_name(stack, name),
            Description=f"App client {name} of the stack {stack}: client_id, client_secret",
            SecretString=json.dumps({"client_id": client["ClientId"], "client_secret": client["ClientSecret"]}),
            **_key_of_the_stack(outputs),
        )
    except (BotoCoreError, ClientError):
        pool.delete_user_pool_client(UserPoolId=outputs["UserPoolId"], ClientId=client["ClientId"])
        raise
    yield f"client id: {client['ClientId']}"
    yield f"scopes:    {' '.join(scopes)}"
    yield f"tokens at: {outputs['TokenUrl']}"
    yield f"secret in: {secret['Name']} (Secrets Manager, {secret['ARN']})"


def revoke(outputs: dict[str, str], stack: str, name: str) -> Iterator[str]:
    """Delete the client, then its secret; what is missing of the two was deleted before. Raises OperatorError."""
    client = _find(outputs, name)
    if client and client == outputs.get("ClientId"):
        raise OperatorError(f"{name} belongs to the template: deploy with FirstClient=false to take it away.")
    vault, secret = boto3.client("secretsmanager"), _secret_name(stack, name)
    try:
        vault.describe_secret(SecretId=secret)
    except vault.exceptions.ResourceNotFoundException:
        if client is None:
            raise OperatorError(f"There is no client {name}.") from None
        secret = ""
    if client:
        boto3.client("cognito-idp").delete_user_pool_client(UserPoolId=outputs["UserPoolId"], ClientId=client)
        yield f"{name} ({client}) gets no more tokens; those it has end within {_TOKEN_MINUTES} minutes."
        yield "Its operations stay in the table: make explain shows them, the API shows them to nobody any more."
    if secret:
        # No recovery: it opens nothing any more, and the name is free for a new client.
        vault.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
        yield f"{secret} is deleted."


def _find(outputs: dict[str, str], name: str) -> str | None:
    """The id of the client of that name. A user pool takes a name twice; we do not."""
    pages = boto3.client("cognito-idp").get_paginator("list_user_pool_clients")
    clients = [it for page in pages.paginate(UserPoolId=outputs["UserPoolId"]) for it in page["UserPoolClients"]]
    ids: list[str] = [it["ClientId"] for it in clients if it["ClientName"] == name]
    return ids[0] if ids else None


def _secret_name(stack: str, name: str) -> str:
    return f"{stack}/clients/{name}"


def _key_of_the_stack(outputs: dict[str, str]) -> dict[str, Any]:
    """The key that the stack's own secrets are under; without one, Secrets Manager's."""
    described = boto3.client("secretsmanager").describe_secret(SecretId=outputs["PaynetSecretArn"])
    return {"KmsKeyId": described["KmsKeyId"]} if described.get("KmsKeyId") else {}


def main() -> int:
    """Parse the command line and print what was done."""
    parser = argparse.ArgumentParser(prog="tests.stack.clients", description=__doc__)
    parser.add_argument("--stack", default="", help="a deployed CloudFormation stack; without it, the local one")
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("create")
    making.add_argument("name")
    making.add_argument("scopes")
    commands.add_parser("revoke").add_argument("name")
    arguments = parser.parse_args()
    stack = arguments.stack or STACK_NAME
    try:
        scopes = read_scopes(arguments.scopes) if arguments.command == "create" else []
        outputs = connect(arguments.stack)
        done = create(outputs, stack, arguments.name, scopes) if scopes else revoke(outputs, stack, arguments.name)
        for line in done:
            print(line)
    except OperatorError as error:
        print(error, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"AWS refused: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
