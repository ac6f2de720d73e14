"""The time in which sweeps drain what an outage left, and the wait of an order that becomes unknown then."""

import time
from dataclasses import dataclass, replace

from vezne.orders.record import FINAL, LOOK_UP, UNKNOWN, Record, from_item, operation_id, to_item

from tests.faults.outage import seams
from tests.faults.outage.environment import Environment, Traffic
from tests.faults.outage.providers import ORDER, Sickness
from tests.faults.outage.scenarios import SEED, SICK
from tests.support.operations import of

# Of 20 orders a minute, one gets no answer and is not repeated, so only a sweep finds it. So few faults open no
# breaker.
ORDERS_PER_SECOND, UNANSWERED = 1 / 3, 0.05
HOUR, DAY = 3600.0, 86_400.0


@dataclass(frozen=True)
class Backlog:
    """Unresolved records: `booked` ones of the last hour, and `unprovable` ones of earlier days."""

    name: str
    booked: int
    unprovable: int = 0
    # The longest time that is simulated, in hours.
    hours: float = 24.0


@dataclass
class Drained:
    """The result of one run. `newcomer_seconds`: the longest time until a newcomer's outcome was known."""

    backlog: Backlog
    workers: int
    minutes: float | None = None
    left: int = 0
    newcomers: int = 0
    newcomer_seconds: float = 0.0
    newcomers_waiting: int = 0
    look_ups: int = 0
    took_seconds: float = 0.0


# An hour of silence without a breaker left 72,259 unknown outcomes in an earlier version (throttle 200), or 34,064
# (throttle 20).
BACKLOGS = (
    (Backlog("130 booked", 130), 4),
    *((Backlog(name, 72_259, unprovable, hours=8.0), workers)
      for name, unprovable in (("72,259 booked", 0), ("72,259 booked, 34,064 unprovable", 34_064))
      for workers in (4, 8)),
)  # fmt: skip


def run(backlog: Backlog, workers: int, seed: int = SEED) -> Drained:
    """Drain a backlog with so many workers."""
    started = time.process_time()
    environment = Environment([Traffic(SICK, ORDERS_PER_SECOND, 20.0)], backlog.hours * HOUR, seed)
    (provider,) = environment.providers.values()
    clients = environment.clients[SICK]
    clients.patience = 0.0
    with seams.in_place(environment):
        waiting = _fill(environment, backlog)
        provider.sickness = Sickness("502", frozenset({ORDER}), share=UNANSWERED, books=True)
        clients.start()
        environment.start_sweeps(SICK, workers=workers)
        minutes = None
        while minutes is None and environment.clock.now < environment.begins + backlog.hours * HOUR:
            environment.run_for(60.0)
            waiting = {name for name in waiting if not _is_final(environment, name)}
            if not waiting and backlog.booked:
                minutes = (environment.clock.now - environment.begins) / 60
    waits = _waits(environment)
    known = [seconds for seconds, ended in waits if ended]
    return Drained(
        backlog,
        workers,
        minutes=minutes,
        left=len(waiting),
        newcomers=len(waits),
        newcomer_seconds=max((seconds for seconds, _ in waits), default=0.0),
        newcomers_waiting=len(waits) - len(known),
        look_ups=provider.calls["look-up"],
        took_seconds=time.process_time() - started,
    )


def _fill(environment: Environment, backlog: Backlog) -> set[str]:
    """Put the records into the table. Returns the names of those that the provider can show."""
    (provider,) = environment.providers.values()
    pattern = _unknown_record(environment)
    booked = set()
    for number in range(backlog.booked + backlog.unprovable):
        is_booked = number < backlog.booked
        age = (number / backlog.booked) * HOUR if is_booked else 2 * DAY + number
        record = _like(pattern, f"left-{number}", environment.begins - age)
        if not is_booked:
            # They are looked up daily without end, so some of them are due at any time.
            overdue = (number - backlog.booked) / backlog.unprovable * DAY
            record = replace(record, next_look_up=round(environment.begins - overdue, 3))
        environment.table.put_item(TableName="records", Item=to_item(record))
        if is_booked:
            provider.booked[f"left-{number}"] = [record.created_at + 1]
            booked.add(record.id)
    return booked


def _unknown_record(environment: Environment) -> Record:
    """A record as the handler leaves it when the provider does not answer."""
    (provider,) = environment.providers.values()
    provider.sickness = Sickness("hang")
    event = of(SICK).order("pattern", "49.90").event
    environment.fleet.invoke(SICK, event, 27.0, lambda _: None)
    environment.run_for(30.0)
    environment.begins = environment.clock.now
    (item,) = [item for item in environment.table.items.values() if item["id"]["S"].startswith("op_")]
    record = from_item(item)
    for name in list(environment.table.items):
        environment.table.delete_item(Key={"id": {"S": name}})
    return record


def _like(pattern: Record, mark: str, created_at: float) -> Record:
    moved = created_at - pattern.created_at
    known_as = operation_id(pattern.principal, pattern.operation, mark)
    fields = {name: value.replace("pattern", mark) for name, value in pattern.lookup_fields.items()}
    guards = tuple(replace(guard, key=guard.key.replace("pattern", mark)) for guard in pattern.guards)
    assert pattern.status == UNKNOWN
    assert pattern.next_look_up is not None
    return replace(
        pattern,
        id=known_as,
        created_at=created_at,
        updated_at=pattern.updated_at + moved,
        may_arrive_until=pattern.may_arrive_until + moved,
        next_look_up=round(pattern.next_look_up + moved, 3),
        lookup_fields=fields,
        guards=guards,
    )


def _is_final(environment: Environment, name: str) -> bool:
    return environment.table.items[name]["status"]["S"] in FINAL


def _waits(environment: Environment) -> list[tuple[float, bool]]:
    """For each newcomer: the time until its outcome was known or until now, and whether it is known."""
    waits = []
    principal = of(SICK).order("any", "1.00").client
    for order in environment.clients[SICK].orders:
        item = environment.table.items.get(operation_id(principal, SICK, f"key-{order.reference}"))
        record = None if item is None else from_item(item)
        if record is not None and (not record.final or record.settled_by == LOOK_UP):
            ended = record.updated_at if record.final else environment.clock.now
            waits.append((ended - record.created_at, record.final))
    return waits
