"""The operators' commands of the reconciliation on a deployed stack: compare a day, list the reports, export it."""

import csv
import time
from datetime import timedelta
from pathlib import Path

from vezne.orders.record import istanbul_day
from vezne_cli.stack import Stack

from tests.end_to_end.make_targets import make
from tests.support.order import new_order


def test_an_order_of_yesterday_is_compared_and_exported(stack: Stack, token: str, tmp_path: Path) -> None:
    yesterday = istanbul_day(time.time()) - timedelta(days=1)
    one = new_order("paynet.capture", sandbox=stack.sandbox)
    made = stack.request("POST", one.path, token=token, key=one.key, body=one.body).json()
    stack.aws("dynamodb").update_item(
        TableName=stack.table,
        Key={"id": {"S": made["operation_id"]}},
        UpdateExpression="SET #day = :day",
        ExpressionAttributeNames={"#day": "day"},
        ExpressionAttributeValues={":day": {"S": f"paynet.capture#{yesterday}#0"}},
    )

    compared = make(stack, "reconcile", PROVIDER="paynet", DATE=str(yesterday))
    assert compared.returncode == 0, compared.stderr
    head, *lines = compared.stdout.splitlines()
    assert head == f"paynet {yesterday}: complete, clean; no contradiction is open"
    assert "matched              1" in lines
    assert any(line.startswith("file: s3://") for line in lines)

    listed = make(stack, "reconcile", PROVIDER="paynet")
    assert listed.stdout.startswith(f"{yesterday}  complete  0  "), listed.stderr

    file = tmp_path / "a.csv"
    exported = make(stack, "export", FROM=str(yesterday), TO=str(yesterday), CSV=str(file))
    assert exported.returncode == 0, exported.stderr
    with file.open(encoding="utf-8", newline="") as text:
        (line,) = csv.DictReader(text)
    assert (line["id"], line["day"]) == (made["operation_id"], str(yesterday))
    assert line["provider_reference"] == made["result"]["xact_id"]
