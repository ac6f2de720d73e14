"""App clients: whose keys they use, and what is left when a step between Cognito and Secrets Manager fails."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from vezne_cli import app_clients as tool
from vezne_cli.app_clients import Clients
from vezne_cli.connection import OperatorError

from tests.support.cognito import cognito
from tests.support.harness import Harness, secrets_client
from tests.support.operations import EXAMPLES
from tests.support.provider_server import HANG_UP

(COLLECT,) = [example for example in EXAMPLES if example.operation == "kolaybi.collect"]
SCOPES = ["vezne/paynet.capture"]


class Operator:
    """An operator who runs the commands, with a separate user pool."""

    def __init__(self, harness: Harness, set_attribute: Callable[..., None]) -> None:
        self.pool, self.vault = cognito(), secrets_client()
        self.pool_id = self.pool.create_user_pool(PoolName="vezne")["UserPool"]["Id"]
        paynet = self.vault.create_secret(Name="vezne/of-the-stack", SecretString="{}")["ARN"]
        first = self.made("first-client", [*SCOPES])
        outputs = {
            "UserPoolId": self.pool_id,
            "PaynetSecretArn": paynet,
            "TokenUrl": "https://login.example.com",
            "ClientId": first,
        }
        set_attribute(tool.boto3, "client", {"cognito-idp": self.pool, "secretsmanager": self.vault}.__getitem__)
        self.clients = Clients(outputs, "vezne", harness.store)

    def made(self, name: str, scopes: list[str], **settings: Any) -> str:
        """The id of a client that the tool did not make, like the clients of an earlier version."""
        own = {"UserPoolId": self.pool_id, "ClientName": name, "GenerateSecret": True, "AllowedOAuthScopes": scopes}
        made = self.pool.create_user_pool_client(**own, **settings)["UserPoolClient"]
        return str(made["ClientId"])

    def run(self, command: str, *arguments: Any, **options: Any) -> str:
        return "\n".join(getattr(self.clients, command)(*arguments, **options))

    def settings(self, name: str) -> dict[str, Any]:
        return self.clients._found(name).settings

    def stored(self, name: str) -> dict[str, str]:
        content: dict[str, str] = json.loads(
            self.vault.get_secret_value(SecretId=f"vezne/clients/{name}")["SecretString"]
        )
        return content

    def secret_ids(self, name: str) -> list[str]:
        listed = self.pool.list_user_pool_client_secrets(
            UserPoolId=self.pool_id, ClientId=self.settings(name)["ClientId"]
        )["ClientSecrets"]
        return [secret["ClientSecretId"] for secret in listed]


@pytest.fixture
def operator(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Operator:
    return Operator(harness, monkeypatch.setattr)


def lost(harness: Harness, principal: str, key: str = "key-1") -> str:
    """Make an order of this principal whose answer is lost. Return its operation id."""
    harness.server.on(COLLECT.route, HANG_UP)
    return str(harness.send(COLLECT, key=key, client=principal).body["operation_id"])


def failing(operator: Operator, service: Any, name: str, *, applied: bool = False) -> Callable[[], None]:
    """Let a call fail from now on. `applied`: AWS does it, but the answer is lost. Return a function that ends this."""
    works = getattr(service, name)

    def fail(**request: Any) -> None:
        if applied:
            works(**request)
        raise ClientError({"Error": {"Code": "InternalServiceError", "Message": "no"}}, name)

    setattr(service, name, fail)
    return lambda: setattr(service, name, works)


def rotation_that_fails(operator: Operator, *, applied: bool = False) -> dict[str, str]:
    """Let a client's rotation fail where its new secret is stored. Return the secret stored before."""
    operator.run("create", "shop", SCOPES)
    before = operator.stored("shop")
    heal = failing(operator, operator.vault, "put_secret_value", applied=applied)
    with pytest.raises(ClientError):
        operator.run("rotate", "shop")
    heal()
    return before


# ------------------------------------------------------------------ whose keys


def test_a_client_that_is_made_again_keeps_the_keys_of_its_name(operator: Operator) -> None:
    assert "principal: shop\n" in operator.run("create", "shop", SCOPES)
    first = operator.settings("shop")
    assert first["AllowedOAuthScopes"] == ["vezne/paynet.capture", "principal/shop"]
    operator.run("revoke", "shop")
    assert "principal: shop, with the keys" in operator.run("create", "shop", SCOPES)
    second = operator.settings("shop")
    assert second["ClientId"] != first["ClientId"]
    assert second["AllowedOAuthScopes"] == first["AllowedOAuthScopes"]


