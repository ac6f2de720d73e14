"""A harness for one function: moto's table and secrets, a recording provider, a clock that only tests move."""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError
from vezne.operation import Operation, Order
from vezne.orders import breaker, census, store as store_module
from vezne.orders.breaker_item import BreakerItem, breaker_id, from_item
from vezne.orders.record import PROCESSING, Record
from vezne.orders.store import Store
from vezne.platform import telemetry
from vezne.providers.haso import client as haso
from vezne.providers.kolaybi import client as kolaybi
from vezne.providers.paynet import client as paynet
from vezne.providers.vakifbank import client as vakifbank
from vezne.providers.walletgate import client as walletgate
from vezne_cli.catalogue import load
from vezne_cli.template import source
from vezne_client import Problem

from tests.support.breakers import never_opens
from tests.support.example import Example
from tests.support.operations import EXAMPLES
from tests.support.order import Order as NewOrder
from tests.support.provider_server import ProviderServer, json_reply
from tests.support.providers import LOGINS, SECRETS

ROOT = Path(__file__).parents[2]
START = 1_796_104_800.0  # 2026-12-01T06:00:00Z
TABLE = "vezne-records"
# The time that the function has left: a number, or a function that the test controls.
Seconds = float | Callable[[], float]
_CLIENTS = (kolaybi.CLIENT, vakifbank.CLIENT, walletgate.CLIENT, haso.CLIENT, paynet.CLIENT)
_PROVIDERS = (*(client.provider for client in _CLIENTS), walletgate.IDENTITY)


def load_function(name: str) -> ModuleType:
    """Load functions/<name>/app.py as a separate module."""
    return load(ROOT / "functions" / name / "app.py")


def operation_of(name: str) -> Operation[Any, Any, Any]:
    """A new instance of a function's operation."""
    module = load_function(name)
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
    (kind,) = [kind for kind in kinds if issubclass(kind, Operation)]
    return kind()


@functools.cache
def table_of_the_template() -> dict[str, Any]:
    """The keys and the index of the table in template.yaml."""
    properties = source()["Resources"]["IdempotencyRecords"]["Properties"]
    parts = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    return {part: properties[part] for part in parts}


# The tests have their own clients. Their calls are not counted and never fail. To make one takes longer than most
# tests, so they are kept.
@functools.cache
def table_client() -> Any:
    return boto3.client("dynamodb")


@functools.cache
def secrets_client() -> Any:
    return boto3.client("secretsmanager")


class Clock:
    """Seconds since 1970. Only the test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Context:
    """The part of Lambda's context that a handler uses."""

    def __init__(self, seconds: Seconds = 27.0) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self._seconds() if callable(self._seconds) else self._seconds) * 1000)


