"""`vezne export`: what stands in the file, what does not get in, and what is left behind."""

import csv
import gzip
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from vezne.orders.record import DECLINED, UNKNOWN, amount_text, day_of, istanbul_day
from vezne.orders.store import StoreUnavailableError
from vezne_cli import export as exports
from vezne_cli.catalogue import ORDERS
from vezne_cli.connection import OperatorError
from vezne_cli.emulator import piped
from vezne_cli.export import COLUMNS, ArchivedRecords, export
from vezne_cli.template import source

from tests.support.harness import START, Harness
from tests.support.operations import EXAMPLES
from tests.support.operations.paynet_capture import EXAMPLE as CAPTURE
from tests.support.statements import order

DAY = istanbul_day(START)
CANARIES = ("Ayşe Yılmaz", "TR330006100519786457841326", "4355084355084358", "10000000146")


def quiet(_text: str) -> None:
    """Say nothing."""


def exported(harness: Harness, file: Path, first: date = DAY, last: date = DAY, **more: Any) -> list[dict[str, str]]:
    export(first, last, file, harness.store, more.pop("archive", None), quiet, **more)
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_an_order_is_a_line_with_every_column(harness: Harness, tmp_path: Path) -> None:
    harness.server.on(CAPTURE.route, CAPTURE.success)
    answer = harness.send(CAPTURE)
    (line,) = exported(harness, tmp_path / "a.csv")
    assert list(line) == list(COLUMNS)
    fields = harness.record(str(answer.body["operation_id"])).lookup_fields
    assert line == {
        "id": answer.body["operation_id"],
        "operation": "paynet.capture",
        "status": "succeeded",
        "settled_by": "answer",
        "day": "2026-12-01",
        "created_at": "2026-12-01T06:00:00.000Z",
        "amount": fields["amount"],
        "currency": "TRY",
        "provider_reference": answer.body["result"]["xact_id"],
    }


def test_each_operation_names_its_reference(harness: Harness) -> None:
    named = {}
    for example in EXAMPLES:
        harness.server.on(example.route, example.success)
        day = day_of(harness.record(str(harness.send(example).body["operation_id"])))
        (values,) = harness.store.of_day(example.operation, day)
        named[example.operation] = bool(exports.line_of(example.operation, day, values)["provider_reference"])
    assert named == dict.fromkeys(ORDERS, True)


def test_only_final_orders_of_the_days_are_in_it(harness: Harness, tmp_path: Path) -> None:
    order(harness.store, "first")
    order(harness.store, "second", DECLINED)
    order(harness.store, "third", UNKNOWN)
    harness.clock.advance(24 * 3600)
    order(harness.store, "fourth")
    harness.clock.advance(24 * 3600)
    order(harness.store, "fifth")
    told: list[str] = []
    file = tmp_path / "a.csv"
    summary = export(DAY, DAY + timedelta(days=1), file, harness.store, None, told.append)
    with file.open() as text:
        lines = list(csv.DictReader(text))
    next_day = str(DAY + timedelta(days=1))
    told_of = [(line["day"], line["status"]) for line in lines]
    assert sorted(told_of) == [(str(DAY), "declined"), (str(DAY), "succeeded"), (next_day, "succeeded")]
    assert list(summary.lines(file)) == [
        "1 orders of these days are not final, so they are not in it (`vezne unknown`).",
        f"3 orders are in {file}",
    ]


def test_nothing_personal_gets_in(harness: Harness, tmp_path: Path) -> None:
    """Even if a record had it: a line has its columns and nothing else."""
    record = order(harness.store, "a")
    name, iban, card, identity = CANARIES
    personal = {"holder": name, "iban": iban, "card": card, "identity_number": identity}
    item = next(item for item in harness.records() if item["id"]["S"] == record.id)
    item["clues"]["M"] |= {key: {"S": value} for key, value in personal.items()}
    item["outcome"] = {"S": json.dumps({"result": {"xact_id": "x-1", **personal}}, ensure_ascii=False)}
    harness.put(item)
    file = tmp_path / "a.csv"
    (line,) = exported(harness, file)
    assert line["provider_reference"] == "x-1"
    assert not [canary for canary in CANARIES if canary in file.read_text("utf-8")]


