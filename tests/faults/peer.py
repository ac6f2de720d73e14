"""The peer: the same operations behind Powertools' `@idempotent`, used as its documentation shows.

It builds and reads with the code of our operations, and sends with the same HTTP client. So only the handling of
repetitions differs. An answer that is not clear is raised, as the documentation advises for an unsuccessful payment.
"""

import json
from types import SimpleNamespace
from typing import Any

from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent
from vezne.orders import store as store_module
from vezne.orders.outcome import Declined, Succeeded
from vezne.providers.http import Deadline

from tests.faults.function import Steps, _surround


class PaymentError(Exception):
    """The provider gave no clear answer."""


def module(operation: Any, table: str, steps: Steps) -> SimpleNamespace:
    """An object with a `handler`, like the module of a function."""
    layer = DynamoDBPersistenceLayer(table_name=table, boto3_client=store_module._client())
    config = IdempotencyConfig(event_key_jmespath='headers."idempotency-key"', raise_on_no_idempotency_key=True)
    _surround(DynamoDBPersistenceLayer, "save_inprogress", steps, "claim")
    _surround(DynamoDBPersistenceLayer, "save_success", steps, "finalise")

    @idempotent(config=config, persistence_store=layer)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        fields = {**json.loads(event["body"]), **{name: int(value) if value.isdigit() else value
                  for name, value in (event["pathParameters"] or {}).items()}}  # fmt: skip
        request = operation.request_model.model_validate(fields)
        order = operation.order("peer", event["headers"]["idempotency-key"], request)
        deadline = Deadline(context.get_remaining_time_in_millis)
        provider = operation.client.provider
        access = operation.client.credential_cache.access(deadline)
        answer = provider.send(provider.prepare(operation.build(order, access)), deadline, operation.timeout)
        if answer.status >= 500:
            raise PaymentError(f"http-{answer.status}")
        match operation.read(order, answer):
            case Succeeded(result):
                return {"statusCode": 200, "headers": {}, "body": json.dumps({"status": "succeeded", "result": result})}
            case Declined(code, _):
                body = {"type": "/problems/declined", "money": "not_moved", "code": code}
                return {"statusCode": 402, "headers": {}, "body": json.dumps(body)}
        raise PaymentError("no clear answer")

    return SimpleNamespace(handler=handler)
