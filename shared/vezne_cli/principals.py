"""Principals: whose idempotency keys and operations they are, whatever client and secret the caller has now.

A token names its principal by one scope, `principal/<name>`, of a resource server that this module makes and extends.
The template does not know it, so no deployment takes a scope away. Cognito allows 100 scopes in a resource server, and
25 resource servers in a pool. When `principal` is full, `principal-2` follows, up to `principal-20`: 2,000 principals.
A name is never taken out again: a later client of that name must find the keys of the earlier one.

Quotas: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
"""

import re
from collections.abc import Iterable
from typing import Any

from .connection import OperatorError

SCOPES_PER_SERVER = 100
SERVERS = tuple("principal" if number == 1 else f"principal-{number}" for number in range(1, 21))
_SCOPE = re.compile(r"principal(?:-[0-9]+)?/(.+)")
# Two operators who extend a server at the same time overwrite each other: Cognito has no condition for it.
_TRIES = 3


def principal_of(scopes: Iterable[str]) -> str | None:
    """The principal that these scopes name; None if there is none."""
    named = [found[1] for scope in scopes if (found := _SCOPE.fullmatch(scope))]
    return named[0] if named else None


def scope_of(pool: Any, pool_id: str, principal: str) -> str | None:
    """The scope of a principal that is known to the user pool; `pool` is a boto3 client of Cognito."""
    found = [name for name, scopes in _servers(pool, pool_id).items() if principal in scopes]
    return f"{found[0]}/{principal}" if found else None


def ensure(pool: Any, pool_id: str, principal: str) -> str:
    """The scope of a principal, made if it is not there yet. Raises OperatorError."""
    for _ in range(_TRIES):
        scope = scope_of(pool, pool_id, principal)
        if scope:
            return scope
        _add(pool, pool_id, principal)
    raise OperatorError(f"The scope of {principal} was taken away again: somebody else is making clients, too.")


def _add(pool: Any, pool_id: str, principal: str) -> None:
    servers = _servers(pool, pool_id)
    for name in SERVERS:
        listed = [*servers.get(name, []), principal]
        if len(listed) > SCOPES_PER_SERVER:
            continue
        content = {
            "UserPoolId": pool_id,
            "Identifier": name,
            "Name": name,
            "Scopes": [{"ScopeName": it, "ScopeDescription": f"Keys and operations of {it}"} for it in listed],
        }
        if name in servers:
            pool.update_resource_server(**content)
        else:
            pool.create_resource_server(**content)
        return
    raise OperatorError(f"There are {len(SERVERS) * SCOPES_PER_SERVER} principals: a user pool has room for no more.")


def _servers(pool: Any, pool_id: str) -> dict[str, list[str]]:
    """The principals in each of our resource servers, in order of the servers."""
    pages = pool.get_paginator("list_resource_servers").paginate(UserPoolId=pool_id)
    listed = {
        server["Identifier"]: [scope["ScopeName"] for scope in server.get("Scopes", [])]
        for page in pages
        for server in page["ResourceServers"]
    }
    return {name: listed[name] for name in SERVERS if name in listed}
