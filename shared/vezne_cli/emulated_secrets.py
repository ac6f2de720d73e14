"""Several secrets of one app client, which Cognito has and MiniStack 1.5.33 has not.

It follows the service's own description in botocore. There are at most two secrets, and the last one cannot be deleted.
A listing has no values. A value that Cognito made is told once. Either secret gets tokens. What each refusal is called
where the description does not say is an assumption.
"""

import time
from collections.abc import Callable
from typing import Any

from ministack.services import cognito

MOST_SECRETS = 2
# Client id -> its secrets, the oldest first, as soon as one of the three calls was made for it.
_secrets: dict[str, list[dict[str, Any]]] = {}
_dispatch_others = cognito._dispatch_idp
_authenticate_one = cognito._authenticate_client


def _add(client: dict[str, Any], data: dict[str, Any]) -> Any:
    secrets = _of(client)
    if len(secrets) >= MOST_SECRETS:
        return _refused("LimitExceededException", "The client has two secrets.")
    made = _secret(client, data.get("ClientSecret") or cognito._client_secret(), cognito._now_epoch())
    secrets.append(made)
    return cognito.json_response({"ClientSecretDescriptor": made if "ClientSecret" not in data else _without(made)})


def _list(client: dict[str, Any], _data: dict[str, Any]) -> Any:
    return cognito.json_response({"ClientSecrets": [_without(secret) for secret in _of(client)]})


def _delete(client: dict[str, Any], data: dict[str, Any]) -> Any:
    secrets = _of(client)
    kept = [secret for secret in secrets if secret["ClientSecretId"] != data.get("ClientSecretId")]
    if len(kept) == len(secrets):
        return _refused("ResourceNotFoundException", "There is no such secret.")
    if not kept:
        return _refused("InvalidParameterException", "The last secret cannot be deleted.")
    _secrets[client["ClientId"]] = kept
    client["ClientSecret"] = kept[0]["ClientSecretValue"]
    return cognito.json_response({})


_CALLS: dict[str, Callable[[dict[str, Any], dict[str, Any]], Any]] = {
    "AddUserPoolClientSecret": _add,
    "ListUserPoolClientSecrets": _list,
    "DeleteUserPoolClientSecret": _delete,
}


async def dispatch(action: str, data: dict[str, Any]) -> Any:
    """Any call of Cognito's user pools: ours, or one of MiniStack's."""
    if action not in _CALLS:
        return await _dispatch_others(action, data)
    pool, error = cognito._resolve_pool(data.get("UserPoolId"))
    if error:
        return error
    client = pool["_clients"].get(data.get("ClientId"))
    if client is None or not client.get("ClientSecret"):
        return _refused("ResourceNotFoundException", "There is no such client with a secret.")
    return _CALLS[action](client, data)


def authenticate(headers: dict[str, Any], form: dict[str, Any]) -> tuple[str, str]:
    """Who asks for a token; whichever of its secrets it gave, MiniStack is told the one that it knows."""
    client_id, given = _authenticate_one(headers, form)
    secrets = _secrets.get(client_id, [])
    if any(secret["ClientSecretValue"] == given for secret in secrets):
        given = secrets[0]["ClientSecretValue"]
    return client_id, given


def install() -> None:
    """Put both into MiniStack's place."""
    cognito._dispatch_idp = dispatch
    cognito._authenticate_client = authenticate


def _of(client: dict[str, Any]) -> list[dict[str, Any]]:
    first = _secret(client, client["ClientSecret"], client["CreationDate"])
    return _secrets.setdefault(client["ClientId"], [first])


def _secret(client: dict[str, Any], value: str, created: float) -> dict[str, Any]:
    return {
        # Finer than the whole second of AWS, so that a test may make two at once.
        "ClientSecretId": f"{client['ClientId']}--{time.time_ns()}",
        "ClientSecretValue": value,
        "ClientSecretCreateDate": created,
    }


def _without(secret: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in secret.items() if name != "ClientSecretValue"}


def _refused(code: str, text: str) -> Any:
    return cognito.error_response_json(code, text, 400)
