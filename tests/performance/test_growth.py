"""The report of `make bench` on a growing table: counts that must not grow, and parts that were left out."""

from typing import Any

import pytest
from vezne.orders.record import LANES, SHARDS

from tests.performance.growth import CALLS, CALLS_OF_A_LOOK_UP, UNRESOLVED, assert_level
from tests.performance.report import table

SIZES = (1_000, 1_000_000)
MACHINE = {"processor": "one", "cores": "2", "load": "0.1", "python": "3.11"}


def measured() -> list[dict[str, Any]]:
    """The figures of a table that costs the same at every size."""
    return [
        {
            "records": size,
            "unresolved": few,
            **{name: {"calls": 1.0, "capacity": 1.0, "ms": size / 1000} for name in CALLS},
            "sweep": {"calls": SHARDS * len(LANES) + CALLS_OF_A_LOOK_UP * few, "capacity": 5.0 * few, "ms": 1.0},
        }
        for size in SIZES
        for few in UNRESOLVED
    ]


def test_time_may_grow_and_counts_may_not() -> None:
    assert_level(measured())


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("figure", ["calls", "capacity"])
def test_a_cost_that_follows_the_size_of_the_table_fails(name: str, figure: str) -> None:
    rows = measured()
    rows[-1][name][figure] += 1
    with pytest.raises(AssertionError):
        assert_level(rows)


def test_the_number_of_unresolved_records_is_shown() -> None:
    heading, _, *rows = table({"machine": MACHINE, "growth": measured()}).splitlines()[2:]
    assert heading.split("  ")[:2] == ["records in the table", "unresolved"]
    assert [row.split()[:2] for row in rows[:4]] == [[f"{size:,}", f"{few:,}"] for size in SIZES for few in UNRESOLVED]


@pytest.mark.parametrize(("part", "title"), [("growth", "growth"), ("runtime", "through Lambda's runtime")])
def test_a_part_that_cannot_be_measured_is_shown_as_left_out(part: str, title: str) -> None:
    shown = table({"machine": MACHINE, part: "what is missing"})
    assert f"{title}" in shown
    assert "left out" in shown
    assert "what is missing" in shown
