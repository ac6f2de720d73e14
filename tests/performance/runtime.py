"""Orders through Lambda's own runtime: the runtime interface emulator with the runtime client, a pool of two.

An emulator takes one request at a time, as a Lambda instance does. Two callers keep two instances busy. The provider is
the sandbox, which books each order. A server that stores nothing answers for the two AWS services.
"""

import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vezne_cli.processes import ROOT, choose_port, running
from vezne_cli.stack import _sandbox
from vezne_sandbox.client import SandboxControl

from .installation import BENCH, PYTHON, Subject
from .measuring import Spread

POOL = 2
WARM_UP = 20
PATH = "/2015-03-31/functions/function/invocations"


def emulator() -> Path | None:
    """The emulator of the SAM CLI, or None if it is not installed."""
    machine = "arm64" if os.uname().machine == "aarch64" else "x86_64"
    return next(
        (ROOT / ".venv-sam").glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"), None
    )


@dataclass(frozen=True)
class Servers:
    """The servers that the function calls."""

    aws_url: str
    sandbox: SandboxControl


def through_the_runtime(subjects: list[Subject], orders: int) -> dict[str, dict[str, Any]]:
    """For each subject: cold start, orders per second, latency, peak memory of one instance."""
    with _servers() as servers:
        return {subject.name: _orders(subject, servers, orders) for subject in subjects}


@contextmanager
def _servers() -> Iterator[Servers]:
    aws_port, sandbox_port = choose_port(), choose_port()
    command = [sys.executable, "-m", "tests.performance.aws_server", str(aws_port)]
    with (
        running("the AWS server", command, {**os.environ}, BENCH / "aws.log") as aws,
        _sandbox(sandbox_port, BENCH) as sandbox,
    ):
        aws.wait_for_port(aws_port)
        sandbox.wait_for_port(sandbox_port)
        yield Servers(f"http://127.0.0.1:{aws_port}", SandboxControl(f"http://127.0.0.1:{sandbox_port}"))


def _orders(subject: Subject, servers: Servers, orders: int) -> dict[str, Any]:
    golden = json.loads((ROOT / "events" / f"{subject.event}.api.json").read_text())
    servers.sandbox.reset()
    with ExitStack() as stack:
        instances = [stack.enter_context(_instance(subject, servers, number)) for number in range(POOL)]
        cold = [_invoke(instance, golden, f"cold-{number}") for number, instance in enumerate(instances)]
        for place, instance in enumerate(instances):
            for number in range(WARM_UP):
                _invoke(instance, golden, f"warm-up-{place}-{number}")
        taken: list[float] = []

        def call(place: int) -> None:
            taken.extend(_invoke(instances[place], golden, f"{place}-{number}") for number in range(orders // POOL))

        callers = [threading.Thread(target=call, args=(place,)) for place in range(POOL)]
        begun = time.monotonic()
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        seconds = time.monotonic() - begun
        assert len(taken) == orders // POOL * POOL, "an order was not answered with 200"
        booked = len(servers.sandbox.bookings())
        assert booked == len(taken) + POOL * (WARM_UP + 1), f"{booked} bookings"
        ordered = sorted(taken)
        return {
            "cold_ms": Spread.of(cold),
            "orders_per_second": len(taken) / seconds,
            "spread_ms": Spread.of(ordered),
            "p99_ms": ordered[round((len(ordered) - 1) * 0.99)],
            "peak_mib": max(_peak_mib(instance) for instance in instances),
            "orders": len(taken),
        }


@contextmanager
def _instance(subject: Subject, servers: Servers, number: int) -> Iterator[int]:
    """One emulator that runs the function. Yields its port."""
    own, runtime_api = choose_port(), choose_port()
    command: list[str | Path] = [
        str(emulator()), "--log-level", "error", "--runtime-interface-emulator-address", f"127.0.0.1:{own}",
        "--runtime-api-address", f"127.0.0.1:{runtime_api}", PYTHON, "-s", "-m", "awslambdaric", "app.handler",
    ]  # fmt: skip
    environment = subject.environment(
        AWS_ENDPOINT_URL=servers.aws_url,
        PAYNET_URL=servers.sandbox.url,
        AWS_LAMBDA_FUNCTION_TIMEOUT="27",
        VEZNE_BENCH_INSTANCE=str(own),
    )
    with running(f"{subject.name} {number}", command, environment, BENCH / f"{subject.name}-{number}.log") as child:
        child.wait_for_port(own)
        yield own


def _invoke(port: int, golden: dict[str, Any], key: str) -> float:
    """The milliseconds of one new order. Raises RuntimeError if its answer is not HTTP 200."""
    event = {**golden, "headers": {**golden["headers"], "Idempotency-Key": key}}
    event["multiValueHeaders"] = {**golden["multiValueHeaders"], "Idempotency-Key": [key]}
    event["body"] = json.dumps({"xact_id": f"xk_{key}", "amount": "1.00"})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    begun = time.monotonic()
    connection.request("POST", PATH, json.dumps(event))
    answer = connection.getresponse().read()
    milliseconds = (time.monotonic() - begun) * 1000
    connection.close()
    if not answer.startswith(b"{") or json.loads(answer).get("statusCode") != 200:
        raise RuntimeError(answer[:500])
    return milliseconds


def _peak_mib(port: int) -> float:
    """The peak memory, from Linux, of the process that runs the function. An own variable identifies it."""
    mark = f"VEZNE_BENCH_INSTANCE={port}\0".encode()
    peaks = [0.0]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (
                mark not in (process / "environ").read_bytes()
                or b"awslambdaric" not in (process / "cmdline").read_bytes()
            ):
                continue
            if b"aws-lambda-rie" in (process / "cmdline").read_bytes():
                continue
            status = (process / "status").read_text()
        except OSError:
            continue
        peaks += [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:")]
    return max(peaks)
