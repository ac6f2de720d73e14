"""The cost of an order in DynamoDB's units, which the cost table multiplies.

Counted as AWS bills: a write takes one unit for each begun KiB of the item's larger state. In a transaction it takes
two. An index takes as many for each entry that it adds, removes or rewrites.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from vezne.orders import store as store_module
from vezne_cli.catalogue import PROVIDERS
from vezne_cli.template import source

from tests.performance.cost import write_units
from tests.support.example import Example
from tests.support.harness import Harness, operation_of
from tests.support.operations import EXAMPLES

Items = dict[str, dict[str, Any]]
INDEXES = source()["Resources"]["IdempotencyRecords"]["Properties"]["GlobalSecondaryIndexes"]


def size(value: dict[str, Any]) -> int:
    """The bytes of one attribute's value, as DynamoDB counts them."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return len(content.strip("-").replace(".", "")) // 2 + 2
        case "M":
            return 3 + sum(1 + len(name.encode()) + size(inner) for name, inner in content.items())
        case "L":
            return 3 + sum(1 + size(inner) for inner in content)
    return 1


def item_units(item: dict[str, Any] | None) -> int:
    content = item or {}
    return -(-sum(len(name.encode()) + size(value) for name, value in content.items()) // 1024)


def index_units(before: dict[str, Any] | None, after: dict[str, Any] | None) -> int:
    return sum(units_of_one(index, before, after) for index in INDEXES)


def entry(index: dict[str, Any], item: dict[str, Any] | None) -> dict[str, Any]:
    """What an index has of an item."""
    keys = [key["AttributeName"] for key in index["KeySchema"]]
    names = {"id", *keys, *index["Projection"]["NonKeyAttributes"]}
    return {name: item[name] for name in sorted(names & item.keys())} if item and keys[0] in item else {}


def units_of_one(index: dict[str, Any], before: dict[str, Any] | None, after: dict[str, Any] | None) -> int:
    keys = [key["AttributeName"] for key in index["KeySchema"]]
    old, new = entry(index, before), entry(index, after)
    if old == new:
        return 0
    moved = old and new and any(old[key] != new[key] for key in keys)
    return item_units(old) + item_units(new) if moved else max(item_units(old), item_units(new))


def key_of(write: dict[str, Any]) -> str:
    key: str = (write.get("Key") or write["Item"])["id"]["S"]
    return key


@pytest.fixture
def written(harness: Harness) -> Iterator[list[tuple[list[str], int, Items]]]:
    """Each write of the table: its keys, the factor of its kind, and the table before it."""
    writes: list[tuple[list[str], int, Items]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name == "TransactWriteItems":
            keys = [key_of(inner) for item in params["TransactItems"] for inner in item.values()]
            writes.append((keys, 2, table(harness)))
        elif model.name in ("PutItem", "UpdateItem", "DeleteItem"):
            writes.append(([key_of(params)], 1, table(harness)))

    events = store_module._client().meta.events
    events.register("before-parameter-build.dynamodb", note)
    yield writes
    events.unregister("before-parameter-build.dynamodb", note)


def table(harness: Harness) -> Items:
    return {item["id"]["S"]: copy.deepcopy(item) for item in harness.items()}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_order_takes_these_units(
    harness: Harness, written: list[tuple[list[str], int, Items]], example: Example
) -> None:
    harness.server.on(example.route, example.success)
    if PROVIDERS[example.provider].locks_logins:
        # Its first order also writes that a login has begun.
        assert harness.send(example, key="first").status == 200
        written.clear()
    assert harness.send(example, key="counted").status == 200
    states = [before for _, _, before in written] + [table(harness)]
    units = []
    for number, (keys, factor, before) in enumerate(written):
        after = states[number + 1]
        units.append(
            sum(factor * max(item_units(before.get(key)), item_units(after.get(key))) for key in keys)
            + sum(index_units(before.get(key), after.get(key)) for key in keys)
        )
    guards = operation_of(example.function).guards(harness.order(example))
    record = next(item for key, item in table(harness).items() if key.startswith("op_"))
    assert tuple(units) == write_units(len(guards), item_units(record), item_units(entry(INDEXES[1], record)))