def test_a_reference_is_no_formula(harness: Harness, tmp_path: Path) -> None:
    record = order(harness.store, "a")
    item = next(item for item in harness.records() if item["id"]["S"] == record.id)
    item["outcome"] = {"S": json.dumps({"result": {"xact_id": '=HYPERLINK("x")'}})}
    harness.put(item)
    (line,) = exported(harness, tmp_path / "a.csv")
    assert line["provider_reference"] == '\'=HYPERLINK("x")'


# ------------------------------------------------------------------ the file


def test_a_file_is_not_overwritten(harness: Harness, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("theirs")
    with pytest.raises(OperatorError, match=r"is there already: --force \(make: FORCE=1\)"):
        exported(harness, file)
    assert file.read_text() == "theirs"
    assert exported(harness, file, force=True) == []


def test_a_file_that_appears_meanwhile_is_not_overwritten(harness: Harness, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    with pytest.raises(OperatorError, match="is there already"):
        export(DAY, DAY, file, harness.store, None, lambda _text: file.write_text("theirs") and None)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert file.read_text() == "theirs"


def test_nothing_half_written_is_left(harness: Harness, tmp_path: Path) -> None:
    order(harness.store, "a")
    harness.fail_table("Query")
    with pytest.raises(StoreUnavailableError):
        exported(harness, tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(harness: Harness, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="There is no folder"):
        exported(harness, tmp_path / "none" / "a.csv")
    with pytest.raises(OperatorError, match="is a folder: name a file in it"):
        exported(harness, tmp_path)


# ------------------------------------------------------------------ the archive

OLD = DAY - timedelta(days=3)


@pytest.fixture
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table keeps little, so that few days are asked of its index."""
    monkeypatch.setenv("KEPT_DAYS", "3")
    monkeypatch.setattr(exports, "PAID_AHEAD", timedelta(days=1))


def archived(number: int, day: date = OLD, **changed: Any) -> dict[str, Any]:
    """A message of the outbox about a final order, with more than it should have."""
    return {
        "operation_id": f"op_{str(number).translate(str.maketrans('0123456789', 'abcdefghij')).rjust(26, 'a')}",
        "operation": "paynet.capture",
        "status": "succeeded",
        "updated_at": f"{day}T06:00:01.000Z",
        "created_at": f"{day}T06:00:00.000Z",
        "day": day.isoformat(),
        "amount": "10.00",
        "currency": "TRY",
        "settled_by": "answer",
        "holder": CANARIES[0],
        **changed,
    }


@pytest.fixture
def keep(aws: None, short_memory: None) -> Callable[..., ArchivedRecords]:
    """Puts objects into an archive bucket."""
    client = boto3.client("s3")
    client.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    def put(**objects: bytes) -> ArchivedRecords:
        for name, body in objects.items():
            client.put_object(Bucket="kept", Key=f"records/{name}", Body=body)
        return ArchivedRecords("kept")

    return put


def lines_of(*values: dict[str, Any]) -> bytes:
    return "".join(f"{json.dumps(value)}\n" for value in values).encode()


def test_what_has_left_the_table_is_read_from_the_archive(
    harness: Harness, keep: Callable[..., ArchivedRecords], tmp_path: Path
) -> None:
    kept = order(harness.store, "a")
    day = f"{OLD:%Y/%m/%d}"
    later = f"{OLD + timedelta(days=2):%Y/%m/%d}"
    archive = keep(
        # Firehose: one message after the other, each with its line's end, compressed; SNS may add an end of its own.
        **{
            f"{day}/stack-1-a.gz": gzip.compress(lines_of(archived(1), archived(3, day=OLD - timedelta(days=1)))),
            f"{later}/stack-1-b.gz": gzip.compress(lines_of(archived(2, amount="", currency="")) + b"\n\nnot JSON\n"),
            # Without ends, and one of them twice; the last is in the table as well.
            f"{later}/stack-1-c": b"".join(
                json.dumps(it).encode()
                for it in (archived(1), archived(4), archived(5, day=DAY, operation_id=kept.id), "text")
            ),
        }
    )
    file = tmp_path / "a.csv"
    told: list[str] = []
    summary = export(OLD, DAY, file, harness.store, archive, told.append)
    with file.open() as text:
        lines = list(csv.DictReader(text))
    assert [(line["id"], line["day"]) for line in lines[:1]] == [(kept.id, str(DAY))]
    assert [(line["id"][-1], line["day"], line["amount"], line["settled_by"]) for line in lines[1:]] == [
        ("b", str(OLD), "10.00", "answer"),
        ("c", str(OLD), "", "answer"),
        ("e", str(OLD), "10.00", "answer"),
    ]
    assert CANARIES[0] not in file.read_text()
    assert told[-1] == "s3://kept/records/: 0 objects are read, 1 orders so far"
    assert list(summary.lines(file)) == [
        f"The table may not keep all of {OLD} to {DAY} any more: 3 further orders were read in s3://kept/records/.",
        "2 lines of the archive are in another form: they are not in the file.",
        f"4 orders are in {file}",
    ]


def test_only_what_may_have_the_days_is_read(
    harness: Harness, keep: Callable[..., ArchivedRecords], tmp_path: Path
) -> None:
    """An order may be paid for a day that comes: then it was delivered before, but not longer before."""
    archive = keep(
        **{
            f"{OLD - timedelta(days=2):%Y/%m/%d}/a": lines_of(archived(1)),
            f"{OLD - timedelta(days=1):%Y/%m/%d}/b": lines_of(archived(2)),
            # Months later an operator has decided.
            f"{OLD + timedelta(days=300):%Y/%m/%d}/c": lines_of(archived(3)),
        }
    )
    assert [line["id"][-1] for line in exported(harness, tmp_path / "a.csv", OLD, OLD, archive=archive)] == ["c", "d"]


def test_many_objects_are_read_once_each(
    harness: Harness, keep: Callable[..., ArchivedRecords], tmp_path: Path
) -> None:
    number = 2 * exports.AT_ONCE + 1
    archive = keep(**{f"{OLD:%Y/%m/%d}/{it:03}": lines_of(archived(it)) for it in range(number)})
    lines = exported(harness, tmp_path / "a.csv", OLD, OLD, archive=archive)
    assert [line["id"] for line in lines] == [archived(it)["operation_id"] for it in range(number)]


def test_what_the_outbox_tells_of_an_order_is_a_whole_line(harness: Harness) -> None:
    """What the template takes from a record is what is read here, for each operation."""
    template = source()["Resources"]["OutboxPipe"]["Properties"]
    for example in EXAMPLES:
        harness.server.on(example.route, example.success)
        operation_id = str(harness.send(example).body["operation_id"])
        (item,) = (item for item in harness.records() if item["id"]["S"] == operation_id)
        stream = {"eventName": "MODIFY", "dynamodb": {"NewImage": item, "OldImage": {"status": {"S": "processing"}}}}
        (values,) = harness.store.of_day(example.operation, day_of(harness.record(operation_id)))
        by_index = exports.line_of(example.operation, day_of(harness.record(operation_id)), values)
        message = piped(template, stream)
        assert exports.archived_line(message) == {**by_index, "provider_reference": ""}
        assert message is not None
        assert message.keys() == {"operation_id", "updated_at", *COLUMNS} - {"id", "provider_reference"}


def test_an_archive_without_the_days_is_told(
    harness: Harness, keep: Callable[..., ArchivedRecords], tmp_path: Path
) -> None:
    summary = export(OLD - timedelta(days=1), OLD, tmp_path / "a.csv", harness.store, keep(), quiet)
    assert summary.notes[0].endswith(": 0 further orders were read in s3://kept/records/.")


@pytest.mark.usefixtures("short_memory")
def test_a_stack_without_an_archive(harness: Harness, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=f"Nothing is written. The table may not keep all of {OLD} to {DAY}"):
        exported(harness, tmp_path / "a.csv", OLD, DAY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"operation_id": "=1"}, {"operation_id": None}, {"status": "unknown"}, {"day": "yesterday"}, {"day": None},
        {"day": f"paynet.capture#{OLD}#3"}, {"operation": ["x"]},
    ],
)  # fmt: skip
def test_a_line_of_the_archive_in_another_form(changed: dict[str, Any]) -> None:
    assert exports.archived_line(archived(1)) is not None
    assert exports.archived_line({**archived(1), **changed}) is None


@pytest.mark.parametrize(
    ("value", "text"), [("1E+2", "100"), (10, "10"), ("0.10", "0.10"), (None, ""), ("NaN", ""), ("ten", ""), ([], "")]
)
def test_an_amount_has_no_exponent(value: Any, text: str) -> None:
    assert amount_text(value) == text
