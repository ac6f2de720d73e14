"""A reconciliation in the deployed stack: orders, the provider's list, the report, the file in the archive."""

import csv
import time

from vezne.orders.record import istanbul_day
from vezne_cli.golden import golden_event
from vezne_cli.stack import Stack

from tests.end_to_end.test_events import due
from tests.support.order import new_order


def lines_of(stack: Stack, file: str) -> dict[str, dict[str, str]]:
    """The lines of a file in the archive, by the order that each is of."""
    bucket = stack.outputs["ArchiveBucket"]
    text = stack.aws("s3").get_object(Bucket=bucket, Key=file)["Body"].read().decode()
    head, *rows = text.splitlines()
    assert head.startswith("# paynet ")
    return {line["operation_id"]: line for line in csv.DictReader(rows)}


def test_the_orders_of_a_day_are_found_in_the_providers_list(stack: Stack, token: str) -> None:
    day = istanbul_day(time.time()).isoformat()
    sent = [new_order("paynet.capture", sandbox=stack.sandbox) for _ in range(3)]
    made = [stack.request("POST", one.path, token=token, key=one.key, body=one.body).json() for one in sent]

    (report,) = stack.invoke("paynet.reconcile", {"reconcile": {"date": day}})["reports"]

    assert (report["provider"], report["date"], report["status"]) == ("paynet", day, "complete")
    assert report["file"] == f"reconciliations/paynet/{day}.csv"
    lines = lines_of(stack, report["file"])
    assert {lines[it["operation_id"]]["class"] for it in made} == {"matched"}


def test_an_unknown_outcome_is_made_final_by_the_providers_list(stack: Stack, token: str) -> None:
    """And the record that it leaves is like any other that is final: a sweep no longer finds it."""
    day, one = istanbul_day(time.time()).isoformat(), new_order("paynet.capture", sandbox=stack.sandbox)
    stack.sandbox.rule("paynet.capture", "reset")
    stack.sandbox.rule("paynet.check", "status_500", times=0)
    unknown = stack.request("POST", one.path, token=token, key=one.key, body=one.body)
    assert unknown.status_code == 202, unknown.text
    operation_id = unknown.json()["operation_id"]
    due(stack, operation_id)

    (report,) = stack.invoke("paynet.reconcile", {"reconcile": {"date": day}})["reports"]

    assert lines_of(stack, report["file"])[operation_id]["class"] == "settled_by_evidence"
    known = stack.request("GET", f"/operations/{operation_id}", token=token).json()
    assert (known["status"], known["settled_by"]) == ("succeeded", "reconciliation")
    assert stack.invoke("paynet.capture", golden_event("paynet.capture", "sweep"))["final"] == 0


def test_a_night_does_each_of_its_days_once(stack: Stack) -> None:
    nights = [stack.invoke("paynet.reconcile", {"reconcile": {}})["reports"] for _ in range(2)]
    assert [report["status"] for report in nights[0]] == ["complete"] * 3
    assert nights[0] == nights[1]
