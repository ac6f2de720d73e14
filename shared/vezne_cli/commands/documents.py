"""What is generated: the OpenAPI document, tables in documents, the expanded template, the dashboard's picture."""

import json
from pathlib import Path

import click

from vezne_cli.output import Steps, waiting

from .parameters import Typed, examples


@click.command(epilog=examples("document", "document --record"))
@click.option("--record", is_flag=True, help="First bring a local stack up and take the examples' answers from it.")
def document(record: bool) -> None:
    """Write the OpenAPI document from the declarations, the problems and the template."""
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
    from vezne_cli.documents import write_all

    for name in write_all():
        click.echo(f"{name} is written anew")


@click.command(epilog=examples("template .local/template.json"))
@click.argument("file", metavar="FILE", type=Typed("It is the file to write, like .local/template.json."))
def template(file: str) -> None:
    """Write the template without its loops to FILE, for tools that do not know them."""
    from vezne_cli.template import write_expanded

    write_expanded(Path(file))


@click.command(epilog=examples("dashboard --seconds 30 --picture picture.png"))
@click.option("--seconds", type=click.FloatRange(min=5), default=60, show_default=True, help="How long to send orders.")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="shared/vezne_cli/dashboard.png")
def dashboard(seconds: float, picture: Path | None) -> None:
    """Draw the dashboard's widgets from the metrics of a local run."""
    from vezne_cli import dashboard

    file = picture or dashboard.PICTURE
    with Steps() as say:
        recorded = dashboard.record(seconds, say)
    with waiting("drawing"):
        dashboard.draw(recorded, file)
    click.echo(f"drawn from {len(recorded)} points: {file}")
