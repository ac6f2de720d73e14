"""`make cost`: what a million orders cost on AWS, line by line, from what an order does here.

The calls, the log bytes and our own milliseconds are measured on the local stack. Each function runs in Lambda's
runtime interface emulator. Prices and the provider's time are assumptions, and are printed with the result.
"""

import json
import re
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vezne.orders.record import LANES, SHARDS
from vezne_cli.catalogue import ORDERS, PROVIDERS
from vezne_cli.golden import golden_event
from vezne_cli.stack import Stack, running_stack
from vezne_cli.template import source

from tests.end_to_end.runtime.emulator import instance
from tests.support import operations, results
from tests.support.order import new_order
from tests.support.template import of_type, properties, transformed

RESULTS = Path(__file__).parent / "RESULTS.md"
ORDERS_A_MONTH = 1_000_000
# Warm orders measured for each operation.
MEASURED = 40
# List prices of us-east-1, in dollars, November 2026. Frankfurt costs 5 to 25 per cent more.
PRICES = {
    "API Gateway, REST, a million requests": 3.50,
    "WAF, a million requests": 0.60,
    "Lambda, a million requests": 0.20,
    "Lambda, arm64, GB-second": 0.0000133334,
    "DynamoDB, on demand, a million write units": 0.625,
    "DynamoDB, on demand, a million read units": 0.125,
    "S3, 1,000 writes": 0.005,
    "DynamoDB, GB-month, with point-in-time recovery": 0.25 + 0.20,
    "EventBridge Pipes, a million events": 0.40,
    "SNS, a million messages": 0.50,
    # aws.amazon.com/sns/pricing: deliveries to Firehose.
    "SNS, a million deliveries to Firehose": 0.19,
    # aws.amazon.com/firehose/pricing: Direct PUT, the first 500 TB; each record counts as a multiple of 5 KB.
    "Firehose, GB": 0.029,
    "CloudWatch Logs, GB, with data protection": 0.50 + 0.12,
    "CloudWatch, metric-month": 0.30,
    "CloudWatch, alarm-month": 0.10,
    "CloudWatch, dashboard-month": 3.00,
    "Secrets Manager, secret-month": 0.40,
    "Secrets Manager, 10,000 calls": 0.05,
    "KMS, key-month": 1.00,
    "KMS, 10,000 calls": 0.03,
    "WAF, web ACL and each rule, month": 5.00,
    "Cognito, app client-month": 6.00,
    "Cognito, 1,000 tokens": 2.25,
}
PROVIDER_MILLISECONDS = 600
MEGABYTES = 512
# In a month with a million orders: instances of each order function that exist at any time, and clients.
INSTANCES, CLIENTS = 2, 3
HOURS = 720
# Each night three days are reconciled. A list has so many rows a page, and a row takes so long here.
NIGHTS, DAYS_A_NIGHT, ROWS_A_PAGE, ROW_MILLISECONDS = 30, 3, 100, 0.2
FIREHOSE_RECORD_BYTES = 5 * 1024
# An access log line, and the bytes that AWS adds to a log event and to an item.
ACCESS_LOG_BYTES, EVENT_BYTES, ITEM_BYTES = 500, 26, 100


@dataclass
class Measured:
    """The measurements of one operation."""

    milliseconds: float
    sweep_milliseconds: float
    log_bytes: float
    write_units: float
    metrics: set[tuple[str, ...]] = field(default_factory=set)


def write_units(guards: int, kibibytes: int, listed: int) -> tuple[int, int]:
    """DynamoDB's write units of a successful order: of its claim, and of its final write. test_units.py counts them.

    A write takes a unit for each begun KiB of the record, one for its entry in the index of unresolved orders, and one
    for that in its client's. The final write takes it out of the first, changes its status in the second, and puts it
    into that of days, where it has `listed` KiB. The record has one KiB until it has a result, or two if it keeps three
    guards. A transaction takes twice as many for the record, and two for each guard.
    """
    if not guards:
        return 3, kibibytes + 2 + listed
    claimed = 1 if guards < 3 else 2
    return 2 + 2 * claimed + 2 * guards, 2 * kibibytes + 2 + listed + 2 * guards


def item_bytes(item: dict[str, Any]) -> int:
    """The approximate size of an item of the table, as DynamoDB counts it."""
    return sum(len(name) + len(json.dumps(value)) - 10 for name, value in item.items())


def measured_write_units(stack: Stack, operation: str) -> float:
    """Measure the write units of this operation's orders in the table."""
    declared: Any = ORDERS[operation].declaration()
    guards = len(declared.guards(operations.of(operation).known(declared)))
    kept = [item for item in stack.records() if item.get("operation", {}).get("S") == operation]
    index = source()["Resources"]["IdempotencyRecords"]["Properties"]["GlobalSecondaryIndexes"][1]
    of_a_day = {"id", "day", *index["Projection"]["NonKeyAttributes"]}
    return statistics.mean(
        sum(write_units(guards, *(_kibibytes(item, names) for names in (item.keys(), of_a_day)))) for item in kept
    )


