"""The table of what to reserve in shared/README.md fits the functions there are, and AWS's limits."""

import re

import pytest
from vezne_cli.instances import Advice, advice
from vezne_cli.processes import ROOT
from vezne_cli.template import source

from tests.support.template import INQUIRIES, ORDERS

# Written once more on purpose: the generator's own figures would prove nothing.
# How long an instance is busy with an order of a healthy provider.
ORDER_SECONDS = 0.6
MOST_WORKERS = 8
# What AWS keeps for functions without a reservation.
KEPT_BY_AWS = 100
ALARM_SHARE = 0.8
TEXT = (ROOT / "shared" / "README.md").read_text()


def needed(per_second: int) -> float:
    """A share with room for slow orders and for the sweeps."""
    return 2 * ORDER_SECONDS * per_second + MOST_WORKERS


ROWS = [
    Advice(*(int(cell.replace(",", "")) for cell in row))
    for row in re.findall(r"^\|" + r" ([\d,]+) \|" * 6 + "$", TEXT, re.MULTILINE)
]
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.per_second} of {row.limit}")


def test_the_table_is_found() -> None:
    assert {row.per_second for row in ROWS} == {20, 200, 2000}
    assert {row.limit for row in ROWS} >= {1000, 10_000}


@each_row
def test_a_share_is_enough(row: Advice) -> None:
    assert row.orders >= needed(row.per_second)
    assert row.inquiries >= 1


@each_row
def test_all_shares_fit_into_the_account(row: Advice) -> None:
    assert row.reserved == len(ORDERS) * row.orders + len(INQUIRIES) * row.inquiries
    assert row.reserved <= row.limit - KEPT_BY_AWS


@each_row
def test_the_alarm_is_not_on_for_ever(row: Advice) -> None:
    """It counts what is reserved. As much again as AWS keeps may run unreserved before it goes off."""
    assert row.alarm == ALARM_SHARE * row.limit
    assert row.reserved + KEPT_BY_AWS <= row.alarm


@each_row
def test_the_parameters_take_it(row: Advice) -> None:
    parameters = source()["Parameters"]
    assert re.fullmatch(parameters["OrderConcurrency"]["AllowedPattern"], str(row.orders))
    assert re.fullmatch(parameters["InquiryConcurrency"]["AllowedPattern"], str(row.inquiries))


@pytest.mark.parametrize(("limit", "per_second"), [(1000, 200), (10_000, 2000)])
def test_what_is_said_to_be_too_small_is_too_small(limit: int, per_second: int) -> None:
    assert "A limit of 1,000 is too small for 200 orders a second, and 10,000 for 2,000." in TEXT
    assert len(ORDERS) * needed(per_second) + len(INQUIRIES) > limit - KEPT_BY_AWS
    assert not [row for row in ROWS if (row.limit, row.per_second) == (limit, per_second)]


def test_the_text_names_as_many_functions_as_there_are() -> None:
    assert f"for {len(ORDERS)} order functions and {len(INQUIRIES)} inquiry functions" in TEXT


@pytest.mark.parametrize("functions", range(1, 17))
def test_there_is_a_table_for_further_functions(functions: int) -> None:
    for row in advice(functions, functions):
        assert row.orders >= needed(row.per_second)
        assert row.reserved + KEPT_BY_AWS <= row.alarm == ALARM_SHARE * row.limit
