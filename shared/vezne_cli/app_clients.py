"""App clients of a stack: made with the scopes they need, given a new secret, listed, taken away.

A client's keys and operations belong to its principal, which outlives its secrets and the client itself
(`principals.py`). A secret goes from the user pool into Secrets Manager, under the key of the stack's own secrets. It
is never shown.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from vezne.orders.record import STANDING_ORDER_CLIENT
from vezne.orders.store import Store

from . import principals
from .catalogue import SCOPES
from .connection import STACK_NAME, OperatorError, aws_time, connect
from .suggestions import none_such
from .unresolved import unresolved

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What Cognito calls a client. Before there were principals, keys belonged to it.
_CLIENT_ID = re.compile(r"[A-Za-z0-9]{26}")
# As long as the first client's in the template.
_TOKEN_MINUTES = 15
# A secret that no version in Secrets Manager names, and that is older, was left by a rotation that broke off.
_ROTATION = timedelta(minutes=5)


@dataclass(frozen=True)
class Registered:
    """A client of the user pool, and what the user pool says of it."""

    name: str
    id: str
    settings: dict[str, Any]

    @property
    def scopes(self) -> list[str]:
        """What it may do, its principal's scope included."""
        return list(self.settings.get("AllowedOAuthScopes", []))

    @property
    def principal(self) -> str:
        """Whose keys it uses. The first client, and one of an earlier version, has those of its id."""
        return principals.principal_of(self.scopes) or self.id


@dataclass(frozen=True)
class Listed:
    """A client as it is listed: with the ages of its secrets, and its principal's unresolved orders."""

    name: str
    id: str
    principal: str
    scopes: list[str]
    ages: list[str]
    unresolved: int

    def lines(self) -> Iterator[str]:
        """For programs: one line for each fact."""
        yield f"{self.name}  {self.id}"
        yield f"  principal   {self.principal}"
        yield f"  scopes      {' '.join(self.scopes)}"
        yield f"  secrets     {self._secrets()}"
        yield f"  unresolved  {self.unresolved}"

    def cells(self) -> tuple[str, ...]:
        """For a table."""
        scopes = "\n".join(scope.removeprefix("vezne/") for scope in self.scopes)
        return self.name, self.id, self.principal, scopes, self._secrets(), str(self.unresolved)

    def _secrets(self) -> str:
        return f"{len(self.ages)}, made {', '.join(self.ages)} ago"


def read_scopes(text: str) -> list[str]:
    """The scopes of a list like `paynet.capture, operations.read`. Raises OperatorError."""
    names = [name.removeprefix("vezne/") for name in re.split(r"[\s,]+", text.strip()) if name]
    for name in names:
        if name not in SCOPES:
            raise OperatorError(none_such("operation", name, SCOPES))
    return [f"vezne/{name}" for name in dict.fromkeys(names)]


