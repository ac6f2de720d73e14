"""One function in its own process, as Lambda starts it: `child.py cold` or `child.py warm ORDERS`.

The function's folder is on the path. Everything imported before the function is also imported by the function itself.
Prints JSON.
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

results = os.dup(1)
# Logs and metrics are formatted and written, but to nowhere.
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
exec(os.environ.pop("BENCH_PRELUDE", ""))  # noqa: S102
handler = import_module("app").handler
ready, ready_cpu = time.monotonic_ns(), time.process_time_ns()
loaded = len(sys.modules)

sys.path.extend([str(Path(__file__).parent), str(Path(__file__).parents[2])])
stubs = import_module("stubs")


class Context:
    """The context that Lambda gives to a handler."""

    function_name = "bench"
    function_version = "1"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:bench"
    aws_request_id = "00000000-0000-4000-8000-000000000000"
    tenant_id = None

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 27_000


def order(number: int) -> dict[str, Any]:
    """The golden event with a new key."""
    event: dict[str, Any] = json.loads(golden)
    for headers, value in (("headers", f"bench-{number}"), ("multiValueHeaders", [f"bench-{number}"])):
        event[headers]["Idempotency-Key"] = value
    return event


def answered(event: dict[str, Any]) -> None:
    """Send it, and check that it succeeded."""
    answer = handler(event, Context)
    assert answer["statusCode"] == expected, answer


golden = Path(os.environ["BENCH_EVENT"]).read_text()
# A status read finds nothing in the stub's table.
expected = 404 if os.environ["BENCH_EVENT"].endswith("get_operation.api.json") else 200
stubs.install()
measured: dict[str, Any] = {"ready": ready, "ready_cpu_ms": ready_cpu / 1e6, "modules": loaded}
if sys.argv[1] == "cold":
    event = order(0)
    begun = time.monotonic_ns()
    answered(event)
    measured["first_order_ms"] = (time.monotonic_ns() - begun) / 1e6
    measured["modules_after"] = len(sys.modules)
else:
    warm_up, count = 100, int(sys.argv[2])
    milliseconds = []
    for number in range(warm_up + count):
        event = order(number)
        if number == warm_up:
            stubs.calls.clear()
        begun_cpu = time.process_time_ns()
        answered(event)
        milliseconds.append((time.process_time_ns() - begun_cpu) / 1e6)
    measured["cpu_ms"] = milliseconds[warm_up:]
measured["calls"] = dict(stubs.calls)
# getrusage does not fit: a new process inherits its parent's peak.
status = Path("/proc/self/status").read_text()
measured["peak_mib"] = int(status.partition("VmHWM:")[2].split()[0]) / 1024
os.write(results, json.dumps(measured).encode())
