"""The outages, and the figures of each."""

import time
from dataclasses import dataclass, field, replace

from vezne.orders.record import FINAL, operation_id
from vezne_cli.catalogue import ORDERS

from tests.faults.outage import seams
from tests.faults.outage.environment import Environment, Traffic
from tests.faults.outage.peer import PowertoolsCircuit
from tests.faults.outage.providers import MODELLED, ORDER, Sickness
from tests.support.operations import of

SEED = 1
# One provider that signs each call, and one that logs in.
SICK = "paynet.capture"
BESIDE = "vakifbank.pay"
BESIDE_PER_SECOND = 5.0
# The orders of the other providers.
BY_SANDBOX = tuple(name for name, order in ORDERS.items() if order.provider not in MODELLED)
WARM_UP_SECONDS = 30.0
# Seconds after the provider has recovered. A bad trial keeps a breaker open for up to 300 s.
AFTER_SECONDS, AFTER_BAD_TRIALS_SECONDS = 90.0, 360.0
# For so many seconds after a cold start a 503 is no defect.
COLD_SECONDS = 2.0
# A provider has recovered when it takes this share of a window of so many orders or seconds.
BACK_SHARE, BACK_ORDERS, BACK_SECONDS = 0.9, 5, 5.0
# The breaker between an order and its provider.
NOTHING, OURS, POWERTOOLS = "without", "with", "Powertools"


@dataclass(frozen=True)
class Scenario:
    """One provider is sick for so many minutes, and others are healthy. `share`: the value of OrderConcurrency."""

    name: str
    sickness: Sickness | None
    minutes: float = 60.0
    per_second: float = 20.0
    throttle: float = 20.0
    operation: str = SICK
    beside: tuple[str, ...] = (BESIDE,)
    before: float = WARM_UP_SECONDS
    after: float = AFTER_SECONDS
    share: int | None = None

    def lasting(self, minutes: float) -> "Scenario":
        """The same scenario, for so many minutes at most."""
        return replace(self, minutes=min(self.minutes, minutes))


@dataclass
class Measured:
    """The results of one run."""

    scenario: Scenario
    breaker: str
    orders: int = 0
    unknown: int = 0
    sick_calls_per_second: float = 0.0
    peak: int = 0
    # Calls of the healthy providers that found no free instance.
    throttled_beside: int = 0
    # 429 answers of the sick provider's own route.
    too_many: int = 0
    # 503 of the sick provider's route, later than two seconds after the start.
    late_503: int = 0
    recovery_seconds: float | None = None
    openings: int = 0
    promise: str = ""
    table_calls: dict[str, int] = field(default_factory=dict)
    # Seconds since the provider fell sick, for each outcome that became unknown.
    unknown_at: list[float] = field(default_factory=list)
    took_seconds: float = 0.0


SCENARIOS = (
    Scenario("hang", Sickness("hang", books=True)),
    Scenario("hang, throttle 200", Sickness("hang", books=True), throttle=200.0),
    Scenario("hang, share 90", Sickness("hang", books=True), share=90),
    Scenario("502", Sickness("502")),
    Scenario("VakıfBank hangs, login too, 5/s", Sickness("hang", books=True), minutes=20.0, per_second=5.0,
             operation=BESIDE, beside=(SICK,)),
    *(Scenario(f"{operation} hangs, 5/s", Sickness("hang", books=True), per_second=5.0, operation=operation,
               beside=(SICK, BESIDE))
      for operation in BY_SANDBOX),
    Scenario("only orders hang", Sickness("hang", frozenset({ORDER}), books=True), after=AFTER_BAD_TRIALS_SECONDS),
    Scenario("only orders 502", Sickness("502", frozenset({ORDER})), after=AFTER_BAD_TRIALS_SECONDS),
    Scenario("hang, 6 orders a minute", Sickness("hang", books=True), per_second=0.1),
    Scenario("10 % answer 502", Sickness("502", share=0.1), throttle=200.0),
    Scenario("30 % answer 502", Sickness("502", share=0.3), throttle=200.0),
    Scenario("70 % answer 502", Sickness("502", share=0.7), throttle=200.0),
    Scenario("every order takes 8 s", Sickness("slow", frozenset({ORDER})), throttle=200.0),
    Scenario("every call takes 8 s", Sickness("slow"), throttle=200.0),
    *(Scenario(f"hang, 200/s, {'no share' if share is None else f'share {share}'}", Sickness("hang", books=True),
               minutes=1.0, per_second=200.0, throttle=400.0, before=10.0, after=45.0, share=share)
      for share in (None, 150, 250)),
    Scenario("15,000 healthy orders", None, minutes=12.5),
    Scenario("VakıfBank, cold start", None, minutes=5.0, throttle=200.0, operation=BESIDE),
)  # fmt: skip


