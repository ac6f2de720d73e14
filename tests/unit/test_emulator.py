"""What the emulator tells the policies: which records a call touches."""

import json

import pytest
from ministack.core import iam_actions

from tests.stack import emulator


@pytest.mark.parametrize(
    ("request_body", "keys"),
    [
        ({"TableName": "t", "Key": {"id": {"S": "a"}}}, ["a"]),
        ({"TableName": "t", "Item": {"id": {"S": "a"}, "Key": {"M": {"id": {"S": "b"}}}}}, ["a"]),
        (
            {"TransactItems": [{"Put": {"Item": {"id": {"S": "a"}}}}, {"Delete": {"Key": {"id": {"S": "b"}}}}]},
            ["a", "b"],
        ),
        ({"TableName": "t", "IndexName": "i", "KeyConditionExpression": "x = :x"}, []),
        ({"TableName": "t", "Key": {"other": {"S": "a"}}}, []),
    ],
)
def test_every_item_that_a_call_names_is_told(request_body: dict[str, object], keys: list[str]) -> None:
    assert emulator.leading_keys(request_body) == keys
    context = emulator._context(json.dumps(request_body).encode())
    assert context.pop("dynamodb:LeadingKeys", []) == keys
    assert context == iam_actions.dynamodb_service_context(json.dumps(request_body).encode())
