"""Ours against a provider's own list."""

from datetime import date
from typing import TYPE_CHECKING

import click

from vezne_cli.output import on_terminal, show, show_bars, show_table, waiting

from .parameters import Day, FindingId, OneOf, Reason, examples, providers, stack_option

if TYPE_CHECKING:
    from vezne_cli.reconciliations import Shown


@click.command(
    epilog=examples(
        "reconcile paynet 2026-11-26 --stack vezne",
        "reconcile paynet 2026-11-26 --stored",
        "reconcile paynet",
        'reconcile paynet 2026-11-26 --resolve 4f0c9d7e21ab83c65d10 --reason "paid back by hand"',
    )
)
@click.argument("provider", metavar="PROVIDER", type=OneOf("provider", providers))
@click.argument("day", metavar="[DATE]", required=False, type=Day())
@click.option("--stored", is_flag=True, help="Show the last report of DATE, and compare nothing.")
@click.option(
    "--resolve",
    "finding",
    type=FindingId(),
    help="Note that you have dealt with this contradiction or later event of DATE.",
)
@click.option("--reason", type=Reason(), help="With --resolve: what came of it. It stays with the finding.")
@stack_option
@click.pass_context
def reconcile(
    ctx: click.Context,
    provider: str,
    day: date | None,
    stored: bool,
    finding: str | None,
    reason: str | None,
    stack: str,
) -> int:
    """Compare the orders of DATE with PROVIDER's own list. Without DATE, list the last reports.

    The exit code is 0 if the list was read to its end and no contradiction is open, else 1.
    """
    if bool(finding) != bool(reason):
        name = "reason" if finding else "finding"
        raise click.MissingParameter(ctx=ctx, param=next(each for each in ctx.command.params if each.name == name))
    if day is None:
        if stored or finding:
            raise click.UsageError("Missing argument 'DATE'. --stored and --resolve are for the report of one day.")
        return _list(provider, stack)
    if finding and reason:
        return _resolve(provider, day, finding, reason, stack)
    return _compare(provider, day, stack, stored=stored)


def _compare(provider: str, day: date, stack: str, *, stored: bool) -> int:
    import time

    from vezne.orders.store import Store

    from vezne_cli import reconciliations
    from vezne_cli.connection import ARCHIVE_OUTPUT, connect

    outputs = connect(stack)
    store = Store()
    if stored:
        report = reconciliations.stored(provider, day, store)
    else:
        reconciliations.require_kept(provider, day, store.now())
        invoke = reconciliations.invoke_in(outputs, provider)
        with waiting(f"{provider} {day}") as say:
            report = reconciliations.run(provider, day, invoke, store, say, time.sleep)
    return _show(reconciliations.Shown(report, outputs.get(ARCHIVE_OUTPUT, "")))


def _resolve(provider: str, day: date, finding: str, reason: str, stack: str) -> int:
    from vezne.orders.store import Store

    from vezne_cli import operate, reconciliations
    from vezne_cli.connection import ARCHIVE_OUTPUT, connect

    outputs = connect(stack)
    who, clock = operate.operator()
    store = Store(clock)
    reconciliations.resolve(provider, day, finding, store, who, reason)
    report = reconciliations.stored(provider, day, store)
    return _show(reconciliations.Shown(report, outputs.get(ARCHIVE_OUTPUT, "")))


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


def _show(day: "Shown") -> int:
    from vezne_cli import reconciliations

    click.echo(day.head())
    if not on_terminal():
        show(reconciliations.plain_lines(day))
    else:
        show_bars(day.counts())
        if findings := day.findings():
            show_table(reconciliations.HEADS, findings)
        show(day.lines())
    return 0 if day.report.is_clean else 1
