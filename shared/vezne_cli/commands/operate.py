"""What happened to operations, and decisions by hand."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from vezne_cli.output import on_terminal, show, show_table

from .parameters import OneOf, OperationId, Reason, examples, operation_id, providers, stack_option


@click.command(epilog=examples("explain op_3njcnbxjglsd2oit2nz6nj63gv --stack vezne"))
@operation_id
@stack_option
def explain(operation: str, stack: str) -> None:
    """Say what happened to the operation OP, line by line. Nothing it prints is secret."""
    from vezne.orders.store import Store

    from vezne_cli import operate
    from vezne_cli.connection import connect

    connect(stack)
    show(operate.explain(Store(), operation))


@click.command(epilog=examples("unknown --stack vezne"))
@stack_option
def unknown(stack: str) -> None:
    """List the operations whose outcome is not known, the oldest first, with age and amount."""
    from vezne.orders.store import Store

    from vezne_cli import operate
    from vezne_cli.connection import connect

    connect(stack)
    found = operate.list_unknown(Store())
    if not on_terminal():
        lines = show(each.line() for each in found)
    elif rows := [each.cells() for each in found]:
        show_table(("operation id", "operation", "status", "age", "amount", "look-ups", "next look-up"), rows)
        lines = len(rows)
    else:
        lines = 0
    if not lines:
        click.echo("nothing is unresolved")


@click.command(
    epilog=examples(
        'resolve op_3njcnbxjglsd2oit2nz6nj63gv succeeded "on the bank statement" --stack vezne',
        'resolve op_3njcnbxjglsd2oit2nz6nj63gv succeeded "on their page" --row xact_id=xk_9bae52b9',
        "resolve --file statement.csv --dry-run --stack vezne",
    )
)
@click.argument("operation", metavar="OP", type=OperationId(), required=False)
@click.argument("decision", metavar="AS", type=OneOf("decision", lambda: ("succeeded", "not_executed")), required=False)
@click.argument("reason", metavar="REASON", type=Reason(), required=False)
@click.option("--row", default="", metavar="FIELD=VALUE", help="The payment at the provider, if it succeeded.")
@click.option("--override", is_flag=True, help="Decide in spite of doubts. That is kept with the record.")
@click.option("--confirm", default="", metavar="OP", help="Typed before, for a script: the operation's id once more.")
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="Many decisions from a CSV file with the columns operation_id, status, row and reason. With it, --confirm is "
    "the number of its rows.",
)
@click.option("--dry-run", is_flag=True, help="With --file: check it, show what would be done, and do nothing.")
@stack_option
@click.pass_context
def resolve(
    ctx: click.Context,
    operation: str | None,
    decision: str | None,
    reason: str | None,
    row: str,
    override: bool,
    confirm: str,
    file: Path | None,
    dry_run: bool,
    stack: str,
) -> None:
    """Look the unknown outcome of OP up, then decide it AS succeeded or not_executed: the last resort.

    not_executed lets the client pay again. REASON, who decided and when stay with the record.
    """
    if file is not None:
        if operation or row or override:
            raise click.UsageError("--file has everything in its columns: no OP, --row or --override beside it.")
        _resolve_file(file, confirm, stack, dry_run=dry_run)
        return
    if dry_run:
        raise click.UsageError("--dry-run is for --file.")
    typed = {"operation": operation, "decision": decision, "reason": reason}
    for param in ctx.command.params:
        if param.name in typed and typed[param.name] is None:
            raise click.MissingParameter(ctx=ctx, param=param)
    from vezne.orders.store import Store

    from vezne_cli import operate
    from vezne_cli.connection import connect
    from vezne_cli.decisions import Decision, decide, look_up_in

    outputs = connect(stack)
    who, clock = operate.operator()
    store = Store(clock)
    record = operate.found(store, str(operation))
    wanted = Decision(str(decision), str(reason), who, override, row)
    show(decide(store, record, wanted, look_up_in(outputs), _confirmed(confirm)))


def _resolve_file(file: Path, confirm: str, stack: str, *, dry_run: bool) -> None:
    from vezne.orders.store import Store

    from vezne_cli import operate
    from vezne_cli.connection import OperatorError, connect
    from vezne_cli.decisions import look_up_in
    from vezne_cli.statement import HEADS, Summary, carry_out, plan

    outputs = connect(stack)
    who, clock = operate.operator()
    store = Store(clock)
    planned = plan(file, store, who)
    show_table(HEADS, [each.cells() for each in planned])
    if dry_run:
        click.echo(f"{len(planned)} rows, nothing was done")
        return
    rows = str(len(planned))
    if not _confirmed(confirm)(rows):
        raise OperatorError(f"Nothing is decided: type {rows} to confirm (in a script --confirm {rows}).")
    summary = Summary()
    try:
        show(carry_out(planned, store, look_up_in(outputs), summary))
    finally:
        show(summary.lines())
    if summary.not_done:
        raise OperatorError("Not every row was done. The same file can be given again: what is done is left alone.")


@click.command(epilog=examples('forget op_3njcnbxjglsd2oit2nz6nj63gv "asked for by the person" --stack vezne'))
@operation_id
@click.argument("reason", metavar="REASON", type=Reason())
@stack_option
def forget(operation: str, reason: str, stack: str) -> None:
    """Erase what the final operation OP says of persons. Its key stays, so it is never sent again."""
    from vezne.orders.store import Store

    from vezne_cli import operate
    from vezne_cli.connection import connect

    connect(stack)
    who, clock = operate.operator()
    show(operate.forget(Store(clock), operation, reason, who))


@click.command(
    epilog=examples(
        "breaker paynet", 'breaker paynet open "they book twice" --stack vezne', 'breaker paynet closed "ok"'
    )
)
@click.argument("provider", metavar="PROVIDER", type=OneOf("provider", providers))
@click.argument("state", metavar="[STATE]", required=False, type=OneOf("state", lambda: ("open", "closed")))
@click.argument("reason", metavar="[REASON]", required=False, type=Reason())
@stack_option
def breaker(provider: str, state: str | None, reason: str | None, stack: str) -> None:
    """Show the breaker of PROVIDER, or make it open or closed.

    Open stops its orders: each is answered 503 provider-down, and nothing is sent, until you close it. REASON, who
    decided and when stay with it.
    """
    if state and not reason:
        raise click.UsageError("Missing argument 'REASON'. Say why, like \"they book twice\".")
    from vezne.orders.store import Store

    from vezne_cli import breakers, operate
    from vezne_cli.connection import connect

    connect(stack)
    if not state or not reason:
        show(breakers.show(Store(), provider))
        return
    who, clock = operate.operator()
    show(breakers.set_by_hand(Store(clock), provider, state, who, reason))


def _confirmed(given: str) -> Callable[[str], bool]:
    """Whether the operator typed the operation's id; `given`: typed before, in a script."""

    def confirmed(record_id: str) -> bool:
        if not given and sys.stdin.isatty():
            typed: str = click.prompt(f"Type {record_id} to confirm", default="", show_default=False)
            return typed.strip() == record_id
        return given == record_id

    return confirmed