def run(scenario: Scenario, breaker: str = OURS, seed: int = SEED) -> Measured:
    """Run one scenario, from its start until some minutes after the provider has recovered."""
    started = time.process_time()
    sick_seconds = 60 * scenario.minutes
    # The healthy run has no other time. In the others, orders come before and after the outage, too.
    before, after = (scenario.before, scenario.after) if scenario.sickness else (0.0, 0.0)
    traffic = [Traffic(scenario.operation, scenario.per_second, scenario.throttle)]
    if scenario.sickness:
        traffic += [Traffic(each, BESIDE_PER_SECOND, 20.0) for each in scenario.beside]
    environment = Environment(traffic, before + sick_seconds + after, seed, share=scenario.share)
    if breaker == POWERTOOLS:
        environment.circuit = PowertoolsCircuit(environment)
    provider = environment.providers[ORDERS[scenario.operation].provider]
    with seams.in_place(environment, breaker=breaker == OURS):
        environment.start()
        environment.run_for(before)
        fell_sick = environment.clock.now
        provider.sickness = scenario.sickness
        environment.run_for(sick_seconds)
        well = environment.clock.now
        provider.sickness = None
        environment.run_for(after)
        # Calls that still wait get their answers.
        environment.run_for(30.0 if scenario.sickness else 10.0)
        measured = _measured(scenario, breaker, environment, fell_sick, well)
    measured.took_seconds = time.process_time() - started
    return measured


def _measured(scenario: Scenario, breaker: str, environment: Environment, fell_sick: float, well: float) -> Measured:
    operation = scenario.operation
    provider = environment.providers[ORDERS[operation].provider]
    clients = environment.clients[operation]
    return Measured(
        scenario,
        breaker,
        orders=len(clients.orders),
        unknown=environment.metrics[operation]["OrderUnknown"],
        sick_calls_per_second=provider.sick_calls / max(1.0, well - fell_sick),
        peak=environment.fleet.peak_of_all,
        throttled_beside=sum(environment.fleet.throttled[each] for each in scenario.beside),
        too_many=environment.throttles[operation].refused,
        late_503=sum(at > environment.begins + COLD_SECONDS for at in clients.not_sent),
        recovery_seconds=_recovery(environment, scenario, well) if scenario.sickness else None,
        openings=len(environment.openings),
        promise=" / ".join(map(str, kept_promise(environment))),
        table_calls=dict(environment.table.calls),
        unknown_at=[at - fell_sick for at in environment.unknown_at[operation]],
    )


def _recovery(environment: Environment, scenario: Scenario, well: float) -> float | None:
    """Seconds until as many orders succeed again as are placed; None if that is not within the run."""
    window = max(BACK_SECONDS, BACK_ORDERS / scenario.per_second)
    wanted = BACK_SHARE * window * scenario.per_second
    succeeded = environment.clients[scenario.operation].succeeded
    for step in range(int(scenario.after - window)):
        begins = well + step
        if sum(begins <= at < begins + window for at in succeeded) >= wanted:
            return float(step)
    return None


def kept_promise(environment: Environment) -> tuple[int, int, int]:
    """Doubles, lost orders, wrong outcomes: compares bookings, records and what clients were told."""
    doubles = sum(provider.doubles() for provider in environment.providers.values())
    lost = wrong = 0
    for operation, clients in environment.clients.items():
        booked = environment.providers[ORDERS[operation].provider].booked
        principal = of(operation).order("any", "1.00").client
        for order in clients.orders:
            known_as = operation_id(principal, operation, f"key-{order.reference}")
            status = environment.table.items.get(known_as, {}).get("status", {}).get("S")
            is_booked = order.reference in booked
            lost += is_booked and status is None
            final = status in FINAL
            wrong += (final and (status == "succeeded") != is_booked) or (order.status == 200 and not is_booked)
    return doubles, lost, wrong
