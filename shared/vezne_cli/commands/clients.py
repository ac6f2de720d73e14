"""App clients: who may call the API."""

import click

from vezne_cli.output import on_terminal, show, show_table

from .parameters import OneOf, Typed, examples, scopes, stack_option

NAME = Typed("It is the client's name, like shop; `vezne client list` lists them.")
NEW_NAME = Typed("It is the client's name, like shop: up to 64 letters, digits, _ and -.")


class Scopes(OneOf):
    """Scopes one by one, or several in one text, as `make` passes them."""

    name = "scopes"

    def __init__(self) -> None:
        super().__init__("operation", scopes)

    def read(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        names = text.replace(",", " ").split()
        for name in names:
            super().read(name.removeprefix("vezne/"), param, ctx)
        return " ".join(names)


@click.group()
def client() -> None:
    """Make, list, rotate, adopt and revoke app clients: the back ends that call the API."""


@client.command(epilog=examples("client create shop paynet.capture operations.read --stack vezne"))
@click.argument("name", metavar="NAME", type=NEW_NAME)
@click.argument("scopes", metavar="SCOPES...", nargs=-1, required=True, type=Scopes())
@click.option("--principal", default="", help="Whose keys and operations it takes over. Without it: its own name's.")
@stack_option
def create(name: str, scopes: tuple[str, ...], principal: str, stack: str) -> None:
    """Make the app client NAME with SCOPES, and say where its secret is."""
    from vezne_cli.app_clients import open_clients, read_scopes

    show(open_clients(stack).create(name, read_scopes(" ".join(scopes)), principal))


@client.command("list", epilog=examples("client list --stack vezne"))
@stack_option
def list_clients(stack: str) -> None:
    """List the app clients: principal, scopes, age of their secrets, unresolved orders."""
    from vezne_cli.app_clients import open_clients

    clients = open_clients(stack)
    if not on_terminal():
        show(clients.describe())
        return
    rows = [each.cells() for each in clients.list_all()]
    show_table(("name", "client id", "principal", "scopes", "secrets", "unresolved"), rows, whole=2)


@client.command(epilog=examples("client rotate shop --stack vezne", "client rotate shop --finish --stack vezne"))
@click.argument("name", metavar="NAME", type=NAME)
@click.option("--finish", is_flag=True, help="Delete the old secret, when the back end uses the new one.")
@stack_option
def rotate(name: str, finish: bool, stack: str) -> None:
    """Give the client NAME a second secret. Both work until --finish deletes the old one."""
    from vezne_cli.app_clients import open_clients

    clients = open_clients(stack)
    show(clients.finish_rotation(name) if finish else clients.rotate(name))


@client.command(epilog=examples("client adopt shop --stack vezne"))
@click.argument("name", metavar="NAME", type=NAME)
@stack_option
def adopt(name: str, stack: str) -> None:
    """Let the client NAME of an earlier version keep its keys, an hour before the new version is deployed."""
    from vezne_cli.app_clients import open_clients

    show(open_clients(stack).adopt(name))


@client.command(epilog=examples("client revoke shop --stack vezne"))
@click.argument("name", metavar="NAME", type=NAME)
@click.option("--force", is_flag=True, help="Even while its principal has unresolved orders.")
@stack_option
def revoke(name: str, force: bool, stack: str) -> None:
    """Take the client NAME away, with its secret."""
    from vezne_cli.app_clients import open_clients

    show(open_clients(stack).revoke(name, force=force))