def test_a_replacement_takes_over_the_keys_of_another_name_or_of_an_old_id(operator: Operator) -> None:
    operator.run("create", "shop", SCOPES)
    operator.run("create", "shop-2", SCOPES, "shop")
    assert operator.settings("shop-2")["AllowedOAuthScopes"][-1] == "principal/shop"
    old = operator.made("old", [*SCOPES])
    operator.run("revoke", "old")
    operator.run("create", "new", SCOPES, old)
    assert operator.settings("new")["AllowedOAuthScopes"][-1] == f"principal/{old}"


def test_keys_are_not_shared_by_mistake(operator: Operator) -> None:
    with pytest.raises(OperatorError, match="no principal shpo"):
        operator.run("create", "shop", SCOPES, "shpo")
    operator.run("create", "shop", SCOPES)
    operator.run("create", "till", SCOPES, "shop")
    operator.run("revoke", "shop")
    with pytest.raises(OperatorError, match="shop is the principal of till: --principal shop"):
        operator.run("create", "shop", SCOPES)
    operator.run("create", "shop", SCOPES, "shop")


@pytest.mark.parametrize("name", ["standing-order", "3njcavxk5jne7f7qg6r75dqs4w", "", "sh op", "x" * 65])
def test_a_name_that_no_client_may_have(operator: Operator, name: str) -> None:
    with pytest.raises(OperatorError):
        operator.run("create", name, SCOPES)
    with pytest.raises(OperatorError):
        operator.run("create", "shop", SCOPES, "standing-order")


def test_a_client_of_an_earlier_version_keeps_its_keys_and_every_setting(operator: Operator) -> None:
    settings = {
        "AllowedOAuthFlows": ["client_credentials"],
        "AllowedOAuthFlowsUserPoolClient": True,
        "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"],
        "AccessTokenValidity": 60,
        "TokenValidityUnits": {"AccessToken": "minutes"},
    }
    old = operator.made("old", [*SCOPES], **settings)
    before = operator.settings("old")
    assert "refused until vezne client adopt old" in operator.run("describe")
    assert f"principal {old} now" in operator.run("adopt", "old")
    after = operator.settings("old")
    assert after.pop("AllowedOAuthScopes") == ["vezne/paynet.capture", f"principal/{old}"]
    changed = {name for name in before if name in after and before[name] != after[name]}
    assert changed <= {"LastModifiedDate"}
    assert before.keys() - after.keys() == {"AllowedOAuthScopes"}
    assert "already" in operator.run("adopt", "old")
    assert "refused until" not in operator.run("describe").partition("old")[2]
    with pytest.raises(OperatorError, match="no client nobody"):
        operator.run("adopt", "nobody")


# ------------------------------------------------------------------ a new secret


def test_a_rotation_keeps_both_secrets_until_it_is_finished(operator: Operator) -> None:
    operator.run("create", "shop", SCOPES)
    before = operator.stored("shop")
    said = operator.run("rotate", "shop")
    after = operator.stored("shop")
    assert after["client_id"] == before["client_id"]
    assert after["client_secret"] != before["client_secret"]
    assert after["client_secret"] not in said
    assert operator.secret_ids("shop") == [before["client_secret_id"], after["client_secret_id"]]
    with pytest.raises(OperatorError, match="two secrets already"):
        operator.run("rotate", "shop")
    assert "gets no more tokens" in operator.run("finish_rotation", "shop")
    assert operator.secret_ids("shop") == [after["client_secret_id"]]
    with pytest.raises(OperatorError, match="no rotation to finish"):
        operator.run("finish_rotation", "shop")
    assert operator.stored("shop") == after


def test_a_client_of_an_earlier_version_is_rotated_too(operator: Operator) -> None:
    client_id = operator.made("old", [*SCOPES])
    text = json.dumps({"client_id": client_id, "client_secret": operator.settings("old")["ClientSecret"]})
    operator.vault.create_secret(Name="vezne/clients/old", SecretString=text)
    operator.run("rotate", "old")
    operator.run("finish_rotation", "old")
    assert operator.secret_ids("old") == [operator.stored("old")["client_secret_id"]]
    assert operator.stored("old")["client_id"] == client_id


