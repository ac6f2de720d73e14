"""The providers' secrets of a stack."""

import sys
from collections.abc import Callable, Iterable

import click

from vezne_cli.output import show, waiting

from .parameters import OneOf, examples, providers, stack_option

PROVIDER = OneOf("provider", providers)


def _stage(usual: str, *others: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    words: Iterable[str] = (usual, *others)
    kind = OneOf("stage", lambda: words)
    return click.option("--stage", default=usual, show_default=True, type=kind, metavar="|".join(words))


@click.group()
def secrets() -> None:
    """Write, verify and promote the providers' secrets."""


@secrets.command(epilog=examples("secrets write --stack vezne", "secrets write paynet --stage pending --stack vezne"))
@click.argument("provider", metavar="[PROVIDER]", required=False, type=PROVIDER)
@_stage("current", "pending")
@stack_option
def write(provider: str | None, stage: str, stack: str) -> None:
    """Fill the secret of PROVIDER, or of every provider.

    It asks for each field with hidden input, or reads {"provider": {"field": "value"}} from standard input if that is
    not a terminal. Nothing is written unless every field fits. `--stage pending` lets the new version wait beside the
    one in use.
    """
    from vezne_cli import provider_secrets
    from vezne_cli.connection import connect

    wanted = [provider] if provider else providers()
    if sys.stdin.isatty():
        credentials = {name: provider_secrets.ask(name) for name in wanted}
    else:
        credentials = provider_secrets.read(sys.stdin.read(), wanted)
    show(provider_secrets.write(connect(stack), credentials, stage))


@secrets.command(epilog=examples("secrets verify paynet --stack vezne"))
@click.argument("provider", metavar="PROVIDER", type=PROVIDER)
@stack_option
def verify(provider: str, stack: str) -> None:
    """Try the waiting version of PROVIDER's secret at the provider: a login or a read, never an order."""
    from vezne_cli import provider_secrets
    from vezne_cli.connection import connect

    outputs = connect(stack)
    with waiting(f"asking {provider}"):
        said = provider_secrets.verify(outputs, provider)
    click.echo(said)


@secrets.command(
    epilog=examples("secrets promote paynet --stack vezne", "secrets promote paynet --stage previous --stack vezne")
)
@click.argument("provider", metavar="PROVIDER", type=PROVIDER)
@_stage("pending", "previous")
@click.option("--force", is_flag=True, help="Though it was not verified: HASO cannot be asked.")
@stack_option
def promote(provider: str, stage: str, force: bool, stack: str) -> None:
    """Let the functions use the waiting version of PROVIDER's secret, or the previous one again."""
    from vezne_cli import provider_secrets
    from vezne_cli.connection import connect

    click.echo(provider_secrets.promote(connect(stack), provider, stage, force=force))
