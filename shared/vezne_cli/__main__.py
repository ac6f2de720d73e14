"""Bring the local stack up. `run` sends one order of each operation and stops; `serve` stays up until Ctrl-C.

The stack is at http://localhost:8780/local, its tokens at http://localhost:8780/oauth2/token. If port 8780 is taken,
it takes a free one and says so.

Variables:
  VEZNE_PORT           port of the API, the tokens and the AWS endpoints (also VEZNE_GATEWAY_PORT): 8780
  VEZNE_SANDBOX_PORT   port of the provider sandboxes: a free one. Their manual is at that address
  VEZNE_SWEEP_SECONDS  serve looks for unknown outcomes every so many seconds: 5; 0 stops that
  KOLAYBI_URL, VAKIFBANK_URL, WALLETGATE_URL, WALLETGATE_IDENTITY_URL, HASO_URL, PAYNET_URL
                       another server in a provider's place: scheme, host and port (HASO: the whole SERVIS_URL)

`make logs` prints what the running stack writes.
"""

import argparse
import signal
import sys
import threading
import time
from types import FrameType

from .orders import golden_orders, send, table
from .processes import ROOT, STACK_FILE, Progress, StackError, stack_file
from .quick_start import curl_lines
from .stack import USUAL_PORT, publish, running_stack
from .sweeps import seconds_between, sweeping


def _progress() -> Progress:
    """Prints each step with the seconds since the start."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:5.1f} s] {text}", flush=True)

    return say


def run() -> int:
    """Send the golden orders and repeat one; 0 only if all succeeded and the repetition was a replay."""
    say = _progress()
    with running_stack(say, usual_port=USUAL_PORT) as stack:
        orders = golden_orders()
        say(f"getting a token, sending {len(orders)} orders (the first call of a function also starts it)")
        token = stack.token()
        sent = [send(stack, order, token) for order in orders]
        again = send(stack, sent[-1].order, token)
        print(f"\n{table([*sent, again])}\n", flush=True)
        failed = [one for one in sent if not one.succeeded]
        for one in failed:
            print(f"{one.order.operation} answered: {one.response.text}", file=sys.stderr)
        replay = again.replayed and again.answer == sent[-1].answer
        if not replay:
            print("The repeated order was not answered by a replay of its first answer.", file=sys.stderr)
    if failed or not replay:
        say(f"{len(sent) - len(failed)} of {len(sent)} orders succeeded; the logs are in .local/logs")
        return 1
    say(f"all {len(sent)} orders succeeded, and the repeated one was answered without a second payment")
    return 0


def serve() -> int:
    """Keep the stack up and describe it in `.local/stack.json` until interrupted."""
    say, seconds = _progress(), seconds_between()
    with stack_file(say) as file, running_stack(say, usual_port=USUAL_PORT) as stack:
        publish(stack, file)
        say(f"up at {stack.api_url}; described in {STACK_FILE.relative_to(ROOT)}")
        with sweeping(stack, seconds, say):
            print(f"\n{curl_lines(stack)}", flush=True)
            print(
                f"The sandboxes' manual is at {stack.sandbox_url}/ and `make logs` prints the logs. Ctrl-C stops all.",
                flush=True,
            )
            threading.Event().wait()
    return 0


def _stop(number: int, _frame: FrameType | None) -> None:
    """Leave by the way that stops what was started."""
    sys.exit(128 + number)


def main() -> int:
    """Parse the command line and run the command."""
    parser = argparse.ArgumentParser(
        prog="vezne_cli", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["run", "serve"])
    command = parser.parse_args().command
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    # A shell starts background jobs with this signal ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return run() if command == "run" else serve()
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # What serve is ended with, but a run that did not finish.
        return 0 if command == "serve" else 130


if __name__ == "__main__":
    sys.exit(main())
