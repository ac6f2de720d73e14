"""What DynamoDB refuses and moto accepts: reserved words, and names or values that are not used."""

import json
import re
from pathlib import Path
from typing import Any

import moto
import pytest
from vezne.orders import store as store_module

from tests.support.example import Example
from tests.support.harness import Harness
from tests.support.operations import EXAMPLES
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.provider_server import HANG_UP, Reply
from tests.support.wire import answered, looked_up, unknown_order

RESERVED = frozenset(
    (Path(moto.__file__).parent / "dynamodb" / "parsing" / "reserved_keywords.txt").read_text().split()
)
KEYWORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT"}
FUNCTIONS = {"attribute_not_exists", "attribute_exists"}


@pytest.fixture
def requests(harness: Harness) -> Any:
    """Every request of the layer that writes or queries; a transaction is split into its parts."""
    seen: list[dict[str, Any]] = []

    def see(params: dict[str, Any], **_: Any) -> None:
        body = json.loads(params["body"])
        seen.extend(next(iter(item.values())) for item in body.get("TransactItems", ()))
        if "TransactItems" not in body:
            seen.append(body)

    events = store_module._client().meta.events
    events.register("before-call.dynamodb", see)
    yield seen
    events.unregister("before-call.dynamodb", see)


def live_through_everything(harness: Harness, example: Example) -> None:
    """Succeeded, declined, not sent, unknown, taken over, found, not executed, swept."""
    answered(harness, example, example.success)
    answered(harness, example, example.refusal, key="key-2")
    answered(harness, example, Reply(401, b"{}"), key="key-3")
    harness.clock.advance(3600)
    for guard in harness.guards():
        harness.delete(guard["id"]["S"])
    known = unknown_order(harness, example, key="key-4")
    looked_up(harness, example, HANG_UP, key="key-4")
    looked_up(harness, example, example.found(harness.record(known)), key="key-4")
    for guard in harness.guards():
        harness.delete(guard["id"]["S"])
    harness.store.finalise(harness.stand(example, key="key-5", lease=0), "not_executed", {})
    harness.sweep(example)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_expressions_are_what_dynamodb_takes(
    harness: Harness, requests: list[dict[str, Any]], example: Example
) -> None:
    live_through_everything(harness, example)
    if example is VAKIFBANK:
        # With a code of the caller's it has a guard, too.
        body = {**VAKIFBANK.body, "institution_transaction_code": "KOD-1"}
        answered(harness, example, example.success, body=body, key="key-9")
    expressions = 0
    for request in requests:
        texts = [text for name, text in request.items() if name.endswith("Expression")]
        expressions += len(texts)
        words = set(re.findall(r"[#:]?[A-Za-z_][A-Za-z0-9_]*", " ".join(texts)))
        bare = {word for word in words if word[0] not in "#:"} - KEYWORDS - FUNCTIONS
        assert not {word for word in bare if word.upper() in RESERVED}
        assert {word for word in words if word[0] == "#"} == set(request.get("ExpressionAttributeNames", {}))
        assert {word for word in words if word[0] == ":"} == set(request.get("ExpressionAttributeValues", {}))
    assert expressions > 10


def test_the_list_of_reserved_words_is_the_real_one() -> None:
    assert {"STATUS", "OWNER", "TTL", "TOTAL", "NAME"} <= RESERVED
    assert len(RESERVED) > 500
