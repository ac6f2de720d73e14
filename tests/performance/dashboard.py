"""`make dashboard-preview`: send orders for a minute, and draw the dashboard of what happened.

At first providers are healthy. Then they have faults. Then sweeps find the unknown outcomes.
"""

import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from vezne_cli.dashboard import PARAMETERS, PICTURE, draw, points
from vezne_cli.output import Steps
from vezne_cli.stack import Stack, running_stack

from tests.support.operations import OPERATIONS
from tests.support.order import Order, new_order

SECONDS = 60.0
ROUND_SECONDS = 2


def send_orders(stack: Stack, seconds: float) -> None:
    """Orders of every kind for a while: first healthy, then with faulty providers, then with sweeps."""
    token, chance = stack.token(), random.Random(4)  # noqa: S311
    started = time.monotonic()
    with ThreadPoolExecutor(6) as senders:
        while (passed := time.monotonic() - started) < seconds:
            if seconds * 0.3 < passed < seconds * 0.65:
                _add_faults(stack, chance)
            orders = [_order(operation, chance) for operation in OPERATIONS for _ in range(2)]
            chance.shuffle(orders)
            list(senders.map(lambda one: _send(stack, one, token), orders))
            if passed > seconds * 0.75:
                _make_look_ups_due(stack)
            list(senders.map(lambda name: stack.invoke(name, _sweep()), OPERATIONS))
            time.sleep(max(0.0, passed + ROUND_SECONDS - (time.monotonic() - started)))


def _add_faults(stack: Stack, chance: random.Random) -> None:
    stack.sandbox.rule("kolaybi.collect", chance.choice(["reset", "answer"]))
    stack.sandbox.rule("vakifbank.pay", chance.choice(["refuse", "answer"]))
    stack.sandbox.rule("walletgate.pay_bill", chance.choice(["refuse", "cut", "answer"]))
    stack.sandbox.rule("paynet.capture", chance.choice(["status_500", "unauthorized", "answer"]))


def _order(operation: str, chance: random.Random) -> Order:
    """A new order with a random amount. A collection may have another currency."""
    one = new_order(operation, f"{chance.randint(20, 400)}.{chance.randint(0, 99):02}")
    currency = chance.choice(["TRY", "TRY", "USD", "EUR"])
    return one.but(currency=currency) if operation == "kolaybi.collect" else one


def _send(stack: Stack, one: Order, token: str) -> None:
    stack.request("POST", one.path, token=token, key=one.key, body=one.body)


def _sweep() -> dict[str, Any]:
    return {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


def _make_look_ups_due(stack: Stack) -> None:
    """End the back-off of all unknown outcomes at once."""
    for record in stack.records():
        if "unresolved" in record:
            stack.aws("dynamodb").update_item(
                TableName=stack.table,
                Key={"id": record["id"]},
                UpdateExpression="SET next_look_up = :past",
                ConditionExpression="attribute_exists(unresolved)",
                ExpressionAttributeValues={":past": {"N": "1"}},
            )


def main() -> int:
    """Start a stack, send orders, draw."""
    with Steps() as say, running_stack(say, PARAMETERS) as stack:
        say(f"sending orders for {SECONDS:.0f} seconds")
        send_orders(stack, SECONDS)
        recorded = list(points(stack.aws("logs")))
    draw(recorded, PICTURE)
    print(f"drawn from {len(recorded)} points: {PICTURE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
