"""`vezne run` and `vezne serve`: the local stack for one round of orders, or until Ctrl-C."""

import sys
import threading

from .orders import Sent, golden_orders, send, table
from .output import Steps, on_terminal, show_table
from .processes import ROOT, STACK_FILE, stack_file
from .quick_start import curl_lines
from .stack import USUAL_PORT, publish, running_stack
from .sweeps import seconds_between, sweeping


def run(say: Steps) -> bool:
    """Send the golden orders and repeat one: whether all succeeded and the repetition was a replay."""
    with running_stack(say, usual_port=USUAL_PORT) as stack:
        orders = golden_orders()
        say(f"getting a token, sending {len(orders)} orders (the first call of a function also starts it)")
        token = stack.token()
        sent = [send(stack, order, token) for order in orders]
        again = send(stack, sent[-1].order, token)
        _print([*sent, again])
        failed = [one for one in sent if not one.succeeded]
        for one in failed:
            print(f"{one.order.operation} answered: {one.response.text}", file=sys.stderr)
        replay = again.replayed and again.answer == sent[-1].answer
        if not replay:
            print("The repeated order was not answered by a replay of its first answer.", file=sys.stderr)
    if failed or not replay:
        say(f"{len(sent) - len(failed)} of {len(sent)} orders succeeded; the logs are in .local/logs")
        return False
    say(f"all {len(sent)} orders succeeded, and the repeated one was answered without a second payment")
    return True


def _print(sent: list[Sent]) -> None:
    if on_terminal():
        show_table(("operation", "HTTP", "status", "provider reference", "ms"), [one.row() for one in sent])
    else:
        print(f"\n{table(sent)}\n", flush=True)


def serve(say: Steps) -> None:
    """Keep the stack up and describe it in `.local/stack.json` until interrupted."""
    seconds = seconds_between()
    with stack_file(say) as file, running_stack(say, usual_port=USUAL_PORT) as stack:
        publish(stack, file)
        say(f"up at {stack.api_url}; described in {STACK_FILE.relative_to(ROOT)}")
        say.rest()
        with sweeping(stack, seconds, say):
            print(f"\n{curl_lines(stack)}", flush=True)
            print(
                f"The sandboxes' manual is at {stack.sandbox_url}/ and `make logs` prints the logs. Ctrl-C stops all.",
                flush=True,
            )
            threading.Event().wait()