class Clients:
    """The clients of one stack. Every method may raise OperatorError, and what botocore raises."""

    def __init__(self, outputs: dict[str, str], stack: str, store: Store) -> None:
        self._outputs = outputs
        self._stack = stack
        self._store = store
        self._pool_id = outputs["UserPoolId"]
        self._pool = boto3.client("cognito-idp")
        self._vault = boto3.client("secretsmanager")

    def create(self, name: str, scopes: list[str], principal: str = "") -> Iterator[str]:
        """Make a client, put its secret away, and say where; what fails leaves nothing half made.

        `principal`: whose keys and operations it takes over; without it, those of its own name.
        """
        everybody = self._all()
        _check_name(name)
        if name in [each.name for each in everybody]:
            raise OperatorError(f"There is a client {name} already: revoke it first, or choose another name.")
        whose = self._chosen_principal(name, principal, everybody)
        earlier = whose != name or principals.scope_of(self._pool, self._pool_id, whose)
        scopes = [*scopes, principals.ensure(self._pool, self._pool_id, whose)]
        client = self._pool.create_user_pool_client(
            UserPoolId=self._pool_id,
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
            (first,) = self._secrets(client["ClientId"])
            secret = self._vault.create_secret(
                Name=self._secret_name(name),
                Description=f"App client {name} of the stack {self._stack}: client_id, client_secret",
                SecretString=_stored(client["ClientId"], client["ClientSecret"], first["ClientSecretId"]),
                **self._key_of_the_stack(),
            )
        except (BotoCoreError, ClientError):
            self._pool.delete_user_pool_client(UserPoolId=self._pool_id, ClientId=client["ClientId"])
            raise
        yield f"client id: {client['ClientId']}"
        yield f"principal: {whose}{', with the keys and operations it has had so far' if earlier else ''}"
        yield f"scopes:    {' '.join(scopes)}"
        yield f"tokens at: {self._outputs['TokenUrl']} (leave `scope` out, or name all of them)"
        yield f"secret in: {secret['Name']} (Secrets Manager, {secret['ARN']})"

    def rotate(self, name: str) -> Iterator[str]:
        """Give the same client a second secret, and put it into Secrets Manager as the new version. Both work."""
        client = self._found(name)
        in_use, others = self._secrets_of(client)
        for other in others:
            if other["ClientSecretCreateDate"] < in_use["ClientSecretCreateDate"]:
                raise OperatorError(f"{name} has two secrets already: vezne client rotate {name} --finish first.")
            # Nobody can have it: it never came into Secrets Manager.
            self._delete_left_over(client, other)
        added = self._pool.add_user_pool_client_secret(UserPoolId=self._pool_id, ClientId=client.id)
        new = added["ClientSecretDescriptor"]
        # If this fails, both secrets stay: perhaps it was written all the same. The next attempt sees which it is.
        self._vault.put_secret_value(
            SecretId=self._secret_name(name),
            SecretString=_stored(client.id, new["ClientSecretValue"], new["ClientSecretId"]),
        )
        yield f"{name}: {self._secret_name(name)} has a new secret. The old one works, too, until it is deleted:"
        yield f"vezne client rotate {name} --finish, when the back end uses the new one."

    def finish_rotation(self, name: str) -> Iterator[str]:
        """Delete every secret of the client but the one in Secrets Manager."""
        client = self._found(name)
        _, others = self._secrets_of(client)
        if not others:
            raise OperatorError(f"{name} has one secret only: there is no rotation to finish.")
        for other in others:
            self._delete(client, other)
            yield f"{name}: the secret of {other['ClientSecretCreateDate']:%Y-%m-%d %H:%M} gets no more tokens."

    def adopt(self, name: str) -> Iterator[str]:
        """Give a client of an earlier version its own id as principal, so that its keys stay the same."""
        client = self._found(name)
        if principals.principal_of(client.scopes):
            yield f"{name} is the principal {client.principal} already."
            return
        scope = principals.ensure(self._pool, self._pool_id, client.id)
        # What is not said again would be reset. An empty text is MiniStack's word for what is not set.
        settable = self._pool.meta.service_model.operation_model("UpdateUserPoolClient").input_shape.members
        kept = {setting: value for setting, value in client.settings.items() if setting in settable and value != ""}
        self._pool.update_user_pool_client(**{**kept, "AllowedOAuthScopes": [*client.scopes, scope]})
        yield f"{name} is the principal {client.id} now: its keys and operations are those it has had so far."
        yield "Tokens that it asks for from now on say so. If it names its scopes, it has to name this one, too."

    def revoke(self, name: str, *, force: bool = False) -> Iterator[str]:
        """Delete the client, then its secret; what is missing of the two was deleted before.

        Refused while its principal has unresolved orders, unless another client can still ask for them, or by `force`.
        """
        client = self._find(name)
        if client and client.id == self._outputs.get("ClientId"):
            raise OperatorError(f"{name} belongs to the template: deploy with FirstClient=false to take it away.")
        secret = self._secret_name(name)
        try:
            self._vault.describe_secret(SecretId=secret)
        except self._vault.exceptions.ResourceNotFoundException:
            if client is None:
                raise OperatorError(f"There is no client {name}.") from None
            secret = ""
        if client:
            if not force:
                self._refuse_while_unresolved(client)
            self._pool.delete_user_pool_client(UserPoolId=self._pool_id, ClientId=client.id)
            yield f"{name} ({client.id}) gets no more tokens; those it has end within {_TOKEN_MINUTES} minutes."
            yield f"Its keys and operations stay {client.principal}'s. A client takes them over by that name:"
            yield f"vezne client create {name} SCOPES... --principal {client.principal}"
        if secret:
            # No recovery: it opens nothing any more, and the name is free for a new client.
            self._vault.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
            yield f"{secret} is deleted."

    def list_all(self) -> Iterator[Listed]:
        """Every client, by name."""
        orders = Counter(record.principal for _, record in unresolved(self._store))
        for client in sorted(self._all(), key=lambda each: each.name):
            listed = self._pool.list_user_pool_client_secrets(UserPoolId=self._pool_id, ClientId=client.id)
            now = aws_time(listed)
            ages = [_age(now - it["ClientSecretCreateDate"]) for it in _by_age(listed)]
            principal = f"{client.principal}{self._without_scope(client)}"
            yield Listed(client.name, client.id, principal, client.scopes, ages, orders[client.principal])

    def describe(self) -> Iterator[str]:
        """Every client, line by line."""
        for client in self.list_all():
            yield from client.lines()

    def _without_scope(self, client: Registered) -> str:
        if principals.principal_of(client.scopes) or client.id == self._outputs.get("ClientId"):
            return ""
        return f": of an earlier version, refused until vezne client adopt {client.name}"

    def _chosen_principal(self, name: str, principal: str, everybody: list[Registered]) -> str:
        if not principal:
            using = [each.name for each in everybody if each.principal == name]
            if using:
                raise OperatorError(f"{name} is the principal of {', '.join(using)}: --principal {name} shares it.")
            return name
        known = principal in [each.principal for each in everybody] or _CLIENT_ID.fullmatch(principal)
        if known or principals.scope_of(self._pool, self._pool_id, principal):
            return principal
        raise OperatorError(f"There is no principal {principal}: vezne client list lists them.")

    def _refuse_while_unresolved(self, client: Registered) -> None:
        if any(each.principal == client.principal for each in self._all() if each.id != client.id):
            return
        theirs = [record.id for _, record in unresolved(self._store) if record.principal == client.principal]
        if theirs:
            raise OperatorError(
                f"{client.name} has {len(theirs)} unresolved orders, and nobody else could ask for them: "
                f"{', '.join(theirs)}\nDecide them (vezne resolve), make a replacement with "
                f"--principal {client.principal}, rotate its secret instead (vezne client rotate), or say --force "
                "(make: FORCE=1)."
            )

    def _secrets_of(self, client: Registered) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The secret that Secrets Manager holds, and the others."""
        vault = self._vault
        try:
            stored = json.loads(vault.get_secret_value(SecretId=self._secret_name(client.name))["SecretString"])
        except vault.exceptions.ResourceNotFoundException:
            raise OperatorError(f"{client.name} was not made by vezne client create: its secret is not here.") from None
        secrets = self._secrets(client.id)
        # A client of an earlier version has not noted it, and had no second secret.
        known = stored.get("client_secret_id", secrets[0]["ClientSecretId"])
        in_use = [secret for secret in secrets if secret["ClientSecretId"] == known]
        if not in_use:
            raise OperatorError(f"{self._secret_name(client.name)} holds a secret that {client.name} has no more.")
        return in_use[0], [secret for secret in secrets if secret["ClientSecretId"] != known]

    def _delete_left_over(self, client: Registered, secret: dict[str, Any]) -> None:
        age = aws_time(self._listed(client.id)) - secret["ClientSecretCreateDate"]
        if age < _ROTATION:
            raise OperatorError(f"{client.name} is being rotated by somebody else; look again in 5 minutes.")
        self._delete(client, secret)

    def _delete(self, client: Registered, secret: dict[str, Any]) -> None:
        self._pool.delete_user_pool_client_secret(
            UserPoolId=self._pool_id, ClientId=client.id, ClientSecretId=secret["ClientSecretId"]
        )

    def _secrets(self, client_id: str) -> list[dict[str, Any]]:
        return _by_age(self._listed(client_id))

    def _listed(self, client_id: str) -> dict[str, Any]:
        listed: dict[str, Any] = self._pool.list_user_pool_client_secrets(UserPoolId=self._pool_id, ClientId=client_id)
        return listed

    def _all(self) -> list[Registered]:
        pages = self._pool.get_paginator("list_user_pool_clients").paginate(UserPoolId=self._pool_id)
        return [self._described(it["ClientName"], it["ClientId"]) for page in pages for it in page["UserPoolClients"]]

    def _described(self, name: str, client_id: str) -> Registered:
        answer = self._pool.describe_user_pool_client(UserPoolId=self._pool_id, ClientId=client_id)
        return Registered(name, client_id, answer["UserPoolClient"])

    def _find(self, name: str) -> Registered | None:
        """The client of that name. A user pool takes a name twice; we do not."""
        return next((each for each in self._all() if each.name == name), None)

    def _found(self, name: str) -> Registered:
        client = self._find(name)
        if client is None:
            raise OperatorError(f"There is no client {name}: vezne client list lists them.")
        return client

    def _secret_name(self, name: str) -> str:
        return f"{self._stack}/clients/{name}"

    def _key_of_the_stack(self) -> dict[str, Any]:
        """The key that the stack's own secrets are under; without one, Secrets Manager's."""
        described = self._vault.describe_secret(SecretId=self._outputs["PaynetSecretArn"])
        return {"KmsKeyId": described["KmsKeyId"]} if described.get("KmsKeyId") else {}


def open_clients(stack: str) -> Clients:
    """The clients of a deployed stack, or of the local one if no name is given. Raises OperatorError."""
    outputs = connect(stack)
    return Clients(outputs, stack or STACK_NAME, Store())


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise OperatorError("Name the client with up to 64 letters, digits, _ and -.")
    if name == STANDING_ORDER_CLIENT or _CLIENT_ID.fullmatch(name):
        raise OperatorError(f"{name} is kept for others: standing orders, and clients of earlier versions by their id.")


def _stored(client_id: str, secret: str, secret_id: str) -> str:
    """What Secrets Manager holds of a client. `client_secret_id` tells a later rotation which secret it is."""
    return json.dumps({"client_id": client_id, "client_secret": secret, "client_secret_id": secret_id})


def _by_age(listed: dict[str, Any]) -> list[dict[str, Any]]:
    """The secrets in an answer of Cognito, the oldest first."""
    return sorted(listed["ClientSecrets"], key=lambda secret: secret["ClientSecretCreateDate"])


def _age(age: timedelta) -> str:
    # The time of an answer has whole seconds, that of a secret has parts of them.
    age = max(age, timedelta())
    if age.days:
        return f"{age.days} d"
    return f"{age.seconds // 3600} h {age.seconds // 60 % 60} m"
