"""`python -m tests.faults.soak MINUTES`: random orders and faults for so many minutes, then a summary.

Each operation has its own thread. Orders get faulty answers, are killed, repeated and swept at random. Then they are
judged as in the tests, and compared with the providers' own lists. The program explains what stays unknown. Exit code 1
if anything was doubled, lost or wrong.
"""

import argparse
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.faults.environment import OPERATIONS, Environment, Function, running_environment
from tests.faults.function import STEPS
from tests.faults.orders import COMPLETE_LOOK_UP, new_order
from tests.faults.reconciled import functions_of, reconciled_trials, told
from tests.faults.test_faulty_answers import LOOK_UP_FAULTS, LOOK_UPS, ORDER_FAULTS, has_fault
from tests.faults.verdict import RETRY_AT, Trial

# Seconds until the sandboxes are reset. Each verdict searches their lists, which grow.
ROUND_SECONDS = 20
# Threads for each operation. Most of the time they wait for a silent provider.
WORKERS = 4
UNKNOWN_BECAUSE = {
    name: f"not booked, and that {LOOK_UPS[name]} shows every order is not documented"
    for name in OPERATIONS
    if name not in COMPLETE_LOOK_UP
}


@dataclass
class Sum:
    """The results of all orders."""

    counts: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    # What became of the outcomes that were unknown when the callers were answered.
    outcomes: Counter[str] = field(default_factory=Counter)

    def end_round(self, trials: list[Trial]) -> None:
        """Add the orders of a round, and reconcile them with the providers' lists."""
        for trial in trials:
            self.add(trial)
        try:
            self.outcomes.update(reconciled_trials(trials))
        except AssertionError as error:
            self.counts["wrong"] += 1
            self.broken.append(f"the reconciliation is not clean: {error}")
        for function in functions_of(trials):
            function.close()

    def add(self, trial: Trial) -> None:
        self.counts.update(orders=1, bookings=trial.bookings_at_the_end, kills=trial.kills,
                           calls=len(trial.told))  # fmt: skip
        if trial.final_status in ("unknown", "processing") and not trial.verdict:
            self.unknown[trial.order.operation] += 1
        for complaint in trial.verdict:
            kind = "doubles" if "bookings" in complaint and "double" in complaint else (
                "lost" if complaint.startswith(("lost", "still unknown")) else "wrong")  # fmt: skip
            self.counts[kind] += 1
            self.broken.append(f"{trial.order.operation} {trial.order.key}: {complaint}; told {trial.told}")

    def lines(self, seconds: float) -> list[str]:
        counts, unknown = self.counts, self.unknown
        rate = f"{counts['calls'] / seconds:.0f} a second"
        names = ("orders", "bookings", "doubles", "lost", "wrong")
        counted = ", ".join(f"{name} {counts[name]}" for name in names)
        return [
            *self.broken,
            f"{seconds:.0f} s, {counts['calls']} invocations ({rate}), {counts['kills']} of them killed",
            f"{counted}, still unknown {unknown.total()}",
            told(self.outcomes),
            *(f"  {count} {name}: {UNKNOWN_BECAUSE[name]}" for name, count in sorted(unknown.items())),
        ]


def one_order(function: Function, chance: random.Random) -> Trial:
    """Send an order with random faults, kills, repetitions, sweeps and misleading look-ups.

    Then sweep without faults, and judge.
    """
    _, rule = chance.choice([("truth", {}), *ORDER_FAULTS])
    if rule and not has_fault(function.operation, rule["then"]):
        rule = {}
    trial = Trial(function, new_order(function.operation), late=isinstance(rule.get("book"), dict))
    control, made = function.environment.sandbox, []
    if rule:
        made.append(control.rule(function.operation, match=trial.order.reference, **rule)["id"])
    trial.send(plan=random_plan(chance))
    for number in range(1, chance.randrange(4) + 1):
        if chance.random() < 0.2:
            made.append(misleading_look_up(trial, chance))
        trial.let_late_bookings_fall_due()
        if chance.random() < 0.5:
            trial.retry(number * RETRY_AT, plan=random_plan(chance))
        else:
            trial.sweep(clock=number * RETRY_AT + 65, plan=random_plan(chance))
    for rule_id in made:
        control.remove_rules(rule_id)
    trial.retry(5 * RETRY_AT)
    trial.sweep_until_quiet()
    trial.end()
    return trial


def misleading_look_up(trial: Trial, chance: random.Random) -> int:
    look_up = LOOK_UPS[trial.order.operation]
    rule = chance.choice([fault for _, fault in LOOK_UP_FAULTS if has_fault(look_up, fault["then"])])
    made = trial.function.environment.sandbox.rule(look_up, match=trial.order.reference, **rule)
    number: int = made["id"]
    return number


def random_plan(chance: random.Random) -> dict[str, str]:
    return {"at": chance.choice(STEPS)} if chance.random() < 0.4 else {}


def soak(environment: Environment, minutes: float, seed: int) -> Sum:
    """Run rounds of random orders until the time is over."""
    total, ends, number = Sum(), time.monotonic() + 60 * minutes, 0
    while time.monotonic() < ends:
        number += 1
        environment.sandbox.reset()
        round_ends = min(ends, time.monotonic() + ROUND_SECONDS)

        def keep_ordering(place: tuple[str, int], end: float = round_ends, name: int = number) -> list[Trial]:
            function, chance = environment.function(place[0]), random.Random(f"{seed} {name} {place}")
            trials = [one_order(function, chance)]
            while time.monotonic() < end:
                trials.append(one_order(function, chance))
            return trials

        places = [(operation, worker) for operation in OPERATIONS for worker in range(WORKERS)]
        with ThreadPoolExecutor(len(places)) as pool:
            total.end_round([trial for trials in pool.map(keep_ordering, places) for trial in trials])
    return total


def minutes(asked: str) -> float:
    """Read the number of minutes. argparse shows the error to the user."""
    if asked.isascii() and asked.replace(".", "", 1).isdecimal() and 0 < float(asked) <= 1440:
        return float(asked)
    raise argparse.ArgumentTypeError(f"{asked} is not a valid number of minutes: use one from 0.1 to 1440, like 10.")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("minutes", type=minutes, metavar="MINUTES")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    sys.stdout.write(f"seed {asked.seed}\n")
    started = time.monotonic()
    with running_environment() as environment:
        total = soak(environment, asked.minutes, asked.seed)
    sys.stdout.write("\n".join(total.lines(time.monotonic() - started)) + "\n")
    return 1 if total.broken else 0


if __name__ == "__main__":
    sys.exit(main())
