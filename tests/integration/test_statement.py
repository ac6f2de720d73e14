"""Many decisions from a file: checked whole, then carried out one by one."""

from pathlib import Path
from typing import Any

import pytest
from vezne.orders.record import UNKNOWN
from vezne.orders.store import StoreUnavailableError
from vezne_cli.connection import OperatorError
from vezne_cli.decisions import LookUp
from vezne_cli.statement import HEADS, Summary, carry_out, plan

from tests.support.harness import Harness
from tests.support.operations.paynet_capture import EXAMPLE as PAYNET
from tests.support.operations.walletgate_pay_bill import EXAMPLE as WALLETGATE
from tests.support.provider_server import HANG_UP
from tests.support.wire import answered, unknown_order

LATER = 3 * 24 * 3600
ARN = "arn:aws:iam::000000000000:user/ayse"
HEAD = "operation_id,status,row,reason"
MISSING = f"op_{'a' * 26}"


def captures(harness: Harness, count: int) -> list[str]:
    """Captures whose answers were lost days ago."""
    known = [
        unknown_order(harness, PAYNET, body={"xact_id": f"x{number}", "amount": "49.90"}, key=f"key-{number}")
        for number in range(count)
    ]
    harness.clock.advance(LATER)
    return known


def written(folder: Path, *rows: str, head: str = HEAD) -> Path:
    file = folder / "statement.csv"
    file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8-sig")
    return file


def look_up(harness: Harness) -> LookUp:
    return lambda _, record_id: harness.handle(PAYNET.function, {"look_up": record_id})


def refused(harness: Harness, file: Path) -> str:
    """What is said of a file that cannot be carried out; no record has changed."""
    before = harness.items()
    with pytest.raises(OperatorError) as error:
        plan(file, harness.store, ARN)
    assert harness.items() == before
    assert str(error.value).startswith("Nothing is decided.")
    return str(error.value)


def test_rows_are_planned_then_decided_one_by_one(harness: Harness, tmp_path: Path) -> None:
    first, second = captures(harness, 2)
    file = written(tmp_path, f"{first},succeeded,xact_id=x0,seen 4355084355084358", f"{second},succeeded,,seen")
    planned = plan(file, harness.store, ARN)
    assert [each.cells()[:6] for each in planned] == [
        (first, "2", "paynet.capture", "49.90 TRY", "unknown", "succeeded"),
        (second, "3", "paynet.capture", "49.90 TRY", "unknown", "succeeded"),
    ]
    assert len(planned[0].cells()) == len(HEADS)
    assert harness.record(first).status == UNKNOWN
    harness.server.on(PAYNET.look_up_route, HANG_UP)
    summary = Summary()
    said = list(carry_out(planned, harness.store, look_up(harness), summary))
    assert said == [f"[1/2] line 2, {first}", f"[2/2] line 3, {second}"]
    assert list(summary.lines()) == ["decided 2, certain without a decision 0, not done 0"]
    last = harness.record(first).evidence[-1]
    assert (last["asked"], last["by"], last["row"], last["reason"]) == ("operator", ARN, "xact_id=x0", "seen ***")


def test_the_same_file_again_does_nothing(harness: Harness, tmp_path: Path) -> None:
    (known,) = captures(harness, 1)
    file = written(tmp_path, f"{known},succeeded,xact_id=x0,seen")
    harness.server.on(PAYNET.look_up_route, HANG_UP)
    list(carry_out(plan(file, harness.store, ARN), harness.store, look_up(harness), Summary()))
    before, calls = harness.items(), len(harness.server.calls)
    summary = Summary()
    list(carry_out(plan(file, harness.store, ARN), harness.store, look_up(harness), summary))
    assert (summary.already, summary.decided, len(harness.server.calls)) == (1, 0, calls)
    assert harness.items() == before


def test_a_row_in_doubt_is_not_done_and_stops_no_other(harness: Harness, tmp_path: Path) -> None:
    first, second = captures(harness, 2)
    file = written(tmp_path, f"{first},not_executed,,not there", f"{second},succeeded,,seen")
    harness.server.on(PAYNET.look_up_route, HANG_UP)
    summary = Summary()
    list(carry_out(plan(file, harness.store, ARN), harness.store, look_up(harness), summary))
    assert (summary.decided, len(summary.not_done)) == (1, 1)
    assert summary.not_done[0].startswith(f"line 2, {first}: Not decided.")
    assert harness.record(first).status == UNKNOWN
    assert harness.record(second).status == "succeeded"


