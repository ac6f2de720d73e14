"""The floor: the minimum of a function that keeps a record, reads a secret and calls a provider with these packages.

It makes two boto3 writes and one call with requests. It has no validation, no real lock and no logs.
"""

import functools
import json
import os
from typing import Any

import boto3
import requests
from pydantic import BaseModel

dynamodb = boto3.client("dynamodb")
secrets = boto3.client("secretsmanager")
session = requests.Session()


class CaptureRequest(BaseModel):
    xact_id: str
    amount: str


@functools.cache
def secret() -> Any:
    return json.loads(secrets.get_secret_value(SecretId=os.environ["SECRET_ID"])["SecretString"])["secret_key"]


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    key = {"id": {"S": event["headers"]["Idempotency-Key"]}}
    table = os.environ["TABLE_NAME"]
    dynamodb.put_item(TableName=table, Item=key, ConditionExpression="attribute_not_exists(id)")
    response = session.post(
        f"{os.environ['PAYNET_URL']}/v1/transaction/capture",
        data=event["body"],
        headers={"Authorization": f"Basic {secret()}", "Content-Type": "application/json"},
        timeout=(3, 20),
    )
    dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET outcome = :outcome",
        ExpressionAttributeValues={":outcome": {"S": response.text}},
    )
    return {"statusCode": 200, "body": response.text}
