"""The tables and the plot of `make outage`."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

from tests.faults.outage.drain import Drained
from tests.faults.outage.scenarios import NOTHING, OURS, POWERTOOLS, Measured

Rows = list[tuple[str, ...]]
HEAD = (
    "One provider is sick", "breaker", "sick, min", "unknown", "calls/s to it", "peak instances", "429 of its route",
    "503 after 2 s", "others throttled", "recovery, s", "openings", "doubles / lost / wrong",
)  # fmt: skip
DRAIN_HEAD = (
    "Sweeps find them", "workers", "drained in, min", "look-ups", "newcomers", "still waiting", "longest wait, s",
)  # fmt: skip
COLOURS = {NOTHING: "#d62728", OURS: "#2ca02c", POWERTOOLS: "#1f77b4"}


def outage_rows(measured: Iterable[Measured]) -> Rows:
    """The table of the runs, one row each."""
    rows: Rows = [HEAD]
    for one in measured:
        recovery = "-" if one.recovery_seconds is None else f"{one.recovery_seconds:.0f}"
        rows.append((
            one.scenario.name, one.breaker, f"{one.scenario.minutes:g}", f"{one.unknown:,}",
            f"{one.sick_calls_per_second:.1f}" if one.scenario.sickness else "-", f"{one.peak:,}",
            f"{one.too_many:,}", f"{one.late_503:,}", f"{one.throttled_beside:,}", recovery,
            f"{one.openings:,}", one.promise,
        ))  # fmt: skip
    return rows


def drain_rows(drained: Iterable[Drained]) -> Rows:
    """The table of the backlogs, one row each."""
    rows: Rows = [DRAIN_HEAD]
    for one in drained:
        if not one.backlog.booked:
            minutes = "-"
        elif one.minutes is None:
            minutes = f"{one.left:,} left after {one.backlog.hours:g} h"
        else:
            minutes = f"{one.minutes:,.0f}"
        longest = f"{'over ' if one.newcomers_waiting else ''}{one.newcomer_seconds:,.0f}"
        rows.append((
            one.backlog.name, str(one.workers), minutes, f"{one.look_ups:,}", f"{one.newcomers:,}",
            f"{one.newcomers_waiting:,}", longest,
        ))  # fmt: skip
    return rows


def plot(measured: Sequence[Measured], path: Path) -> None:
    """Plot the unknown outcomes over time in the first scenario, with and without a breaker."""
    mpl.use("Agg")
    first = measured[0].scenario.name
    figure, axes = plt.subplots(figsize=(8, 4.5), dpi=100)
    for one in measured:
        if one.scenario.name == first:
            at = [seconds / 60 for seconds in sorted(one.unknown_at)]
            axes.step([0.0, *at, one.scenario.minutes], [*range(len(at) + 1), len(at)], where="post",
                      label=f"{one.breaker}: {one.unknown:,}", color=COLOURS[one.breaker])  # fmt: skip
    axes.set_yscale("symlog", linthresh=10)
    axes.set_xlabel("minutes since the provider fell sick")
    axes.set_ylabel("outcomes that became unknown")
    axes.set_title(f"{first}: 20 orders a second")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(title="circuit breaker")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