@pytest.mark.parametrize(("status", "not_done"), [("succeeded", 0), ("not_executed", 1)])
def test_a_look_up_that_finds_the_payment_wins_over_the_file(
    harness: Harness, tmp_path: Path, status: str, not_done: int
) -> None:
    known = unknown_order(harness, PAYNET)
    harness.clock.advance(LATER)
    harness.server.on(PAYNET.look_up_route, PAYNET.found(harness.record(known)))
    planned = plan(written(tmp_path, f"{known},{status},,seen"), harness.store, ARN)
    summary = Summary()
    list(carry_out(planned, harness.store, look_up(harness), summary))
    assert (summary.found, summary.decided, len(summary.not_done)) == (1, 0, not_done)
    assert (harness.record(known).status, harness.record(known).settled_by) == ("succeeded", "look_up")


def test_a_table_that_does_not_answer_leaves_the_row_undone(harness: Harness, tmp_path: Path) -> None:
    first, second = captures(harness, 2)
    planned = plan(written(tmp_path, f"{first},succeeded,,a", f"{second},succeeded,,b"), harness.store, ARN)
    asked: list[str] = []

    def fail_once(_: str, record_id: str) -> dict[str, Any] | None:
        asked.append(record_id)
        if len(asked) == 1:
            raise StoreUnavailableError("no answer")
        return None

    summary = Summary()
    list(carry_out(planned, harness.store, fail_once, summary))
    assert (asked, summary.decided, len(summary.not_done)) == ([first, second], 1, 1)


# ------------------------------------------------------------------ files that cannot be carried out

SECRET = "4355084355084358"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"{SECRET},succeeded,,seen", "line 3, operation_id: is no operation id"),
        (f"{MISSING},{SECRET},,seen", "line 3, status: is neither succeeded nor not_executed"),
        (f"{MISSING},succeeded,{SECRET},seen", "line 3, row: is not empty or field=value"),
        (f"{MISSING},succeeded,,", "line 3, reason: is empty"),
        (f"{MISSING},succeeded,,seen,{SECRET}", "line 3: it has another number of columns"),
        (f"{MISSING},succeeded", "line 3: it has another number of columns"),
        (f"{MISSING},succeeded,,seen", "line 3, operation_id: there is no such operation"),
        ("{known},succeeded,,again", "line 3, operation_id: it is in line 2 already"),
    ],
)
def test_a_row_that_does_not_fit_is_named_without_its_value_and_stops_all(
    harness: Harness, tmp_path: Path, row: str, said: str
) -> None:
    (known,) = captures(harness, 1)
    text = refused(harness, written(tmp_path, f"{known},succeeded,,seen", row.format(known=known)))
    assert said in text
    assert SECRET not in text
    assert known not in text


def test_every_mistake_is_told_at_once(harness: Harness, tmp_path: Path) -> None:
    text = refused(harness, written(tmp_path, "a,b,c,", *["x,succeeded,,seen"] * 30))
    assert [f"line 2, {column}" in text for column in HEAD.split(",")] == [True] * 4
    assert "and 14 more" in text


def test_an_order_that_cannot_be_decided_now_stops_all(harness: Harness, tmp_path: Path) -> None:
    (known,) = captures(harness, 1)
    final = answered(harness, WALLETGATE, WALLETGATE.success).body["operation_id"]
    running = unknown_order(harness, PAYNET)
    file = written(
        tmp_path, f"{known},succeeded,order_id=1,seen", f"{final},not_executed,,not there", f"{running},succeeded,,seen"
    )
    text = refused(harness, file)
    assert "line 3, operation_id: it is succeeded already" in text
    assert "line 4, operation_id: it may be on its way" in text


@pytest.mark.parametrize("head", ["operation_id,status,reason", "operation_id;status;row;reason", ""])
def test_the_columns_are_named(harness: Harness, tmp_path: Path, head: str) -> None:
    text = refused(harness, written(tmp_path, f"{MISSING},succeeded,,seen", head=head))
    assert "the columns are operation_id, status, row, reason" in text


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", f'{HEAD}\n"{MISSING}" x,succeeded,,seen\n'.encode(), b""])
def test_what_is_no_csv_is_refused(harness: Harness, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "statement.csv"
    file.write_bytes(content)
    refused(harness, file)


def test_a_file_that_is_not_there_is_refused(harness: Harness, tmp_path: Path) -> None:
    assert "statement.csv cannot be read" in refused(harness, tmp_path / "statement.csv")


def test_a_file_without_rows_is_refused(harness: Harness, tmp_path: Path) -> None:
    assert "has no rows" in refused(harness, written(tmp_path))
