"""Final records as a file, for finance."""

from datetime import date
from pathlib import Path

import click

from vezne_cli.output import show, waiting

from .parameters import Day, Typed, examples, stack_option


@click.command(
    epilog=examples("export --from 2026-11-01 --to 2026-11-25 --csv november.csv --stack vezne"),
)
@click.option("--from", "first", required=True, type=Day(), help="The first day, in Türkiye.")
@click.option("--to", "last", required=True, type=Day(), help="The last day; it must be over.")
@click.option(
    "--csv", "file", required=True, metavar="FILE", type=Typed("It is the file to write, like november.csv."),
    help="The file to write.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write FILE in the place of one that is there.")
@stack_option
def export(first: date, last: date, file: str, force: bool, stack: str) -> None:
    """Write the final orders of some days to a CSV file, one line for each. Nothing in it is personal.

    Days that the table does not keep any more are read from the archive bucket.
    """
    if first > last:
        raise click.UsageError(f"--from {first} is later than --to {last}.")
    from vezne.orders.store import Store

    from vezne_cli import export as exports
    from vezne_cli.connection import ARCHIVE_OUTPUT, connect

    bucket = connect(stack).get(ARCHIVE_OUTPUT)
    archive = exports.ArchivedRecords(bucket) if bucket else None
    with waiting(f"{first} to {last}") as say:
        summary = exports.export(first, last, Path(file), Store(), archive, say, force=force)
    show(summary.lines(Path(file)))
