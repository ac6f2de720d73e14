"""MiniStack, sandboxes, tables and secrets, and function processes as a test sees them."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vezne.orders.record import FINAL, SHARDS, Record, from_item, shard_of
from vezne_cli.catalogue import ORDERS, URLS
from vezne_cli.connection import aws_environment
from vezne_cli.processes import ROOT, choose_port, run_directory
from vezne_cli.stack import Aws, _ministack, _sandbox
from vezne_client import Problem
from vezne_sandbox.client import SandboxControl
from vezne_sandbox.ledger import load_credentials

from tests.support.breakers import never_opens
from tests.support.harness import table_of_the_template

OPERATIONS = tuple(ORDERS)
SWEEP = {"detail-type": "Scheduled Event", "source": "aws.events"}
# The bucket of all reconciliations.
ARCHIVE = "archive"
# No invocation takes this long, even on a machine that is busy with other things.
LONGEST_SECONDS = 120


class Died(Exception):
    """The function process was killed in the middle of the invocation."""


@dataclass(frozen=True)
class Answer:
    """What a function answered: an HTTP response, a plain value (sweep, standing order), or an error."""

    value: Any = None
    raised: str | None = None
    steps: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        return int(self.value["statusCode"])

    @property
    def body(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.value["body"])
        return content

    @property
    def replayed(self) -> bool:
        return self.value["headers"].get("Idempotent-Replayed") == "true"

    @property
    def slug(self) -> str:
        """The slug of the problem; empty if the answer is no problem."""
        return Problem(self.body).slug


class FunctionProcess:
    """One execution environment of a function: a process that handles one event at a time."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(LONGEST_SECONDS)
        self._connection = connection
        self._lines = connection.makefile("rw", encoding="utf-8")
        self.pid: int = self._read()["pid"]

    def _read(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
        except ConnectionError:
            line = ""
        if not line:
            self.close()
            raise Died
        told: dict[str, Any] = json.loads(line)
        return told

    def begin(self, event: Any, **request: Any) -> None:
        """Send an event, and do not wait for the answer. See `function.invoke` for the other members."""
        self._lines.write(json.dumps({"event": event, **request}) + "\n")
        self._lines.flush()

    def end(self) -> Answer:
        """Wait for the answer to the event that was sent. Raises Died."""
        told = self._read()
        if "stopped" in told:
            raise AssertionError("the process was stopped, but the test did not call wait_until_stopped")
        return Answer(told.get("answer"), told.get("raised"), tuple(told["steps"]))

    def call(self, event: Any, **request: Any) -> Answer:
        """Handle one event. Raises Died."""
        self.begin(event, **request)
        return self.end()

    def wait_until_stopped(self) -> None:
        """Wait until the process has stopped at the step of its plan."""
        assert "stopped" in self._read()

    def wake(self) -> None:
        """Let a stopped process continue."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        self._lines.close()
        self._connection.close()


class ProcessPool:
    """Forks function processes."""

    def __init__(self, variables: dict[str, str], log: Path) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control, self._lock = ours, threading.Lock()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.process_pool", str(theirs.fileno())],
                cwd=ROOT,
                env=variables,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        theirs.close()

    def fork(self, operation: str, variables: dict[str, str]) -> FunctionProcess:
        ours, theirs = socket.socketpair()
        message = json.dumps({"operation": operation, "environment": variables}).encode()
        with self._lock:
            socket.send_fds(self._control, [message], [theirs.fileno()])
        theirs.close()
        return FunctionProcess(ours)

    def stop(self) -> None:
        self._control.close()
        self._process.wait(30)


@dataclass
class Function:
    """A function with its own table. A test can start any number of its processes."""

    environment: "Environment"
    operation: str
    table: str
    secret: str
    token_secret: str
    peer: bool = False
    _warm: list[FunctionProcess] = field(default_factory=list)
    _aside: list[dict[str, Any]] = field(default_factory=list)

    @property
    def provider(self) -> str:
        return self.operation.partition(".")[0]

    def fork(self) -> FunctionProcess:
        """Start a process. Its first event is a cold start."""
        own = {"TABLE_NAME": self.table, "SECRET_ID": self.secret, "LOGIN_SECRET_ID": self.token_secret}
        variables = {**own, **({"PEER": "1"} if self.peer else {})}
        return self.environment.process_pool.fork(self.operation, variables)

    def call(self, event: Any, **request: Any) -> Answer:
        """Handle one event, in a warm process if there is one. Raises Died if it is killed."""
        process = self._warm.pop() if self._warm else self.fork()
        answer = process.call(event, **request)
        self._warm.append(process)
        return answer

    def sweep(self, record_id: str = "", **request: Any) -> Answer:
        """Send the scheduled event; with a record, that of the worker whose shard has it, one of as many as shards.

        A worker reads two parts of the index, not sixteen: with thousands of sweeps that is most of their time.
        """
        worker = {"sweep": {"worker": shard_of(record_id), "of": SHARDS}} if record_id else {}
        return self.call({**SWEEP, **worker}, **request)

    def close(self) -> None:
        """End its processes and drop its table."""
        for process in self._warm:
            process.close()
        self._warm.clear()
        self.environment.aws("dynamodb").delete_table(TableName=self.table)

    def record(self, record_id: str) -> Record | None:
        """What the table holds of an order."""
        item = self.item(record_id)
        return from_item(item) if item else None

    def item(self, item_id: str) -> dict[str, Any] | None:
        answer = self.environment.aws("dynamodb").get_item(
            TableName=self.table, Key={"id": {"S": item_id}}, ConsistentRead=True
        )
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def set_aside(self, record_id: str) -> None:
        """Take the record of an order that stays unknown out of the table, so that later sweeps do not look it up."""
        item = self.item(record_id)
        if item is not None:
            self._aside.append(item)
            self.environment.aws("dynamodb").delete_item(TableName=self.table, Key={"id": {"S": record_id}})

    def items(self) -> list[dict[str, Any]]:
        """All items of the table, and what was set aside."""
        return [*self._scan(), *self._aside]

    def unresolved(self) -> list[str]:
        """The ids of all records that are not final, without those set aside."""
        items = [item for item in self._scan() if item["id"]["S"].startswith("op_")]
        return [item["id"]["S"] for item in items if item["status"]["S"] not in FINAL]

    def _scan(self) -> list[dict[str, Any]]:
        scan = self.environment.aws("dynamodb").get_paginator("scan")
        pages = scan.paginate(TableName=self.table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]


@dataclass
class Environment:
    """Everything a test needs."""

    aws: Aws
    sandbox: SandboxControl
    process_pool: ProcessPool
    endpoint_url: str
    directory: Path

    def function(self, operation: str) -> Function:
        """A function with a new table and its own secret. The table holds only a breaker that never opens."""
        name = f"{operation.replace('.', '-')}-{uuid.uuid4().hex[:8]}"
        create_table(self.aws, name)
        provider = operation.partition(".")[0]
        self.aws("dynamodb").put_item(TableName=name, Item=never_opens(provider))
        fields = load_credentials().get(provider, {})
        secret = self.aws("secretsmanager").create_secret(Name=name, SecretString=json.dumps(fields))["ARN"]
        token = self.aws("secretsmanager").create_secret(Name=f"{name}-token", SecretString="{}")["ARN"]
        return Function(self, operation, name, secret, token)

    def reconciler(self, function: Function) -> Function:
        """The reconciliation of a function's provider, on the function's table."""
        name = f"{function.provider}.reconcile"
        return Function(self, name, function.table, function.secret, function.token_secret)


def create_table(aws: Aws, name: str) -> None:
    """The template's table, without the parts that only a deployed table needs."""
    aws("dynamodb").create_table(TableName=name, **table_of_the_template())


@contextmanager
def running_environment() -> Iterator[Environment]:
    """Start MiniStack, the sandboxes and the process pool. Stop them in any case."""
    with run_directory(lambda _: None) as directory:
        sandbox_port, gateway_port = choose_port("VEZNE_SANDBOX_PORT"), choose_port("VEZNE_GATEWAY_PORT")
        with _sandbox(sandbox_port, directory) as sandbox, _ministack(gateway_port, directory) as ministack:
            sandbox.wait_for_port(sandbox_port)
            ministack.wait_for_port(gateway_port)
            endpoint_url, sandbox_url = f"http://127.0.0.1:{gateway_port}", f"http://127.0.0.1:{sandbox_port}"
            variables = function_environment(endpoint_url, sandbox_url)
            Aws(endpoint_url)("s3").create_bucket(
                Bucket=ARCHIVE, CreateBucketConfiguration={"LocationConstraint": variables["AWS_DEFAULT_REGION"]}
            )
            process_pool, control = ProcessPool(variables, directory / "functions.log"), SandboxControl(sandbox_url)
            try:
                yield Environment(Aws(endpoint_url), control, process_pool, endpoint_url, directory)
            finally:
                process_pool.stop()
                control.close()


def function_environment(endpoint_url: str, sandbox_url: str) -> dict[str, str]:
    """The environment variables of every function process."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "shared")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "POWERTOOLS_SERVICE_NAME": "vezne",
        "POWERTOOLS_METRICS_NAMESPACE": "Vezne",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "TABLE_NAME": "unset",
        "SECRET_ID": "unset",
        "LOGIN_SECRET_ID": "unset",
        "ARCHIVE_BUCKET": ARCHIVE,
        **aws_environment(endpoint_url),
        **dict.fromkeys(URLS, sandbox_url),
    }
