"""The local stack: the real template on this machine, with sandboxes in the providers' places."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from vezne_cli.output import Steps
from vezne_cli.processes import require_project

from .parameters import EventFile, OneOf, examples, functions

VARIABLES = """\b
Variables:
  VEZNE_PORT           port of the API, the tokens and the AWS endpoints (also VEZNE_GATEWAY_PORT): 8780
  VEZNE_SANDBOX_PORT   port of the provider sandboxes: a free one. Their manual is at that address
  VEZNE_SWEEP_SECONDS  it looks for unknown outcomes every so many seconds: 5; 0 stops that
  KOLAYBI_URL, VAKIFBANK_URL, WALLETGATE_URL, WALLETGATE_IDENTITY_URL, HASO_URL, PAYNET_URL
                       another server in a provider's place: scheme, host and port (HASO: the whole SERVIS_URL)

"""
FUNCTION = OneOf("function", functions)


@click.command(epilog="Variables: VEZNE_PORT, VEZNE_SANDBOX_PORT, KOLAYBI_URL and its sisters, as for `vezne serve`.")
def run() -> None:
    """Bring the local stack up, send one order of each operation, print the results, stop.

    It ends with 0 only if all orders succeeded and a repeated one was not sent again.
    """
    require_project()
    with _stopped_by_signals(), Steps() as say:
        from vezne_cli import local_stack

        succeeded = local_stack.run(say)
    if not succeeded:
        raise click.exceptions.Exit(1)


@click.command(epilog=VARIABLES + examples("serve", variables="VEZNE_PORT=9000 VEZNE_SWEEP_SECONDS=60 "))
def serve() -> None:
    """Keep the local stack up until Ctrl-C, and print curl lines.

    The stack is at http://localhost:8780/local, its tokens at http://localhost:8780/oauth2/token. If port 8780 is
    taken, it takes a free one and says so. It describes itself in .local/stack.json.
    """
    require_project()
    with _stopped_by_signals(), Steps() as say:
        from vezne_cli import local_stack

        try:
            local_stack.serve(say)
        except KeyboardInterrupt:
            # What it is ended with.
            click.echo(err=True)


@click.command(epilog=examples("logs", "logs paynet_capture --follow"))
@click.argument("function", metavar="[FN]", required=False, type=FUNCTION)
@click.option("--follow", is_flag=True, help="And what comes, until Ctrl-C.")
def logs(function: str | None, follow: bool) -> None:
    """Print what the running local stack writes: its gateway, its functions, its sandboxes' calls; or FN alone."""
    from vezne_cli.logs import print_logs

    try:
        print_logs(function or "", follow)
    except KeyboardInterrupt:
        click.echo(err=True)


@click.command(epilog=examples("invoke paynet_capture events/paynet_capture.api.json"))
@click.argument("function", metavar="FN", type=FUNCTION)
@click.argument("event", metavar="EVENT", type=EventFile())
@click.option("--image", default="", help="A base image that the engine has. Without it SAM fetches AWS's own.")
def invoke(function: str, event: Path, image: str) -> None:
    """Run the event in the file EVENT through the function FN in a container, as `sam local invoke` does.

    It needs `vezne serve` and a container engine. It prints the answer, and ends with 1 if the function failed.
    """
    require_project()
    from vezne_cli import invoke

    answer = invoke.invoke(function, event, image, lambda text: click.echo(text, err=True))
    click.echo(answer)
    if invoke.failed(answer):
        raise click.exceptions.Exit(1)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Whatever ends this process, it leaves by the way that stops what was started."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    # A shell starts background jobs with this signal ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield


def _stop(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
