"""One run: the clock, the fleet, the table, the providers, the clients, and the counters."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vezne_cli.catalogue import ORDERS, PROVIDERS

from tests.faults.outage import seams
from tests.faults.outage.clients import Clients
from tests.faults.outage.clock import Clock
from tests.faults.outage.fleet import Fleet, Instance, Throttle
from tests.faults.outage.providers import Answer, provider_of
from tests.faults.outage.table import Table

if TYPE_CHECKING:
    from tests.faults.outage.peer import PowertoolsCircuit

# As in the template, the route's burst is twice its rate.
BURST = 2
# A rule starts so many workers each minute. A worker has the whole time of the function.
SWEEP_EVERY_SECONDS = 60.0
SWEEP_SECONDS = 58.0
WORKERS = 4


@dataclass(frozen=True)
class Traffic:
    """Orders of one operation. `throttle`: ThrottlingRate of its route."""

    operation: str
    per_second: float
    throttle: float


class Environment:
    """Vezne with some of its operations, as deployed."""

    def __init__(
        self, traffic: list[Traffic], seconds: float, seed: int, *, instances: int = 1000, share: int | None = None
    ) -> None:
        """`share`: OrderConcurrency, the instances reserved for each order function."""
        self.clock = Clock()
        self.begins = self.clock.now
        self.table = Table(self._takes, self._changed)
        self.metrics: dict[str, Counter[str]] = defaultdict(Counter)
        self.unknown_at: dict[str, list[float]] = defaultdict(list)
        self.openings: list[tuple[float, str]] = []
        operations = [each.operation for each in traffic]
        self.fleet = Fleet(self.clock, [seams.function_of(name, share) for name in operations], instances)
        self.throttles = {each.operation: Throttle(each.throttle, BURST * each.throttle) for each in traffic}
        names = sorted({ORDERS[name].provider for name in operations})
        self.providers = {name: provider_of(name, random.Random(f"{seed} {name}")) for name in names}
        self._by_variable = {variable: name for name in self.providers for variable in PROVIDERS[name].urls}
        # Another breaker instead of ours.
        self.circuit: PowertoolsCircuit | None = None
        self.clients = {each.operation: Clients(self, each.operation, each.per_second, self.begins + seconds)
                        for each in traffic}  # fmt: skip

    def instance(self) -> Instance:
        """The instance that runs now."""
        assert self.fleet.current is not None
        return self.fleet.current

    def now(self) -> float:
        """The time that the running code sees."""
        return self.clock.now if self.fleet.current is None else self.fleet.current.now()

    def start(self, *, sweeps: bool = True) -> None:
        for number, clients in enumerate(self.clients.values()):
            clients.start()
            if sweeps:
                self.start_sweeps(clients.operation, 10.0 * (number + 1))

    def start_sweeps(self, operation: str, delay: float = 10.0, workers: int = WORKERS) -> None:
        """Start the schedule of an operation's sweeps."""
        self.clock.after(delay, lambda: self._sweep(operation, workers))

    def run_for(self, seconds: float) -> None:
        self.clock.run(self.clock.now + seconds)

    def provider_at(self, variable: str) -> str:
        """The provider at the address in this environment variable."""
        return self._by_variable[variable]

    def answer(self, provider: str, prepared: Any) -> Answer:
        """The provider's answer to a call."""
        return self.providers[provider].answer(prepared, self.now())

    def count(self, metric: str, operation: str, value: float) -> None:
        self.metrics[operation][metric] += int(value)
        if metric == "OrderUnknown":
            self.unknown_at[operation].append(self.clock.now)

    def _sweep(self, operation: str, workers: int) -> None:
        for worker in range(workers):
            event = {"sweep": {"worker": worker, "of": workers}}
            self.fleet.invoke(operation, event, SWEEP_SECONDS, lambda _: None)
        self.clock.after(SWEEP_EVERY_SECONDS, lambda: self._sweep(operation, workers))

    def _takes(self, seconds: float) -> None:
        if self.fleet.current is not None:
            self.fleet.current.takes(seconds)

    def _changed(self, name: str, before: Any, after: Any) -> None:
        if name.startswith("breaker#") and _is_open(after) and not _is_open(before):
            self.openings.append((self.clock.now, name.partition("#")[2]))


def _is_open(item: Any) -> bool:
    return bool(item.get("state", {}).get("S") == "open")
