"""The bill of `make cost` follows the measurements."""

from dataclasses import replace

from tests.performance.cost import PRICES, Measured, bill

MEASURED = Measured(
    milliseconds=20.0,
    sweep_milliseconds=25.0,
    log_bytes=1500.0,
    write_units=9.2,
    metrics={("OrderSucceeded", "a", "b")},
)


def lines(measured: Measured, item_bytes: float = 1000.0) -> dict[str, float]:
    return {what: dollars for what, _, dollars in bill({"some.order": measured}, item_bytes)}


def test_a_line_is_the_measurement_times_the_price() -> None:
    made = lines(MEASURED)
    assert made["API Gateway"] == PRICES["API Gateway, REST, a million requests"]
    # (20 + 600) ms, half a GB, a million times.
    assert round(made["Lambda, time"], 2) == round(310_000 * PRICES["Lambda, arm64, GB-second"], 2)
    assert round(made["DynamoDB, writes"], 4) == round(9.2 * PRICES["DynamoDB, on demand, a million write units"], 4)
    # 1,000 B and DynamoDB's own 100 B, for the orders of three months.
    assert round(made["DynamoDB, storage"], 3) == round(3.3 * 0.45, 3)
    assert round(made["CloudWatch Logs"], 4) == round(2.0 * 0.62, 4)
    # 3 clients, each with 4 tokens an hour, since a token lives 15 minutes.
    assert round(made["Cognito"], 2) == round(3 * 6.00 + 3 * 720 * 4 / 1000 * 2.25, 2)
    assert all(dollars > 0 for dollars in made.values())


def test_a_reconciliation_costs_calls_parts_and_reads() -> None:
    (dollars,) = [it for name, it in lines(MEASURED, 4096.0).items() if name == "Reconciliations"]
    # Three million rows, 100 in a call of 0.6 s and a part; 450 days of providers have at least one.
    time = (30_450 * 0.6 + 3_000_000 * 0.0002) * 0.5 * PRICES["Lambda, arm64, GB-second"]
    assert round(dollars, 4) == round(time + 30.45 * 0.005 + 1.5 * 0.125, 4)


def test_a_record_for_the_archive_costs_a_delivery_and_five_kilobytes() -> None:
    (dollars,) = [it for name, it in lines(MEASURED).items() if name.startswith("Firehose")]
    # 4.77 GB of records that count as 5 KB each, and 96 objects a day.
    assert round(dollars, 3) == round(0.19 + 4.768 * 0.029 + 2.88 * 0.005, 3)


def test_more_work_costs_more_in_its_own_line_only() -> None:
    before, after = lines(MEASURED), lines(replace(MEASURED, milliseconds=200.0))
    assert after["Lambda, time"] > before["Lambda, time"]
    assert {name for name in before if before[name] != after[name]} == {"Lambda, time"}
