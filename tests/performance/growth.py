"""The cost of a claim, a replay, a status read and a sweep when the table holds many records.

Few records of an operation are unresolved. A sweep finds all of these due, and its provider shows nothing. It runs on
AWS's own DynamoDB Local, which counts the capacity of each call. The milliseconds are those of its SQLite, and mean
little. Capacity and the number of calls are what DynamoDB bills: those must not grow.
"""

import http.client
import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from vezne.orders import store as store_module
from vezne.orders.outcome import Inconclusive
from vezne.orders.record import LANES, SHARDS, SUCCEEDED, UNKNOWN, Record, operation_id, to_item
from vezne.orders.store import Store
from vezne.orders.sweep import sweep
from vezne.platform.telemetry import logger
from vezne.providers.http import Deadline
from vezne_cli.catalogue import ORDERS
from vezne_cli.template import source

from tests.support.dynamodb_local import running_dynamodb

OPERATION = "paynet.capture"
TABLE = "records"
UNRESOLVED = (40, 400)
WRITERS = 3
SAMPLES = 40
SWEEPS = 3
CALLS = ("claim", "replay", "read", "sweep")
# The calls of one look-up: read the record, take it over, write the next look-up.
CALLS_OF_A_LOOK_UP = 3
DEADLINE = Deadline(lambda: 27_000)


def growth(folder: Path, log: Path, steps: list[int], say: Callable[[str], None]) -> list[dict[str, Any]]:
    """For each number of records in the table, and of unresolved ones: the cost of each call."""
    with running_dynamodb(folder, log, heap="6g") as url:
        environment = {
            "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing", "TABLE_NAME": TABLE,
        }  # fmt: skip
        os.environ.update(environment)
        client: Any = boto3.client("dynamodb")
        client.create_table(TableName=TABLE, **_table_of_the_template())
        meter = Meter(store_module._client())
        # The logs of a sweep are not needed here.
        logger.setLevel("ERROR")
        _measured(meter, 0, 1)  # not counted: its virtual machine warms up
        stored, rows = 0, []
        for step in steps:
            begun = time.monotonic()
            _fill(url, stored, step)
            say(f"{step:,} records ({time.monotonic() - begun:.0f} s)")
            stored = step
            rows += [{"records": step, "unresolved": few, **_measured(meter, step, few)} for few in UNRESOLVED]
        return rows


def assert_level(rows: list[dict[str, Any]]) -> None:
    """Check that calls and capacity do not depend on the stored records. A sweep depends on the unresolved ones."""
    for few in UNRESOLVED:
        found = {name: set[tuple[float, float]]() for name in CALLS}
        for row in (row for row in rows if row["unresolved"] == few):
            for name in CALLS:
                found[name].add((row[name]["calls"], row[name]["capacity"]))
            least = SHARDS * len(LANES) + CALLS_OF_A_LOOK_UP * few
            assert row["sweep"]["calls"] == least, row
        for name, costs in found.items():
            assert len(costs) <= 1, f"{name} with {few} unresolved took, by records in the table: {costs}"


def record(name: str, status: str) -> Record:
    """A record of the form that an order of this name leaves."""
    now = float(int(time.time()))
    final = status == SUCCEEDED
    return Record(
        id=operation_id("client", OPERATION, name), operation=OPERATION, principal="client", fingerprint="f" * 64,
        status=status, owner="0" * 32, lease_until=0.0, may_arrive_until=now - 60, created_at=now - 90, updated_at=now,
        lookup_fields={"xact_id": name, "amount": "1.00", "currency": "TRY"},
        outcome={"result": {"xact_id": name, "amount": "1.00", "note": "x" * 300}} if final else None,
        next_look_up=None if final else now - 60,
    )  # fmt: skip


