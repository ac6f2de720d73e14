"""What the emulator adds to MiniStack: which records a call touches, what a pipe lets through, a client's secrets."""

import asyncio
import json
from typing import Any

import pytest
from ministack.core import iam_actions
from vezne_cli import emulated_secrets, emulator


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
    assert context.pop("dynamodb:Attributes", []) == emulator.attributes(request_body)
    assert context.pop("dynamodb:ReturnValues") == "NONE"
    assert context == iam_actions.dynamodb_service_context(json.dumps(request_body).encode())


@pytest.mark.parametrize(
    ("request_body", "named"),
    [
        ({"Key": {"id": {"S": "a"}}}, ["id"]),
        ({"Item": {"id": {"S": "a"}, "status": {"S": "b"}}}, ["id", "status"]),
        (
            {"UpdateExpression": "SET a = :b, c.d = if_not_exists(e, :zero) + :f REMOVE g[0] ADD h :i"},
            ["a", "c", "e", "g", "h"],
        ),
        (
            {
                "ConditionExpression": "attribute_not_exists(#a) OR (b <> :c AND size(d.e) < :f)",
                "ExpressionAttributeNames": {"#a": "status"},
            },
            ["b", "d", "status"],
        ),
        ({"UpdateExpression": "SET #a.#b = :c", "ExpressionAttributeNames": {"#a": "outcome", "#b": "x"}}, ["outcome"]),
        (
            {
                "TransactItems": [
                    {"Put": {"Item": {"id": {"S": "a"}}}},
                    {"Update": {"UpdateExpression": "REMOVE holder"}},
                ]
            },
            ["holder", "id"],
        ),
    ],
)
def test_every_attribute_that_a_call_names_is_told(request_body: dict[str, object], named: list[str]) -> None:
    assert emulator.attributes(request_body) == named


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


def called(action: str, **data: str) -> dict[str, Any]:
    """The answer of one call of Cognito's, with its error code if it was refused."""
    _, _, body = asyncio.run(emulated_secrets.dispatch(action, data))
    answer: dict[str, Any] = json.loads(body)
    return answer


def test_a_client_has_two_secrets_at_most_and_either_gets_tokens() -> None:
    pool = called("CreateUserPool", PoolName="vezne")["UserPool"]["Id"]
    client = called("CreateUserPoolClient", UserPoolId=pool, ClientName="shop", GenerateSecret="true")["UserPoolClient"]
    own = {"UserPoolId": pool, "ClientId": client["ClientId"]}

    def accepted(secret: str) -> bool:
        """Whether MiniStack would take it: it compares with the one secret that it knows."""
        form = {"client_id": client["ClientId"], "client_secret": secret}
        known = called("DescribeUserPoolClient", **own)["UserPoolClient"]["ClientSecret"]
        return emulated_secrets.authenticate({}, form) == (client["ClientId"], known)

    (first,) = called("ListUserPoolClientSecrets", **own)["ClientSecrets"]
    added = called("AddUserPoolClientSecret", **own)["ClientSecretDescriptor"]
    second = added.pop("ClientSecretValue")
    assert called("ListUserPoolClientSecrets", **own)["ClientSecrets"] == [first, added]
    assert accepted(client["ClientSecret"])
    assert accepted(second)
    assert not accepted("another")
    assert called("AddUserPoolClientSecret", **own)["__type"] == "LimitExceededException"

    assert called("DeleteUserPoolClientSecret", **own, ClientSecretId=first["ClientSecretId"]) == {}
    assert not accepted(client["ClientSecret"])
    assert accepted(second)
    gone = called("DeleteUserPoolClientSecret", **own, ClientSecretId=first["ClientSecretId"])
    assert gone["__type"] == "ResourceNotFoundException"
    last = called("DeleteUserPoolClientSecret", **own, ClientSecretId=added["ClientSecretId"])
    assert last["__type"] == "InvalidParameterException"
    nobody = called("AddUserPoolClientSecret", UserPoolId=pool, ClientId="nobody")
    assert nobody["__type"] == "ResourceNotFoundException"


def test_a_rest_api_gets_the_path_as_it_stands_in_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    async def answer(*request: object, **raw: object) -> str:
        seen.extend([*request, raw["raw_path"]])
        return "answer"

    monkeypatch.setattr(emulator, "_answer_decoded", answer)
    answered = emulator._answer_encoded("host", "/x/a/b", "GET", {}, b"", {}, raw_path="/x/a%2Fb", raw_query_string="")
    assert asyncio.run(answered) == "answer"
    assert seen == ["host", "/x/a%2Fb", "GET", {}, b"", {}, "/x/a%2Fb"]
