"""`vezne dashboard`: the dashboard of template.yaml, drawn from what the local stack's functions have logged.

The functions log their metrics as they do on AWS. The widgets' own expressions are evaluated over them, in steps of
seconds instead of five minutes. The widgets of AWS's own metrics (API, dead letters) have nothing to show here and are
left out.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from .connection import STACK_NAME
from .template import Template, source

PICTURE = Path(__file__).with_name("dashboard.png")
NAMESPACE = f"Vezne/{STACK_NAME}"
STEP_SECONDS = 5
# A minute's run has no half-hour-old outcome, so it is drawn with the lowest threshold.
PARAMETERS = {"UnknownAgeAlarmSeconds": "60"}
_SEARCH = re.compile(
    r"(?P<sum>SUM\()?SEARCH\('\{\"(?P<namespace>[^,\"]+)\",(?P<dimensions>[^}]+)\} MetricName=\"(?P<metric>\w+)\"',"
    r" '(?P<stat>\w+)', \d+\)\)?(?: / (?P<divisor>\d+))?"
)
_COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#17becf", "#7f7f7f")


@dataclass(frozen=True)
class Point:
    """Values of one metric, written by one invocation."""

    at: float
    metric: str
    dimensions: Mapping[str, str]
    values: Sequence[float]


@dataclass(frozen=True)
class Series:
    """One line of a widget: a value per step, or none."""

    label: str
    values: "np.ndarray[Any, np.dtype[np.float64]]"
    colour: str = ""


def points(logs: Any) -> Iterator[Point]:
    """Every metric in the functions' logs, by boto3's client for them: the lines in the embedded metric format."""
    for group in logs.get_paginator("describe_log_groups").paginate().search("logGroups[].logGroupName"):
        for event in logs.get_paginator("filter_log_events").paginate(logGroupName=group).search("events[]"):
            if event["message"].startswith('{"_aws"'):
                yield from _points_of(json.loads(event["message"]))


def _points_of(line: dict[str, Any]) -> Iterator[Point]:
    for directive in line["_aws"]["CloudWatchMetrics"]:
        if directive["Namespace"] == NAMESPACE:
            (names,) = directive["Dimensions"]
            for metric in directive["Metrics"]:
                values = line[metric["Name"]]
                yield Point(
                    line["_aws"]["Timestamp"] / 1000,
                    metric["Name"],
                    {name: line[name] for name in names},
                    values if isinstance(values, list) else [values],
                )


def widgets() -> list[dict[str, Any]]:
    """The dashboard's metric widgets that show our own metrics, as the template has them."""
    template = source()
    values = {"AWS::StackName": STACK_NAME, "AWS::Region": "local"}
    values |= {name: str(it.get("Default", "")) for name, it in template["Parameters"].items()} | PARAMETERS
    read: list[dict[str, Any]] = json.loads(_filled(body(template), values))["widgets"]
    return [widget["properties"] for widget in read if _expressions(widget["properties"])]


def body(template: Template) -> str:
    """The dashboard's text with the shared parts of its searches in their places, and the stack's names as `${...}`."""
    text, parts = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return _filled(text, {name: part["Fn::Sub"] for name, part in parts.items()})


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{([\w:.]+)\}", lambda match: values.get(match[1], match[0]), text)


def _expressions(widget: dict[str, Any]) -> list[dict[str, str]]:
    return [line[0] for line in widget["metrics"] if isinstance(line[0], dict)]


def evaluate(expression: Mapping[str, str], recorded: Sequence[Point], start: float, steps: int) -> list[Series]:
    """What CloudWatch makes of one SEARCH, or SUM of it. Raises ValueError for an expression of another form."""
    found = _SEARCH.fullmatch(expression["expression"])
    if found is None or found["namespace"] != NAMESPACE:
        raise ValueError(expression["expression"])
    wanted = set(found["dimensions"].split(","))
    groups: dict[str, list[Point]] = defaultdict(list)
    for point in recorded:
        if point.metric == found["metric"] and set(point.dimensions) == wanted:
            name = " ".join(value for key, value in sorted(point.dimensions.items()) if key != "service")
            groups["" if found["sum"] else name].append(point)
    scale = float(found["divisor"] or 1)
    return [
        Series(
            f"{name} {expression['label']}".strip() or found["metric"],
            _statistic(group, found["stat"], start, steps) / scale,
            expression.get("color", ""),
        )
        for name, group in sorted(groups.items())
    ]


def _statistic(group: Sequence[Point], stat: str, start: float, steps: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
    values: list[list[float]] = [[] for _ in range(steps)]
    for point in group:
        values[min(steps - 1, int((point.at - start) / STEP_SECONDS))].extend(point.values)
    if stat == "Sum":
        return np.array([sum(step) for step in values])
    percentile = {"Maximum": 100.0}.get(stat) or float(stat.removeprefix("p"))
    return np.array([np.percentile(step, percentile) if step else np.nan for step in values])


def draw(recorded: Sequence[Point], picture: Path) -> None:
    """Draw all widgets in two columns."""
    start = min(point.at for point in recorded)
    steps = 1 + int((max(point.at for point in recorded) - start) / STEP_SECONDS)
    shown = widgets()
    figure, grid = plt.subplots((len(shown) + 1) // 2, 2, figsize=(15, 3.2 * ((len(shown) + 1) // 2)), squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.remove()
    for axes, widget in zip(grid.flat, shown, strict=False):
        series = [line for expression in _expressions(widget) for line in evaluate(expression, recorded, start, steps)]
        _draw_widget(axes, widget, series, steps)
    figure.tight_layout()
    figure.savefig(picture, dpi=75, metadata={"Software": None})
    plt.close(figure)


def _draw_widget(axes: Axes, widget: dict[str, Any], series: Sequence[Series], steps: int) -> None:
    seconds = np.arange(steps) * STEP_SECONDS
    axes.set_title(widget["title"], loc="left", fontsize=11, fontweight="bold")
    if widget.get("stacked"):
        axes.stackplot(
            seconds, *(np.nan_to_num(it.values) for it in series), labels=[it.label for it in series],
            colors=[it.colour or colour for it, colour in zip(series, _COLOURS, strict=False)], alpha=0.85,
        )  # fmt: skip
    else:
        colours = iter(_COLOURS * 3)
        of_operation: dict[str, str] = defaultdict(lambda: next(colours))
        for it in series:
            operation, _, what = it.label.partition(" p")
            axes.plot(
                seconds, it.values, marker=".", label=it.label, color=it.colour or of_operation[operation],
                linestyle="--" if what == "99" else "-",
            )  # fmt: skip
    for line in widget.get("annotations", {}).get("horizontal", []):
        axes.axhline(line["value"], color="#d62728", linestyle="--", linewidth=1, label=f"{line['label']}")
    axes.set_ylabel(widget["yAxis"]["left"]["label"], fontsize=9)
    axes.set_xlabel("seconds of the local run", fontsize=8)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.25)
    axes.tick_params(labelsize=8)
    if series:
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.02), frameon=False)
    else:
        axes.text(0.5, 0.5, "nothing", transform=axes.transAxes, ha="center", color="#7f7f7f")
