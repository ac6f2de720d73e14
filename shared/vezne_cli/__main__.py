"""`python -m vezne_cli run` sends one order of each operation and stops; `... serve` stays up until Ctrl-C."""

import argparse
import signal
import sys
import threading
import time
from types import FrameType

from .orders import golden_orders, send, table
from .processes import ROOT, STACK_FILE, Progress, StackError, stack_file
from .quick_start import curl_lines
from .stack import publish, running_stack


def _progress() -> Progress:
    """Prints each step with the seconds since the start."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:5.1f} s] {text}", flush=True)

    return say


def run() -> int:
    """Send the golden orders and repeat one; 0 only if all succeeded and the repetition was a replay."""
    say = _progress()
    with running_stack(say) as stack:
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
    say = _progress()
    with stack_file(say) as file, running_stack(say) as stack:
        publish(stack, file)
        say(f"up; described in {STACK_FILE.relative_to(ROOT)}")
        print(f"\n{curl_lines(stack)}\nCtrl-C stops it.", flush=True)
        threading.Event().wait()
    return 0


def _stop(number: int, _frame: FrameType | None) -> None:
    """Leave by the way that stops what was started."""
    sys.exit(128 + number)


def main() -> int:
    """Parse the command line and run the command."""
    parser = argparse.ArgumentParser(prog="vezne_cli", description=__doc__)
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
