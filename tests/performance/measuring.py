"""Cold starts and warm orders, each in its own process, in turn: a busy moment affects all of them alike."""

import json
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .installation import BENCH, CHILD, PYTHON, Subject


@dataclass(frozen=True)
class Spread:
    """A summary of many runs."""

    median: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float], tail: float = 0.1) -> "Spread":
        """The median, and the quantiles `tail` from both ends."""
        ordered = sorted(values)
        low, high = (ordered[round((len(ordered) - 1) * place)] for place in (tail, 1 - tail))
        return cls(statistics.median(ordered), low, high, len(ordered))

    def __str__(self) -> str:
        return self.text(0)

    def text(self, digits: int) -> str:
        """The median, and the range from low to high."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"


def run(subject: Subject, *arguments: str, **environment: str) -> dict[str, Any]:
    """One run of child.py. `ready_ms` counts from just before the process is made."""
    begun = time.monotonic_ns()
    process = subprocess.run(
        [PYTHON, "-s", "-P", CHILD, *arguments],
        env=subject.environment(**environment),
        stdout=subprocess.PIPE,
        check=True,
    )
    measured: dict[str, Any] = json.loads(process.stdout)
    measured["ready_ms"] = (measured["ready"] - begun) / 1e6
    return measured


def interpreter() -> float:
    """Milliseconds of an interpreter that starts and ends at once."""
    begun = time.monotonic_ns()
    subprocess.run([PYTHON, "-s", "-P", "-c", "pass"], check=True, env={})
    return (time.monotonic_ns() - begun) / 1e6


def cold(subjects: Sequence[Subject], runs: int) -> dict[str, dict[str, Any]]:
    """For each subject: time until ready, time until the first answer, modules, memory."""
    taken: dict[str, list[dict[str, Any]]] = {subject.name: [] for subject in subjects}
    bare = []
    for _ in range(runs):
        bare.append(interpreter())
        for subject in subjects:
            taken[subject.name].append(run(subject, "cold"))
    result = {
        name: {
            "ready_ms": Spread.of([one["ready_ms"] for one in all_runs]),
            "ready_cpu_ms": Spread.of([one["ready_cpu_ms"] for one in all_runs]),
            "first_answer_ms": Spread.of([one["ready_ms"] + one["first_order_ms"] for one in all_runs]),
            "modules": all_runs[0]["modules"],
            "modules_after": all_runs[0]["modules_after"],
            "peak_mib": max(one["peak_mib"] for one in all_runs),
        }
        for name, all_runs in taken.items()
    }
    return {"interpreter": {"ready_ms": Spread.of(bare)}, **result}


# The steps that make the start faster -> Python that undoes one of them before the function is loaded.
STEPS = {
    "boto3 itself loaded (with s3transfer)": "import boto3",
    "garbage collection not paused": "import vezne, gc; gc.enable()",
    "botocore reads the endpoints of all services": "import vezne.platform.aws as a; del a._Loader.load_data_with_path",
    "botocore reads and builds every call of the two services": "import vezne.platform.aws as a; a._loader = a._Loader",
    "botocore searches all services": "import vezne.platform.aws as a; del a._Loader.list_available_services",
    "charset-normalizer in the layer": f"import sys; sys.path.append({str(BENCH / 'floor-packages')!r})",
    "authorities not read beside the imports": (
        "import functools, vezne.platform.startup; vezne.platform.startup.meanwhile = functools.cache"
    ),
    "pydantic looks for plugins": "import os; os.environ['PYDANTIC_DISABLE_PLUGINS'] = ''",
    "all currencies read": "import vezne.platform.money; vezne.platform.money._codes()",
    "every provider's secret model built": (
        "import vezne.providers.credentials as c; [m.model_rebuild() for m in c.SecretModel.__subclasses__()]"
    ),
}


def steps(subject: Subject, runs: int) -> dict[str, dict[str, Spread]]:
    """The milliseconds that a start takes more, by the clock and of the processor, without this one step."""
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in STEPS}
    kinds = ("ready_ms", "ready_cpu_ms")
    for _ in range(runs):
        as_it_is = run(subject, "cold")
        for name, prelude in STEPS.items():
            without = run(subject, "cold", BENCH_PRELUDE=prelude)
            taken[name].append({kind: without[kind] - as_it_is[kind] for kind in kinds})
    return {
        name: {kind: Spread.of([one[kind] for one in all_runs]) for kind in kinds} for name, all_runs in taken.items()
    }


def warm(subjects: Sequence[Subject], orders: int, rounds: int) -> dict[str, dict[str, Any]]:
    """For each subject: processor milliseconds per order, and the number of each call per order."""
    taken: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    calls: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for subject in subjects:
            measured = run(subject, "warm", str(orders // rounds))
            taken[subject.name] += measured["cpu_ms"]
            calls[subject.name] = {
                name: count / (orders // rounds) for name, count in sorted(measured["calls"].items())
            }
    result = {}
    for name, values in taken.items():
        ordered = sorted(values)
        result[name] = {
            "spread_ms": Spread.of(ordered),
            "p99_ms": ordered[round((len(ordered) - 1) * 0.99)],
            "orders": len(ordered),
            "calls_per_order": calls[name],
        }
    return result