def test_a_rotation_that_failed_before_the_secret_was_stored_is_done_again(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rotation_that_fails(operator)
    assert operator.stored("shop") == before
    # Another operator may be between the two steps now.
    with pytest.raises(OperatorError, match="rotated by somebody else"):
        operator.run("rotate", "shop")
    monkeypatch.setattr(tool, "_ROTATION", timedelta(seconds=-60))
    operator.run("rotate", "shop")
    assert operator.secret_ids("shop") == [before["client_secret_id"], operator.stored("shop")["client_secret_id"]]


def test_finishing_never_deletes_the_stored_secret(operator: Operator) -> None:
    before = rotation_that_fails(operator)
    operator.run("finish_rotation", "shop")
    assert operator.secret_ids("shop") == [before["client_secret_id"]]


def test_a_secret_that_was_stored_with_a_lost_answer_stays(operator: Operator) -> None:
    rotation_that_fails(operator, applied=True)
    assert len(operator.secret_ids("shop")) == 2
    operator.run("finish_rotation", "shop")
    assert operator.secret_ids("shop") == [operator.stored("shop")["client_secret_id"]]


def test_what_cannot_be_rotated(operator: Operator) -> None:
    with pytest.raises(OperatorError, match="not made by vezne client create"):
        operator.run("rotate", "first-client")
    with pytest.raises(OperatorError, match="no client till: vezne client list"):
        operator.run("rotate", "till")


def test_a_client_whose_secret_cannot_be_stored_is_not_made(operator: Operator) -> None:
    heal = failing(operator, operator.vault, "create_secret")
    with pytest.raises(ClientError):
        operator.run("create", "shop", SCOPES)
    heal()
    assert "shop" not in operator.run("describe")
    operator.run("create", "shop", SCOPES)


# ------------------------------------------------------------------ removed


def test_a_client_with_unresolved_orders_is_not_removed(harness: Harness, operator: Operator) -> None:
    operator.run("create", "shop", SCOPES)
    operator.run("create", "web", SCOPES)
    first, second, other = lost(harness, "shop"), lost(harness, "shop", "key-2"), lost(harness, "web")
    with pytest.raises(OperatorError, match="shop has 2 unresolved orders") as refused:
        operator.run("revoke", "shop")
    assert first in str(refused.value)
    assert second in str(refused.value)
    assert other not in str(refused.value)
    assert operator.stored("shop")
    said = operator.run("revoke", "shop", force=True)
    assert "vezne client create shop SCOPES... --principal shop" in said
    with pytest.raises(OperatorError, match="no client shop"):
        operator.run("revoke", "shop")


def test_the_orders_of_a_client_of_an_earlier_version_are_those_of_its_id(harness: Harness, operator: Operator) -> None:
    old = operator.made("old", [*SCOPES])
    operation_id = lost(harness, old)
    with pytest.raises(OperatorError, match=operation_id):
        operator.run("revoke", "old")


def test_a_client_with_a_replacement_may_be_removed(harness: Harness, operator: Operator) -> None:
    operator.run("create", "shop", SCOPES)
    lost(harness, "shop")
    operator.run("create", "shop-2", SCOPES, "shop")
    operator.run("revoke", "shop")
    with pytest.raises(OperatorError, match="unresolved"):
        operator.run("revoke", "shop-2")


def test_the_list_shows_everything_except_secrets(harness: Harness, operator: Operator) -> None:
    operator.run("create", "shop", [*SCOPES, "vezne/operations.read"])
    operator.run("rotate", "shop")
    lost(harness, "shop")
    said = operator.run("describe")
    assert [line.split()[0] for line in said.splitlines() if not line.startswith(" ")] == ["first-client", "shop"]
    theirs = said[said.index("shop  ") :].splitlines()
    assert theirs == [
        f"shop  {operator.settings('shop')['ClientId']}",
        "  principal   shop",
        "  scopes      vezne/paynet.capture vezne/operations.read principal/shop",
        "  secrets     2, made 0 h 0 m, 0 h 0 m ago",
        "  unresolved  1",
    ]
    assert operator.stored("shop")["client_secret"] not in said