@dataclass(frozen=True)
class Response:
    """An answer to API Gateway, read as a client would."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def replayed(self) -> bool:
        return self.headers.get("Idempotent-Replayed") == "true"

    @property
    def slug(self) -> str:
        """The slug of the problem; empty if the answer is no problem."""
        return Problem(self.body).slug


def api_event(
    path: str,
    path_parameters: dict[str, str] | None,
    body: str | None,
    *,
    key: str | None = "key-1",
    client: str | None = "client-1",
    headers: dict[str, str] | None = None,
    called_as: str | None = None,
    scope: str | None = None,
) -> dict[str, Any]:
    """What API Gateway sends for one HTTP request. `called_as`: the path in the client's URL.

    The token's principal has the name of its client, unless `scope` says otherwise.
    """
    claims = {"client_id": client, "scope": scope or f"vezne/any principal/{client}"}
    given = {"Content-Type": "application/json", **({} if key is None else {"Idempotency-Key": key}), **(headers or {})}
    return {
        "path": path,
        "headers": given,
        "multiValueHeaders": {name: [value] for name, value in given.items()},
        "pathParameters": path_parameters or None,
        "requestContext": {
            "path": called_as or f"/v1{path}",
            "stage": "v1",
            "authorizer": {"claims": {} if client is None else claims},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def sweep_event() -> dict[str, Any]:
    return {"detail-type": "Scheduled Event", "source": "aws.events", "time": "2026-12-01T06:00:00Z", "detail": {}}


class Harness:
    """Runs the handlers against moto and the recording provider, and reads what they left in the table."""

    def __init__(self, server: ProviderServer, set_variable: Callable[[str, str], None]) -> None:
        self.server = server
        self.clock = Clock()
        self.store = Store(self.clock)
        self._set_variable = set_variable
        self._functions: dict[str, ModuleType] = {}
        self.table_calls: list[str] = []
        self._faults: dict[str, list[str]] = {}
        self._actions: dict[str, Callable[[dict[str, Any]], None]] = {}
        self._secret_ids: dict[str, str] = {}
        self._create_table()
        self.token_secret = secrets_client().create_secret(Name="vezne/token", SecretString="{}")["ARN"]
        self._set_variable("LOGIN_SECRET_ID", self.token_secret)
        events = store_module._client().meta.events
        events.register("before-call.dynamodb", self._before)
        events.register("after-call.dynamodb", self._after)
        for route, answer in LOGINS.values():
            server.on(route, json_reply(answer))
        for example in EXAMPLES:
            if example.asked_first:
                server.on(*example.asked_first)

    def close(self) -> None:
        events = store_module._client().meta.events
        events.unregister("before-call.dynamodb", self._before)
        events.unregister("after-call.dynamodb", self._after)

    def handle(self, function: str, event: dict[str, Any], seconds: Seconds = 27.0) -> Any:
        """Invoke a function as Lambda does."""
        module = self._module(function)
        provider = function.partition("_")[0]
        if provider in SECRETS:
            self.use_secret(provider)
        return module.handler(event, Context(seconds))

    def use_secret(self, provider: str) -> None:
        """Give this process the provider's secret, as its functions have it."""
        self._set_variable("SECRET_ID", self._secret_id(provider))

    def _module(self, function: str) -> ModuleType:
        if function not in self._functions:
            self._functions[function] = load_function(function)
        return self._functions[function]

    def send(
        self,
        example: Example,
        body: dict[str, Any] | None = None,
        *,
        seconds: Seconds = 27.0,
        text: str | None = None,
        path_parameters: dict[str, str] | None = None,
        **event: Any,
    ) -> Response:
        """Send an order through the API."""
        content = text if text is not None else json.dumps(body if body is not None else example.body)
        parameters = example.path_parameters if path_parameters is None else path_parameters
        return _response(self.handle(example.function, api_event("/route", parameters, content, **event), seconds))

    def send_order(self, order: NewOrder) -> Response:
        """Send a new order."""
        event = api_event("/route", order.path_parameters, json.dumps(order.body), key=order.key)
        return _response(self.handle(order.example.function, event))

    def order(self, example: Example, key: str = "key-1", client: str = "client-1") -> Order[Any]:
        """The example order in the form of `orders/execute.py`."""
        return example.known(operation_of(example.function), key, client)

    def stand(
        self, example: Example, *, lease: float = 27.0, owner: str = "another invocation", **order: str
    ) -> Record:
        """Put the example order's record into the table as another invocation would have claimed it."""
        operation, known = operation_of(example.function), self.order(example, **order)
        until = self.clock.now + lease
        record = Record(
            id=known.operation_id,
            operation=operation.name,
            principal=known.principal,
            fingerprint=known.earlier_fingerprint,
            sent_fingerprint=known.fingerprint,
            status=PROCESSING,
            owner=owner,
            lease_until=until,
            may_arrive_until=until,
            created_at=self.clock.now,
            updated_at=self.clock.now,
            lookup_fields=operation.lookup_fields(known),
            guards=tuple(guard.stored() for guard in operation.guards(known)),
            next_look_up=until + 3,
        )
        assert self.store.claim(record) is None
        self.table_calls.clear()
        return record

    def sweep(self, example: Example, seconds: Seconds = 58.0, worker: tuple[int, int] | None = None) -> dict[str, int]:
        """Sweep as the only worker, as a rule of an earlier version asks, or as worker n of so many."""
        if worker is None:
            event = sweep_event()
        else:
            number, of = worker
            event = {"sweep": {"worker": number, "of": of}}
        return self.handle(example.function, event, seconds)

    def standing_order(self, example: Example, content: Any, seconds: Seconds = 27.0) -> dict[str, Any]:
        return self.handle(example.function, {"standing_order": content}, seconds)

    def read(self, operation_id: str, client: str | None = "client-1", scope: str | None = None) -> Response:
        path, parameters = f"/operations/{operation_id}", {"operation_id": operation_id}
        event = api_event(path, parameters, None, key=None, client=client, scope=scope)
        return _response(self.handle("get_operation", event))

    def record(self, operation_id: str) -> Record:
        """The record in the table."""
        record = self.store.find(operation_id)
        assert record is not None
        return record

    def items(self) -> list[dict[str, Any]]:
        """Every item of the table except the breakers, in DynamoDB's own notation."""
        items = table_client().scan(TableName=TABLE)["Items"]
        return [item for item in items if not item["id"]["S"].startswith("breaker#")]

    def breaker(self, provider: str) -> BreakerItem:
        """A provider's breaker in the table."""
        return from_item(self.store.item(breaker_id(provider)))

    def let_breakers_open(self) -> None:
        """Use the breakers as deployed from now on."""
        for provider in SECRETS:
            self.delete(breaker_id(provider))
        breaker.forget()

    def delete(self, record_id: str) -> None:
        """Delete an item, as the table does when it expires."""
        table_client().delete_item(TableName=TABLE, Key={"id": {"S": record_id}})

    def put(self, item: dict[str, Any]) -> None:
        """Put an item into the table unchanged."""
        table_client().put_item(TableName=TABLE, Item=item)

    def records(self) -> list[dict[str, Any]]:
        return [item for item in self.items() if item["id"]["S"].startswith("op_")]

    def guards(self) -> list[dict[str, Any]]:
        return [item for item in self.items() if item["id"]["S"].startswith("guard#")]

    def writes(self) -> list[str]:
        """The write calls to the table, in order."""
        return [name for name in self.table_calls if name not in ("GetItem", "Query")]

    def fail_table(self, name: str, *, times: int = 99, applied: bool = False) -> None:
        """Let the next calls such as `UpdateItem` fail. `applied`: the table applies them, but the answer is lost."""
        self._faults[name] = ["after" if applied else "before"] * times

    def before_next(self, name: str, action: Callable[[dict[str, Any]], None]) -> None:
        """Run an action just before the next table call such as `PutItem`. The action gets the call's request."""
        self._actions[name] = action

    def heal_table(self) -> None:
        self._faults.clear()

    def _create_table(self) -> None:
        table_client().create_table(TableName=TABLE, **table_of_the_template())
        self._set_variable("TABLE_NAME", TABLE)
        for provider in SECRETS:
            self.put(never_opens(provider))

    def _secret_id(self, provider: str) -> str:
        if provider not in self._secret_ids:
            self.put_secret(provider, SECRETS[provider])
        return self._secret_ids[provider]

    def put_secret(self, provider: str, fields: dict[str, Any] | str) -> None:
        """A provider's secret, or a new version of it."""
        text = fields if isinstance(fields, str) else json.dumps(fields)
        if provider in self._secret_ids:
            secrets_client().put_secret_value(SecretId=self._secret_ids[provider], SecretString=text)
        else:
            created = secrets_client().create_secret(Name=f"vezne/{provider}", SecretString=text)
            self._secret_ids[provider] = created["ARN"]

    def shared_token(self) -> dict[str, Any]:
        """What the functions share of their login, as it stands in its secret."""
        fields: dict[str, Any] = json.loads(
            secrets_client().get_secret_value(SecretId=self.token_secret)["SecretString"]
        )
        return fields

    def share_no_token(self) -> None:
        """As before the first login."""
        secrets_client().put_secret_value(SecretId=self.token_secret, SecretString="{}")

    def _before(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        self.table_calls.append(model.name)
        if model.name in self._actions:
            self._actions.pop(model.name)(json.loads(params["body"]))
        if self._faults.get(model.name, [""])[0] == "before":
            self._fault(model.name)
            raise EndpointConnectionError(endpoint_url="https://dynamodb.invalid")

    def _after(self, model: Any, **_: Any) -> None:
        if self._faults.get(model.name, [""])[0] == "after":
            self._fault(model.name)
            raise ConnectionClosedError(endpoint_url="https://dynamodb.invalid")

    def _fault(self, name: str) -> None:
        self._faults[name].pop(0)
        if not self._faults[name]:
            del self._faults[name]


def forget_everything() -> None:
    """Reset the layer's module-level memory to that of a new function instance."""
    telemetry.metrics.clear_metrics()
    census.forget()
    breaker.forget()
    for client in _CLIENTS:
        client.credential_cache.forget()
    for provider in _PROVIDERS:
        provider._forget_connections()
        provider._session = None
        provider._last_used = 0.0
        provider.failing = False


def _response(answer: dict[str, Any]) -> Response:
    return Response(answer["statusCode"], answer["headers"], json.loads(answer["body"]))
