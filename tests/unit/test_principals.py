"""Which scope names a principal, and where it finds room."""

from typing import Any

import pytest
from vezne_cli import principals
from vezne_cli.connection import OperatorError

from tests.support.cognito import cognito


@pytest.fixture
def pool() -> tuple[Any, str]:
    client = cognito()
    return client, client.create_user_pool(PoolName="vezne")["UserPool"]["Id"]


def scopes(pool: tuple[Any, str]) -> dict[str, list[str]]:
    client, pool_id = pool
    servers = client.list_resource_servers(UserPoolId=pool_id)["ResourceServers"]
    return {server["Identifier"]: [scope["ScopeName"] for scope in server["Scopes"]] for server in servers}


def test_a_principal_has_one_scope_for_ever(pool: tuple[Any, str]) -> None:
    assert principals.scope_of(*pool, "shop") is None
    assert principals.ensure(*pool, "shop") == "principal/shop"
    assert principals.ensure(*pool, "web") == "principal/web"
    assert principals.ensure(*pool, "shop") == principals.scope_of(*pool, "shop") == "principal/shop"
    assert scopes(pool) == {"principal": ["shop", "web"]}


def test_a_full_resource_server_is_followed_by_another(pool: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(principals, "SCOPES_PER_SERVER", 2)
    monkeypatch.setattr(principals, "SERVERS", principals.SERVERS[:2])
    made = [principals.ensure(*pool, name) for name in ("a", "b", "c", "d")]
    assert made == ["principal/a", "principal/b", "principal-2/c", "principal-2/d"]
    assert principals.ensure(*pool, "a") == "principal/a"
    with pytest.raises(OperatorError, match="4 principals"):
        principals.ensure(*pool, "e")
    assert scopes(pool) == {"principal": ["a", "b"], "principal-2": ["c", "d"]}


def test_a_scope_that_another_operator_overwrites_is_made_again(
    pool: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, pool_id = pool
    principals.ensure(*pool, "first")
    update, overwritten = client.update_resource_server, []

    def update_and_lose(**content: Any) -> Any:
        answer = update(**content)
        if not overwritten:
            overwritten.append(update(**{**content, "Scopes": content["Scopes"][:1]}))
        return answer

    monkeypatch.setattr(client, "update_resource_server", update_and_lose)
    assert principals.ensure(client, pool_id, "second") == "principal/second"
    assert scopes(pool) == {"principal": ["first", "second"]}
    monkeypatch.setattr(client, "update_resource_server", lambda **_: None)
    with pytest.raises(OperatorError, match="somebody else"):
        principals.ensure(client, pool_id, "third")


@pytest.mark.parametrize(
    ("held", "principal"),
    [
        (["vezne/paynet.capture", "principal/shop"], "shop"),
        (["principal-2/shop.web"], "shop.web"),
        (["vezne/paynet.capture"], None),
        (["principals/shop", "vezne/principal/shop", "principal/"], None),
    ],
)
def test_the_principal_in_a_clients_scopes(held: list[str], principal: str | None) -> None:
    assert principals.principal_of(held) == principal
