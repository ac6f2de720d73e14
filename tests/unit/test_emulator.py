"""What the emulator adds to MiniStack: which records a call touches, and what a pipe lets through."""

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


PIPE = {
    "SourceParameters": {
        "FilterCriteria": {
            "Filters": [
                {"Pattern": '{"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"id": {"S": [{"prefix": "op_"}]}}}}'},
                {"Pattern": '{"eventName": ["REMOVE"]}'},
            ]
        }
    },
    "TargetParameters": {"InputTemplate": '{"what": <$.eventName>, "id": <$.dynamodb.NewImage.id.S>}'},
}


@pytest.mark.parametrize(
    ("event", "record_id", "message"),
    [
        ("MODIFY", 'op_"1"', {"what": "MODIFY", "id": 'op_"1"'}),
        ("REMOVE", "guard", {"what": "REMOVE", "id": "guard"}),
        ("MODIFY", "guard", None),
        ("INSERT", "op_1", None),
    ],
)
def test_a_pipe_filters_and_fills_in(event: str, record_id: str, message: dict[str, str] | None) -> None:
    record = {"eventName": event, "dynamodb": {"NewImage": {"id": {"S": record_id}, "amount": {"N": "1"}}}}
    assert emulator.piped(PIPE, record) == message
