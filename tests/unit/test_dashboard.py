"""The preview evaluates the very expressions of the template's dashboard."""

from pathlib import Path

import numpy as np
import pytest
from vezne_cli import dashboard
from vezne_cli.dashboard import Point, evaluate, widgets

OF_PAYNET = {"service": "vezne", "operation": "paynet.capture"}
OF_KOLAYBI = {"service": "vezne", "operation": "kolaybi.collect"}
OF_HASO = {"service": "vezne", "operation": "haso.set_expenses"}
POINTS = [
    Point(100.0, "OrderSucceeded", OF_PAYNET, [1, 1]),
    Point(101.0, "OrderSucceeded", OF_HASO, [1]),
    Point(107.0, "OrderSucceeded", OF_HASO, [1]),
    Point(100.0, "ProviderLatency", OF_PAYNET, [10, 20, 30]),
    Point(100.0, "OldestUnknownAge", {"service": "vezne", "provider": "haso"}, [7]),
    Point(104.0, "OldestUnknownAge", {"service": "vezne", "provider": "haso"}, [9]),
    Point(100.0, "SucceededAmount", {**OF_PAYNET, "currency": "TRY"}, [1050]),
    Point(100.0, "SucceededAmount", {**OF_KOLAYBI, "currency": "USD"}, [1]),
    Point(100.0, "OutcomeNotWritten", {"service": "vezne"}, [1]),
]


def shown(title: str) -> dict[str, list[float]]:
    (widget,) = [it for it in widgets() if it["title"] == title]
    lines = [line for it in dashboard._expressions(widget) for line in evaluate(it, POINTS, 100.0, 2)]
    return {line.label: [float(value) for value in np.nan_to_num(line.values, nan=-1)] for line in lines}


def test_orders_are_summed_over_the_operations() -> None:
    assert shown("Orders by outcome") == {"succeeded": [3, 1]}


def test_latency_is_a_percentile_of_each_operation() -> None:
    assert shown("Provider latency, p50 and p99") == {
        "paynet.capture p50": [20, -1],
        "paynet.capture p99": [pytest.approx(29.8), -1],
    }


def test_the_oldest_age_is_the_highest() -> None:
    assert shown("Age of the oldest unknown outcome") == {"haso": [9, -1]}


def test_amounts_are_shown_by_currency_and_operation_in_major_units() -> None:
    assert shown("Amounts of orders that succeeded, by currency and operation") == {
        "TRY paynet.capture": [10.5, 0],
        "USD kolaybi.collect": [0.01, 0],
    }


def test_a_fault_has_no_operation() -> None:
    assert shown("What needs somebody") == {"outcomes not written": [1, 0]}


def test_an_expression_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="SEARCH"):
        evaluate(
            {"expression": "SEARCH('{AWS/Lambda,FunctionName} Errors', 'Sum', 300)", "label": ""}, POINTS, 100.0, 2
        )


def test_a_line_of_the_log_becomes_points() -> None:
    line = {
        "_aws": {
            "Timestamp": 100000,
            "CloudWatchMetrics": [
                {
                    "Namespace": dashboard.NAMESPACE,
                    "Dimensions": [["currency", "operation", "service"]],
                    "Metrics": [{"Name": "SucceededAmount", "Unit": "None"}],
                }
            ],
        },
        "currency": "TRY",
        "operation": "paynet.capture",
        "service": "vezne",
        "SucceededAmount": [1050.0],
    }
    assert list(dashboard._points_of(line)) == [
        Point(100.0, "SucceededAmount", {**OF_PAYNET, "currency": "TRY"}, [1050.0])
    ]


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "dashboard.png"
    dashboard.draw(POINTS, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
