"""What is generated: the OpenAPI document, tables in documents, the expanded template, the dashboard's picture."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vezne_cli.output import Steps, show_table, waiting
from vezne_cli.processes import require_project

from .parameters import OneOf, Typed, examples, kept_pages

if TYPE_CHECKING:
    from vezne_cli.pages import Change


@click.command(epilog=examples("document", "document --record"))
@click.option("--record", is_flag=True, help="First bring a local stack up and take the examples' answers from it.")
def document(record: bool) -> None:
    """Write the OpenAPI document from the declarations, the problems and the template."""
    require_project()
    from vezne_cli.document.document import ANSWERS, DOCUMENT, build, text
    from vezne_cli.document.examples import answers
    from vezne_cli.stack import running_stack

    if record:
        with Steps() as say, running_stack(say) as stack:
            ANSWERS.write_text(json.dumps(answers(stack), indent=1, ensure_ascii=False) + "\n")
    DOCUMENT.write_text(text(build()))
    click.echo(DOCUMENT)


@click.command()
def documents() -> None:
    """Write the tables in the documents that are made from the template, the functions and the providers."""
    require_project()
    from vezne_cli.documents import write_all

    for name in write_all():
        click.echo(f"{name} is written anew")


@click.command(
    "new-operation",
    epilog=examples('new-operation paynet.reverse_capture --route "POST /paynet/capture-reversals"'),
)
@click.argument("name", metavar="NAME", type=Typed("It is <provider>.<verb>, like paynet.reverse_capture."))
@click.option("--inquiry", is_flag=True, help="It asks and moves no money.")
@click.option("--route", default="", help="Method and path of the API.  [default: made of the name]")
@click.option("--summary", default="", help="What it does, in a few words, for the scope's description.")
def new_operation(name: str, inquiry: bool, route: str, summary: str) -> None:
    """Write what a further operation of a known provider needs, as files to fill in."""
    from vezne_cli.new_operation import new_operation

    for path in new_operation(name, inquiry=inquiry, route=route, summary=summary):
        click.echo(path)
    click.echo("Written. Nothing is sent until it is filled in: functions/README.md says how.")


@click.command(epilog=examples("template .local/template.json"))
@click.argument("file", metavar="FILE", type=Typed("It is the file to write, like .local/template.json."))
def template(file: str) -> None:
    """Write the template without its loops to FILE, for tools that do not know them."""
    require_project()
    from vezne_cli.template import write_expanded

    write_expanded(Path(file))


@click.command(epilog=examples("dashboard --picture dashboard.png"))
@click.option(
    "--picture",
    default="dashboard.png",
    show_default=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The file to write.",
)
def dashboard(picture: Path) -> None:
    """Draw the dashboard's widgets from what the running local stack has logged so far."""
    require_project()
    import boto3

    from vezne_cli.connection import OperatorError, connect
    from vezne_cli.dashboard import draw, points

    connect("")
    recorded = list(points(boto3.client("logs")))
    if not recorded:
        raise OperatorError("There is nothing to draw yet: no function has logged a metric. Send an order first.")
    with waiting("drawing"):
        draw(recorded, picture)
    click.echo(f"drawn from {len(recorded)} points: {picture}")


@click.command(epilog=examples("drift capture.txt", "drift capture.txt --page paynet.capture"))
@click.argument("file", metavar="PAGE", type=Typed("It is a provider's page, saved as text, like capture.txt."))
@click.option("--page", "operation", type=OneOf("page", kept_pages), help="Which page it is.  [default: by its fields]")
def drift(file: str, operation: str | None) -> int:
    """Compare a provider's page with its fields when the code was written. PAGE is the page of today, saved as text.

    Prints the fields that were added, removed, renamed or changed. The exit code is 0 if there are none, else 1.
    """
    require_project()
    from vezne_cli import pages

    try:
        now = pages.read_fields(Path(file).read_text(encoding="utf-8"))
        kept = pages.pages()[operation] if operation else pages.page_of(now)
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} cannot be read as text: {type(error).__name__}") from None
    except pages.UnknownPageError as error:
        raise click.ClickException(f"{file}: {error}. --page says which one it is.") from None
    found = pages.changes(kept.fields, now)
    click.echo(f"{kept.operation}: {kept.title}, {kept.address}, read on {kept.read_on}")
    if not found:
        click.echo(f"The same {len(kept.fields)} fields.")
        return 0
    show_table(("what", "in", "was", "is"), ([each.kind, *_cells(each)] for each in found))
    return 1


def _cells(change: "Change") -> tuple[str, str, str]:
    was, now = (str(field or "") for field in (change.was, change.now))
    return change.place, was, now
