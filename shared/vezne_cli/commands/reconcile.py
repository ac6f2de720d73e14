"""Ours against a provider's own list."""

from datetime import date
from typing import TYPE_CHECKING

import click

from vezne_cli.output import on_terminal, show, show_bars, show_table, waiting

from .parameters import Day, OneOf, examples, providers, stack_option

if TYPE_CHECKING:
    from vezne_cli.reconciliations import Shown


@click.command(
    epilog=examples(
        "reconcile paynet 2026-11-26 --stack vezne",
        "reconcile paynet 2026-11-26 --stored",
        "reconcile paynet",
    )
)
@click.argument("provider", metavar="PROVIDER", type=OneOf("provider", providers))
@click.argument("day", metavar="[DATE]", required=False, type=Day())
@click.option("--stored", is_flag=True, help="Show the last report of DATE, and compare nothing.")
@stack_option
def reconcile(provider: str, day: date | None, stored: bool, stack: str) -> int:
    """Compare the orders of DATE with PROVIDER's own list. Without DATE, list the last reports.

    The exit code is 0 if the list was read to its end and no contradiction is open, else 1.
    """
    if day is None:
        if stored:
            raise click.UsageError("Missing argument 'DATE'. --stored is for the report of one day.")
        return _list(provider, stack)
    import time

    from vezne.orders.store import Store

    from vezne_cli import reconciliations
    from vezne_cli.connection import ARCHIVE_OUTPUT, connect

    outputs = connect(stack)
    store, bucket = Store(), outputs.get(ARCHIVE_OUTPUT, "")
    if stored:
        return _show(reconciliations.Shown(reconciliations.stored(provider, day, store), bucket))
    reconciliations.require_kept(provider, day, store.now())
    invoke = reconciliations.invoke_in(outputs, provider)
    with waiting(f"{provider} {day}") as say:
        report = reconciliations.run(provider, day, invoke, store, say, time.sleep)
    return _show(reconciliations.Shown(report, bucket))


def _list(provider: str, stack: str) -> int:
    from vezne.orders.store import Store

    from vezne_cli import reconciliations
    from vezne_cli.connection import connect

    connect(stack)
    rows = list(reconciliations.last_reports(provider, Store()))
    if not rows:
        click.echo(f"there is no report of {provider} of the last {reconciliations.LISTED_DAYS} days")
    elif on_terminal():
        show_table(reconciliations.LISTED_HEADS, rows)
    else:
        show("  ".join(cell or "-" for cell in row) for row in rows)
    return 0


def _show(shown: "Shown") -> int:
    from vezne_cli import reconciliations

    click.echo(shown.head())
    if not on_terminal():
        show(reconciliations.plain_lines(shown))
    else:
        show_bars(shown.counts())
        if findings := shown.findings():
            show_table(reconciliations.HEADS, findings)
        show(shown.lines())
    return 0 if shown.is_clean else 1
