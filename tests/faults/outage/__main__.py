"""`python -m tests.faults.outage`: simulate outages, print the tables, and save them after a full run."""

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table

from tests.faults.outage.drain import BACKLOGS, Drained, run as drain
from tests.faults.outage.report import Rows, drain_rows, outage_rows, plot
from tests.faults.outage.scenarios import NOTHING, OURS, POWERTOOLS, SCENARIOS, Measured, Scenario, run
from tests.faults.tables import aligned
from tests.support import results

FOLDER = Path(__file__).parents[1]
# Without a breaker, outcomes become unknown at a steady rate. So a shorter outage is enough.
MINUTES_WITHOUT = 5.0
IN_POWERTOOLS = ("hang", "hang, throttle 200", "502")
# Scenarios with a share run with our breaker only; this word is in their names.
ONLY_WITH = "share"
# The width that a terminal needs for the tables of Rich.
WIDE = 180


def wanted(names: list[str], minutes: float) -> list[tuple[Scenario, str]]:
    """The runs that are asked for, in the order of the table."""
    runs = []
    for scenario in SCENARIOS:
        if names and scenario.name not in names:
            continue
        if ONLY_WITH not in scenario.name:
            runs.append((scenario.lasting(min(minutes, MINUTES_WITHOUT) if scenario.sickness else 60.0), NOTHING))
        runs.append((scenario.lasting(minutes), OURS))
        if scenario.name in IN_POWERTOOLS:
            runs.append((scenario.lasting(min(minutes, MINUTES_WITHOUT)), POWERTOOLS))
    return runs


def measure(runs: list[tuple[Scenario, str]], jobs: int, console: Console) -> Iterator[tuple[int, Measured]]:
    """Yield each run with its place, as soon as it has ended."""
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, ProcessPoolExecutor(jobs, max_tasks_per_child=1) as pool:
        bar = progress.add_task("outages", total=len(runs))
        places = {pool.submit(run, scenario, breaker): place for place, (scenario, breaker) in enumerate(runs)}
        for ended in as_completed(places):
            one = ended.result()
            console.log(" | ".join([*outage_rows([one])[1], f"{one.took_seconds:.0f} s"]))
            progress.advance(bar)
            yield places[ended], one


def drain_all(jobs: int, console: Console) -> list[Drained]:
    """Yield each backlog, in the order of the table."""
    with ProcessPoolExecutor(jobs, max_tasks_per_child=1) as pool:
        started = [pool.submit(drain, backlog, workers) for backlog, workers in BACKLOGS]
        for each in started:
            console.log(" | ".join([*drain_rows([each.result()])[1], f"{each.result().took_seconds:.0f} s"]))
        return [each.result() for each in started]


def printed(rows: Rows, console: Console) -> None:
    if console.width < WIDE:
        console.print(*aligned(rows), sep="\n", soft_wrap=True, highlight=False)
        return
    table = Table(*rows[0])
    for row in rows[1:]:
        table.add_row(*row)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.outage", description=__doc__)
    parser.add_argument("names", nargs="*", help="scenarios; all if none is named")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long a provider is sick, at most")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once")
    asked = parser.parse_args()
    console = Console()
    runs = wanted(asked.names, asked.minutes)
    measured = [one for _, one in sorted(measure(runs, asked.jobs, console), key=lambda each: each[0])]
    rows = outage_rows(measured)
    printed(rows, console)
    if asked.names:
        return
    drained = drain_rows(drain_all(asked.jobs, console))
    printed(drained, console)
    plot(measured, FOLDER / "outage.png")
    results.write(FOLDER / "RESULTS.md", "make outage", [aligned(rows), aligned(drained)])


if __name__ == "__main__":
    main()
