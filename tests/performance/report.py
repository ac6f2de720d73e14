"""The figures as one printed table, and as a chart."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

from .growth import CALLS
from .installation import FUNCTIONS, READER
from .measuring import Spread

OURS = (*FUNCTIONS, READER)
Rows = list[tuple[str, ...]]


def table(figures: dict[str, Any]) -> str:
    """The tables of all parts that were measured."""
    parts: dict[str, Any] = {
        "cold": _cold, "steps": _steps, "warm": _warm, "connection": _connection, "runtime": _runtime,
        "growth": _growth, "size": _size,
    }  # fmt: skip
    machine = figures["machine"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load']}, Python {machine['python']}",
        "",
    ]
    for name, part in parts.items():
        if name in figures:
            lines += [*aligned(part(figures[name])), ""]
    return "\n".join(lines)


def aligned(rows: Rows) -> list[str]:
    """The rows as aligned columns. The first row is the heading. The first column is left, the others are right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
    return lines


def _cold(cold: dict[str, Any]) -> Rows:
    rows: Rows = [(
        "cold start, ms (10%-90%)", "ready", "x floor", "x peer", "processor", "x floor", "x peer", "first answer",
        "modules", "peak MiB",
    )]  # fmt: skip
    rows.append(("bare interpreter", str(cold["interpreter"]["ready_ms"]), *[""] * 8))
    for name in ("floor", "peer", *OURS):
        one = cold[name]
        row = [name]
        for kind in ("ready_ms", "ready_cpu_ms"):
            floor, peer = cold["floor"][kind].median, cold["peer"][kind].median
            row += [str(one[kind]), f"{one[kind].median / floor:.2f}", f"{one[kind].median / peer:.2f}"]
        rows.append((*row, str(one["first_answer_ms"]), str(one["modules"]), f"{one['peak_mib']:.0f}"))
    return rows


def _steps(steps: dict[str, dict[str, Spread]]) -> Rows:
    rows: Rows = [("a cold start would take more, ms", "ready", "10%-90%", "processor", "10%-90%")]
    for name, kinds in steps.items():
        row = [name]
        for kind in ("ready_ms", "ready_cpu_ms"):
            one = kinds[kind]
            row += [f"{one.median:+.1f}", f"{one.low:+.1f} to {one.high:+.1f}"]
        rows.append(tuple(row))
    return rows


def _warm(warm: dict[str, Any]) -> Rows:
    rows: Rows = [
        (
            "warm order, processor ms",
            "p50 (10%-90%)",
            "p99",
            "over floor p50",
            "over floor p99",
            "x peer's",
            "table",
            "provider",
        )
    ]
    over_peer = warm["peer"]["spread_ms"].median - warm["floor"]["spread_ms"].median
    for name in ("floor", "peer", *FUNCTIONS):
        one = warm[name]
        over = one["spread_ms"].median - warm["floor"]["spread_ms"].median
        calls = one["calls_per_order"]
        at_provider = sum(count for called, count in calls.items() if called.startswith("/"))
        rows.append((
            name, one["spread_ms"].text(2), f"{one['p99_ms']:.2f}", f"{over:.2f}",
            f"{one['p99_ms'] - warm['floor']['p99_ms']:.2f}", f"{over / over_peer:.2f}",
            f"{sum(calls.values()) - at_provider:g}", f"{at_provider:g}",
        ))  # fmt: skip
    return rows


def _connection(connection: dict[str, Spread]) -> Rows:
    rows: Rows = [("call over a new TLS connection, processor ms", "median", "10%-90%")]
    return rows + [(name, f"{one.median:.1f}", f"{one.low:.1f}-{one.high:.1f}") for name, one in connection.items()]


def _left_out(part: str, reason: str) -> Rows:
    return [(part, "left out"), (reason, "")]


def _runtime(runtime: Any) -> Rows:
    if isinstance(runtime, str):
        return _left_out("through Lambda's runtime", runtime)
    rows: Rows = [
        ("through Lambda's runtime, two instances", "cold ms", "orders/s", "p50 ms (10%-90%)", "p99 ms", "peak MiB")
    ]
    return rows + [
        (name, f"{one['cold_ms'].median:.0f}", f"{one['orders_per_second']:.0f}", one["spread_ms"].text(1),
         f"{one['p99_ms']:.1f}", f"{one['peak_mib']:.0f}")
        for name, one in runtime.items()
    ]  # fmt: skip


def _growth(growth: Any) -> Rows:
    if isinstance(growth, str):
        return _left_out("growth", growth)
    rows: Rows = [("records in the table", "unresolved", *(f"{name}: calls, capacity, ms" for name in CALLS))]
    for row in growth:
        cells = (row[name] for name in CALLS)
        rows.append((f"{row['records']:,}", f"{row['unresolved']:,}", *(
            f"{one['calls']:g}, {'-' if one['capacity'] is None else format(one['capacity'], 'g')}, {one['ms']:.1f}"
            for one in cells
        )))  # fmt: skip
    return rows


def _size(size: dict[str, Any]) -> Rows:
    bytecode = "with" if size["bytecode"] else "without"
    rows: Rows = [(f"layer for arm64 {bytecode} bytecode, KB", "unpacked", "zipped")]
    for name, one in [*size["packages"].items(), ("total", size["total"])]:
        rows.append((name, f"{one['unpacked'] / 1000:,.0f}", f"{one['zipped'] / 1000:,.0f}"))
    return rows


def chart(figures: dict[str, Any], path: Path) -> None:
    """Draw cold start and warm overhead beside floor and peer."""
    mpl.use("Agg")
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    cold, warm, machine = figures["cold"], figures["warm"], figures["machine"]
    names: tuple[str, ...] = ("peer", "floor", *OURS)
    spreads = [cold[name]["ready_ms"] for name in names]
    below, above = [one.median - one.low for one in spreads], [one.high - one.median for one in spreads]
    _bars(left, names, [one.median for one in spreads], [below, above], "{:.0f}")
    left.set_title("Cold start: ms from exec to ready, median and 10%-90%")
    names = ("peer", *FUNCTIONS)
    over = [warm[name]["spread_ms"].median - warm["floor"]["spread_ms"].median for name in names]
    _bars(right, names, over, None, "{:.2f}")
    right.set_title("Warm order: processor ms over the floor, median")
    where = f"{machine['processor']}, {machine['cores']} cores · Python {machine['python']} · {machine['date']}"
    figure.supxlabel(f"make bench · {where}", fontsize=8)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _bars(axes: Any, names: tuple[str, ...], values: list[float], spread: Any, form: str) -> None:
    colours = {"peer": "#b5651d", "floor": "#8a8a8a"}
    bars = axes.barh(names, values, xerr=spread, color=[colours.get(name, "#1f6f8b") for name in names])
    for bar, value in zip(bars, values, strict=True):
        place = (0, bar.get_y() + bar.get_height() / 2)
        axes.annotate(form.format(value), place, (5, 0), textcoords="offset points", va="center", color="white")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