def _kibibytes(item: dict[str, Any], names: Iterable[str]) -> int:
    return -(-item_bytes({name: item[name] for name in names if name in item}) // 1024)


def measure(stack: Stack, operation: str, directory: Path) -> Measured:
    """Send warm orders through one instance, and read its report."""
    with instance(stack, operation, directory) as function:
        events = [new_order(operation, sandbox=stack.sandbox).in_the_golden_event() for _ in range(MEASURED + 1)]
        answers = [function.invoke(event).json() for event in events]
        assert all(answer["statusCode"] == 200 for answer in answers), answers
        orders = function.log.read_text()
        sweep = golden_event(operation, "sweep")
        for _ in range(MEASURED):
            function.invoke(sweep)
        sweeps = function.log.read_text()[len(orders) :]
    metrics = {
        (metric["Name"], *(line[name] for name in dimensions))
        for line in _metric_lines(orders + sweeps)
        for directive in line["_aws"]["CloudWatchMetrics"]
        for dimensions in directive["Dimensions"]
        for metric in directive["Metrics"]
    }
    lines = orders.splitlines()
    return Measured(
        milliseconds=statistics.median(_durations(orders)[1:]),
        sweep_milliseconds=statistics.median(_durations(sweeps)),
        log_bytes=sum(len(line.encode()) + EVENT_BYTES for line in lines) / len(events),
        write_units=measured_write_units(stack, operation),
        metrics=metrics,
    )


def _durations(log: str) -> list[float]:
    return [float(found) for found in re.findall(r"\bDuration: ([0-9.]+) ms", log)]


def _metric_lines(log: str) -> Iterator[dict[str, Any]]:
    for line in log.splitlines():
        if line.startswith('{"_aws"'):
            yield json.loads(line)


def bill(measured: dict[str, Measured], stored_bytes: float) -> Iterator[tuple[str, str, float]]:
    """Each line of a month's bill: its name, its calculation, and dollars."""
    price = PRICES
    system = transformed(source())
    own = statistics.mean(it.milliseconds for it in measured.values())
    gb_seconds = ORDERS_A_MONTH * (own + PROVIDER_MILLISECONDS) / 1000 * MEGABYTES / 1024
    yield "API Gateway", "1 request an order", price["API Gateway, REST, a million requests"]
    yield "WAF", "1 request an order", price["WAF, a million requests"]
    yield "Lambda, requests", "1 an order", price["Lambda, a million requests"]
    yield (
        "Lambda, time",
        f"{own:.0f} ms of our own + {PROVIDER_MILLISECONDS} ms of the provider's, {MEGABYTES} MB",
        gb_seconds * price["Lambda, arm64, GB-second"],
    )
    units = [it.write_units for it in measured.values()]
    yield (
        "DynamoDB, writes",
        f"{min(units):.0f} to {max(units):.0f} units, {statistics.mean(units):.1f} in the mean",
        statistics.mean(units) * price["DynamoDB, on demand, a million write units"],
    )
    kept_months = system["Parameters"]["KeptDays"]["Default"] / 30
    gigabytes = ORDERS_A_MONTH * kept_months * (stored_bytes + ITEM_BYTES) / 1e9
    yield (
        "DynamoDB, storage",
        f"{stored_bytes:.0f} B a record, kept {kept_months:.0f} months, recoverable",
        gigabytes * price["DynamoDB, GB-month, with point-in-time recovery"],
    )
    yield _reconciliations(stored_bytes)
    yield "Pipe", "1 change of status an order", price["EventBridge Pipes, a million events"]
    yield "SNS", "1 message an order", price["SNS, a million messages"]
    yield (
        "Firehose, records to the archive",
        f"1 record an order, counted as {FIREHOSE_RECORD_BYTES} B, and an object a quarter of an hour",
        price["SNS, a million deliveries to Firehose"]
        + ORDERS_A_MONTH * FIREHOSE_RECORD_BYTES / 2**30 * price["Firehose, GB"]
        + HOURS * 4 / 1000 * price["S3, 1,000 writes"],
    )
    log = statistics.mean(it.log_bytes for it in measured.values()) + ACCESS_LOG_BYTES
    yield (
        "CloudWatch Logs",
        f"{log:.0f} B an order",
        ORDERS_A_MONTH * log / 1e9 * price["CloudWatch Logs, GB, with data protection"],
    )
    yield from _without_any_order(measured, system)


def _reconciliations(stored_bytes: float) -> tuple[str, str, float]:
    """Each order is compared in three nights: a read of the index, a row of a list, and a line in S3."""
    price, rows = PRICES, ORDERS_A_MONTH * DAYS_A_NIGHT
    pages = rows / ROWS_A_PAGE + NIGHTS * DAYS_A_NIGHT * len(PROVIDERS)
    seconds = (pages * PROVIDER_MILLISECONDS + rows * ROW_MILLISECONDS) / 1000
    return (
        "Reconciliations",
        f"{DAYS_A_NIGHT} days a night: {pages:,.0f} calls for {ROWS_A_PAGE} rows each, as many parts in S3",
        seconds * MEGABYTES / 1024 * price["Lambda, arm64, GB-second"]
        + pages / 1000 * price["S3, 1,000 writes"]
        + rows * stored_bytes / 4096 * 0.5 / 1e6 * price["DynamoDB, on demand, a million read units"],
    )


def _without_any_order(measured: dict[str, Measured], system: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """The cost of a month that does not depend on the number of orders."""
    price, functions = PRICES, len(measured)
    reads = functions * INSTANCES * HOURS * 12
    # A shared token is written once in its life, here an hour, and then read once by each instance.
    sharing = [len(provider.orders) for provider in PROVIDERS.values() if provider.token_secret]
    calls = reads + sum(HOURS * (1 + INSTANCES * orders) for orders in sharing)
    yield (
        "Secrets Manager and KMS, calls",
        f"{calls:,}: {INSTANCES} instances of each function read every 5 minutes; a shared token every hour",
        calls / 10_000 * (price["Secrets Manager, 10,000 calls"] + price["KMS, 10,000 calls"]),
    )
    # The workers of one minute share the queries.
    sweeps = functions * HOURS * 60 * int(system["Parameters"]["SweepWorkers"]["Default"])
    time, queries = (
        statistics.mean(it.sweep_milliseconds for it in measured.values()),
        functions * HOURS * 60 * SHARDS * len(LANES),
    )
    yield (
        "Sweeps",
        f"{sweeps:,} of {time:.0f} ms at most, {queries:,} queries",
        sweeps / 1e6 * price["Lambda, a million requests"]
        + sweeps * time / 1000 * MEGABYTES / 1024 * price["Lambda, arm64, GB-second"]
        + queries * 0.5 / 1e6 * price["DynamoDB, on demand, a million read units"],
    )
    minutes = properties(system, "Client")["AccessTokenValidity"]
    tokens = CLIENTS * HOURS * 60 // minutes
    yield (
        "Cognito",
        f"{CLIENTS} clients, a token every {minutes} minutes each",
        CLIENTS * price["Cognito, app client-month"] + tokens / 1000 * price["Cognito, 1,000 tokens"],
    )
    metrics = len(set().union(*(it.metrics for it in measured.values())))
    yield "CloudWatch, metrics", f"{metrics} that an order or sweep counts", metrics * price["CloudWatch, metric-month"]
    alarms = len(of_type(system, "AWS::CloudWatch::Alarm"))
    yield (
        "CloudWatch, alarms and dashboard",
        f"{alarms} and 1",
        alarms * price["CloudWatch, alarm-month"] + price["CloudWatch, dashboard-month"],
    )
    (acl,) = of_type(system, "AWS::WAFv2::WebACL").values()
    rules = len(acl["Properties"]["Rules"])
    yield "WAF, web ACL", f"{rules} rules", price["WAF, web ACL and each rule, month"] + rules
    secrets = len(of_type(system, "AWS::SecretsManager::Secret")) + CLIENTS
    yield (
        "Secrets and key",
        f"{secrets} and 1",
        secrets * price["Secrets Manager, secret-month"] + price["KMS, key-month"],
    )


def main() -> int:
    """Measure, and print the bill."""
    with running_stack(lambda text: print(text, file=sys.stderr)) as stack:
        measured = {}
        for operation in ORDERS:
            with tempfile.TemporaryDirectory() as directory:
                measured[operation] = measure(stack, operation, Path(directory))
        sizes = [item_bytes(item) for item in stack.records() if item["id"]["S"].startswith("op_")]
    lines = list(bill(measured, statistics.mean(sizes)))
    table = ["| line | how it comes about | $ |", "|---|---|---|"]
    table += [f"| {what} | {how} | {dollars:.2f} |" for what, how, dollars in lines]
    total = sum(dollars for _, _, dollars in lines)
    table.append(f"| **together** | {ORDERS_A_MONTH:,} orders in a month | **{total:.2f}** |")
    print("\n".join(table))
    results.write(RESULTS, "make cost", [table])
    return 0


if __name__ == "__main__":
    sys.exit(main())
