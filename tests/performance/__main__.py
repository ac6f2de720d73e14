"""`make bench`: measure everything beside a floor and a peer in one run. Print it, and save it as JSON and a chart."""

import argparse
import dataclasses
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from vezne_cli.processes import LOCAL

from tests.support import results
from tests.support.dynamodb_local import dynamodb_local

from .connection import connections
from .growth import assert_level, growth
from .installation import BENCH, FUNCTIONS, HERE, READER, build_layer, install
from .measuring import cold, steps, warm
from .report import chart, table
from .runtime import emulator, through_the_runtime
from .size import sizes

PARTS = ("cold", "steps", "warm", "connection", "runtime", "growth", "size")
GROWTH = [1_000, 100_000, 1_000_000]


def main() -> None:
    """Measure the parts that are asked for."""
    arguments = _arguments()
    figures: dict[str, Any] = {"machine": _machine()}
    _say("building the layer for deployment")
    subjects = install()
    ours = [subjects[name] for name in (*FUNCTIONS, READER)]
    others = [subjects["floor"], subjects["peer"]]
    if "cold" in arguments.parts:
        _say(f"cold starts, {arguments.runs} of each")
        figures["cold"] = cold([*others, *ours], arguments.runs)
    if "steps" in arguments.parts:
        _say("cold starts, each step undone")
        figures["steps"] = steps(subjects["paynet_capture"], arguments.runs)
    if "warm" in arguments.parts:
        _say(f"warm orders, {arguments.orders} of each")
        figures["warm"] = warm([*others, *ours[:-1]], arguments.orders, rounds=5)
    if "connection" in arguments.parts:
        figures["connection"] = connections()
    if "runtime" in arguments.parts:
        _say("orders through Lambda's runtime")
        figures["runtime"] = (
            through_the_runtime([subjects["paynet_capture"], subjects["peer"]], arguments.orders // 5)
            if emulator()
            else "no runtime interface emulator in .venv-sam"
        )
    if "growth" in arguments.parts:
        _say("growth")
        folder = dynamodb_local()
        figures["growth"] = (
            folder if isinstance(folder, str) else growth(folder, BENCH / "dynamodb.log", arguments.growth, _say)
        )
    if "size" in arguments.parts:
        build_layer(BENCH / "arm64", "arm64")
        figures["size"] = sizes(BENCH / "arm64", BENCH / "layer.zip")
    print(table(figures))
    _write_down(table(figures))
    (LOCAL / "bench.json").write_text(json.dumps(figures, indent=1, default=_plain))
    if {"cold", "warm"} <= figures.keys():
        chart(figures, HERE / "bench.png")
        _say(f"written: {LOCAL.name}/bench.json and tests/performance/bench.png")
    if isinstance(figures.get("growth"), list):
        assert_level(figures["growth"])


def _write_down(printed: str) -> None:
    """Save a run of all parts only. The first lines show the machine, the last table the layer's size."""
    if len(sys.argv) == 1:
        tables = [part.splitlines() for part in printed.split("\n\n")[1:-1] if "left out" not in part]
        results.write(HERE / "RESULTS.md", "make bench", tables)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--runs", type=int, default=21, help="cold starts of each")
    parser.add_argument("--orders", type=int, default=10_000, help="warm orders of each")
    parser.add_argument(
        "--growth", nargs="+", type=int, default=GROWTH, help="records in the table; a million take minutes to load"
    )
    return parser.parse_args()


def _machine() -> dict[str, str]:
    processor = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    return {
        "processor": processor,
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(type(value).__name__)


if __name__ == "__main__":
    main()