class Meter:
    """Counts the calls of a client and adds up the capacity they took."""

    def __init__(self, client: Any) -> None:
        self.calls: Counter[str] = Counter()
        self.capacity = 0.0
        client.meta.events.register("provide-client-params.dynamodb", self._ask)
        client.meta.events.register("after-call.dynamodb", self._read)

    def reset(self) -> None:
        self.calls.clear()
        self.capacity = 0.0

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def _read(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        self.calls[model.name] += 1
        consumed = parsed.get("ConsumedCapacity", {})
        for one in consumed if isinstance(consumed, list) else [consumed]:
            self.capacity += one.get("CapacityUnits", 0.0)


def _measured(meter: Meter, step: int, unresolved: int) -> dict[str, Any]:
    store, operation = Store(), _capture()
    final = record("final-0", SUCCEEDED)
    claims = [record(f"claim-{step}-{unresolved}-{number}", UNKNOWN) for number in range(SAMPLES)]
    in_doubt = [record(f"unresolved-{number}", UNKNOWN) for number in range(unresolved)]
    _put(in_doubt)
    claim = _cost(meter, lambda number: store.claim(claims[number]))
    for one in claims:
        store.release(one)
    measured = {
        "claim": claim,
        # A failed condition does not show its capacity.
        "replay": {**_cost(meter, lambda _: store.claim(record("final-0", UNKNOWN))), "capacity": None},
        "read": _cost(meter, lambda _: store.find(final.id)),
        # Each sweep finds all of them due.
        "sweep": _cost(meter, lambda _: sweep(operation, DEADLINE, store), times=SWEEPS, before=lambda: _put(in_doubt)),
    }
    for one in in_doubt:
        store_module.call("delete_item", TableName=TABLE, Key={"id": {"S": one.id}})
    return measured


def _cost(
    meter: Meter, job: Callable[[int], object], times: int = SAMPLES, before: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """The cost of the job: milliseconds as the median, calls and capacity as the mean."""
    taken, calls, capacity = [], 0, 0.0
    for number in range(times):
        before()
        meter.reset()
        begun = time.monotonic()
        job(number)
        taken.append((time.monotonic() - begun) * 1000)
        calls += meter.calls.total()
        capacity += meter.capacity
    return {"ms": statistics.median(taken), "calls": calls / times, "capacity": capacity / times}


def _capture() -> Any:
    """The deployed operation, with a provider that shows nothing of an order."""
    operation: Any = ORDERS[OPERATION].declaration()
    operation.look_up = lambda _record, _deadline: Inconclusive("bench")
    return operation


def _put(records: list[Record]) -> None:
    for one in records:
        store_module.call("put_item", TableName=TABLE, Item=to_item(one))


def _fill(url: str, start: int, end: int) -> None:
    """Final records, 25 to a call, without boto3: it would take most of the time."""
    places = range(start, end, 25)
    shares = [places[share::WRITERS] for share in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in pool.map(lambda share: _write(url, share, end), shares):
            pass


def _write(url: str, firsts: range, end: int) -> None:
    item = json.dumps(to_item(record("final-0", SUCCEEDED)))
    own_id = operation_id("client", OPERATION, "final-0")
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": "AWS4-HMAC-SHA256 Credential=testing/20260101/eu-central-1/dynamodb/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    for first in firsts:
        ids = [operation_id("client", OPERATION, f"final-{number}") for number in range(first, min(first + 25, end))]
        puts = ",".join(f'{{"PutRequest": {{"Item": {item.replace(own_id, name)}}}}}' for name in ids)
        connection.request("POST", "/", f'{{"RequestItems": {{"{TABLE}": [{puts}]}}}}', headers)
        answer = connection.getresponse()
        if json.loads(answer.read()) != {"UnprocessedItems": {}}:
            raise RuntimeError(f"DynamoDB Local did not take the records: HTTP {answer.status}")
    connection.close()


def _table_of_the_template() -> dict[str, Any]:
    """The key and index of the template."""
    template = source()["Resources"]["IdempotencyRecords"]["Properties"]
    names = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    return {name: template[name] for name in names}
