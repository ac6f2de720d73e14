"""What happened to operations, and decisions by hand."""

import sys
from collections.abc import Callable

import click

from vezne_cli.output import on_terminal, show, show_table

from .parameters import OneOf, Reason, examples, operation_id, providers, stack_option


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
    )
)
@operation_id
@click.argument("decision", metavar="AS", type=OneOf("decision", lambda: ("succeeded", "not_executed")))
@click.argument("reason", metavar="REASON", type=Reason())
@click.option("--row", default="", metavar="FIELD=VALUE", help="The payment at the provider, if it succeeded.")
@click.option("--override", is_flag=True, help="Decide in spite of doubts. That is kept with the record.")
@click.option("--confirm", default="", metavar="OP", help="Typed before, for a script: the operation's id once more.")
@stack_option
def resolve(operation: str, decision: str, reason: str, row: str, override: bool, confirm: str, stack: str) -> None:
    """Look the unknown outcome of OP up, then decide it AS succeeded or not_executed: the last resort.

    not_executed lets the client pay again. REASON, who decided and when stay with the record.
    """
    from vezne.orders.store import Store

    from vezne_cli import operate
    from vezne_cli.connection import connect
    from vezne_cli.decisions import Decision, decide, look_up_in

    outputs = connect(stack)
    who, clock = operate.operator()
    store = Store(clock)
    record = operate.found(store, operation)
    wanted = Decision(decision, reason, who, override, row)
    show(decide(store, record, wanted, look_up_in(outputs), _confirmed(confirm)))


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
