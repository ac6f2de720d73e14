"""What runs in a function process: one handler, one event after the other, and the steps at which it can be stopped.

The test wraps the code in steps from outside; the code under test does not know them. In their order:

    claim.before claim.after                  the record is created
    order.before                              nothing of the order was sent
    order.head                                its HTTP head was sent, its body was not
    order.left                                all bytes were sent, no answer was read
    order.came                                the answer was read, or the wait for it is over
    finalise.before finalise.after            the outcome is written (finalise, release or mark_unknown)
    acquire_lease.before acquire_lease.after  another invocation's record is taken over
    look_up.before look_up.left look_up.came  a look-up, or a probe
    breaker.before breaker.after              each write of the breaker
    login.before login.left login.came        a login
    token.before token.after                  its token is shared
    unlock.before unlock.after                another function may log in

A reconciliation has look-ups, leases and outcomes, too, and these:

    part.before part.after                    what a page came to is kept in the archive
    finding.before finding.after              a finding is kept in the table
    checkpoint.before checkpoint.after        how far it is, and at the end its report
    file.before file.after                    its file is written
"""

import functools
import importlib
import json
import os
import re
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import botocore.httpsession
from botocore.exceptions import ReadTimeoutError
from botocore.retries import standard
from vezne.api import handle_order, handle_reconciliation
from vezne.operation import Operation
from vezne.orders import breaker, journal, reconcile, store as store_module
from vezne.providers import client as inquiries, http as provider, login_lock, shared_token
from vezne_sandbox.sandbox import Sandbox

# Address at each provider, from its sandbox -> what kind of call it is.
CALLS = {
    re.compile(re.sub(r"\{\w+\}", "[^/]+", one.path) + "$"): "order" if one.kind == "pay" else one.kind
    for one in Sandbox().operations.values()
}
# A silent provider costs a test one second, not twenty. The waits keep their proportions.
FAST = {"CONNECT_SECONDS": 0.5, "SHORTEST_READ_SECONDS": 0.2, "FINALISE_SECONDS": 0.5}
FAST_ANSWER_SECONDS = 1.0
LAMBDA_SECONDS = 27.0


STEPS = (
    "claim.before", "claim.after", "order.before", "order.head", "order.left", "order.came", "finalise.before",
    "finalise.after", "acquire_lease.before", "acquire_lease.after", "look_up.before", "look_up.left", "look_up.came",
    "breaker.before", "breaker.after",
)  # fmt: skip


class Killed(BaseException):
    """Ends an invocation where no process can be killed (the model-based test)."""


class Steps:
    """Counts the steps of one invocation, and acts at the step of the plan."""

    def __init__(self, act: Callable[[str], None]) -> None:
        self._act = act
        self.plan: dict[str, Any] = {}
        self.seen: list[str] = []

    def reach(self, step: str) -> None:
        self.seen.append(step)
        if self.plan.get("at") == step and self.seen.count(step) == self.plan.get("nth", 1):
            self._act(self.plan.get("do", "kill"))


def call_kind(path: str) -> str:
    """The kind of a call by its address: `order`, `login` or `look_up`."""
    return next((kind for pattern, kind in CALLS.items() if pattern.search(path)), "look_up")


def module_of(operation: str) -> str:
    """The module of the function that serves an operation."""
    return f"functions.{'get_operation' if operation == 'operations.read' else operation.replace('.', '_')}.app"


def watch_store(steps: Steps) -> None:
    """Wrap the writes of records and of the breaker in steps."""
    for method in ("claim", "acquire_lease", "finalise", "release", "mark_unknown"):
        step = "finalise" if method in ("release", "mark_unknown") else method
        _surround(store_module.Store, method, steps, step)
    _surround(store_module.Store, "update_item", steps, "breaker")
    _surround(shared_token.SharedToken, "write", steps, "token")
    _surround(login_lock.LoginLock, "end", steps, "unlock")


def watch_reconciliation(steps: Steps) -> None:
    """Wrap what a reconciliation keeps in steps."""
    _surround(journal.Journal, "write", steps, "part")
    _surround(journal.Journal, "finish", steps, "file")
    _surround(store_module.Store, "put_new", steps, "finding")
    _surround(reconcile._Run, "_keep", steps, "checkpoint")


def _surround(owner: type, method: str, steps: Steps, step: str) -> None:
    original = getattr(owner, method)

    @functools.wraps(original)
    def surrounded(*arguments: Any, **named: Any) -> Any:
        steps.reach(f"{step}.before")
        try:
            return original(*arguments, **named)
        finally:
            steps.reach(f"{step}.after")

    setattr(owner, method, surrounded)


def watch_provider(steps: Steps) -> None:
    """Wrap the provider's calls in steps, down to the socket."""
    kind = ["order"]
    original_send, connection = provider.Provider.send, provider._WatchedConnection
    socket_send, socket_answer = connection.send, connection.getresponse

    def send(self: Any, prepared: Any, *arguments: Any, **named: Any) -> Any:
        kind[0] = call_kind(prepared.path_url.partition("?")[0])
        steps.reach(f"{kind[0]}.before")
        try:
            return original_send(self, prepared, *arguments, **named)
        finally:
            steps.reach(f"{kind[0]}.came")

    def send_bytes(self: Any, data: Any) -> None:
        socket_send(self, data)
        if bytes(data[:4]) in (b"POST", b"GET "):
            steps.reach(f"{kind[0]}.head")

    def read_answer(self: Any, *arguments: Any, **named: Any) -> Any:
        steps.reach(f"{kind[0]}.left")
        return socket_answer(self, *arguments, **named)

    mock.patch.object(provider.Provider, "send", send).start()
    mock.patch.object(connection, "send", send_bytes).start()
    mock.patch.object(connection, "getresponse", read_answer).start()


class LostResponses:
    """Drops responses of AWS calls that were executed, like a broken connection. The SDK then tries again."""

    def __init__(self) -> None:
        self.plan: dict[str, int] = {}
        self._seen: Counter[str] = Counter()
        self._original = botocore.httpsession.URLLib3Session.send

    def start(self) -> None:
        watcher = self

        def send(session: Any, request: Any) -> Any:
            response = watcher._original(session, request)
            target = request.headers.get("X-Amz-Target", b"")
            name = (target if isinstance(target, str) else target.decode()).rpartition(".")[2]
            if watcher._seen[name] < watcher.plan.get(name, 0):
                watcher._seen[name] += 1
                raise ReadTimeoutError(endpoint_url=request.url)
            return response

        mock.patch.object(botocore.httpsession.URLLib3Session, "send", send).start()
        # The SDK waits up to a second before it tries again.
        mock.patch.object(standard.ExponentialBackoff, "delay_amount", return_value=0.01).start()

    def set(self, plan: dict[str, int]) -> None:
        """Set how many responses of each call are lost from now on, for instance {"PutItem": 1}."""
        self.plan = plan
        self._seen.clear()


class Context:
    """The context that Lambda gives to a handler."""

    function_name = "function-under-test"
    memory_limit_in_mb = "512"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:000000000000:function:function-under-test:live"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> float:
        return (self._end - time.monotonic()) * 1000


@contextmanager
def fast_time(operation: Any) -> Iterator[None]:
    """Shorten the waits, in the same proportions."""
    with (
        mock.patch.multiple(provider, **FAST),
        mock.patch.object(inquiries, "INQUIRY_SECONDS", FAST_ANSWER_SECONDS),
        mock.patch.object(type(operation), "timeout", FAST_ANSWER_SECONDS),
    ):
        yield


def invoke(module: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Run the handler once. An error is returned by its name, as Lambda does."""
    offset = float(request.get("clock", 0.0))
    store = functools.partial(store_module.Store, clock=lambda: time.time() + offset)
    with mock.patch.object(handle_order, "Store", store), mock.patch.object(handle_reconciliation, "Store", store):
        try:
            context = Context(request.get("seconds", LAMBDA_SECONDS))
            return {"answer": module.handler(request["event"], context)}
        except Exception as error:
            return {"raised": f"{type(error).__name__}: {error}"}


def serve(connection: socket.socket, operation: str, environment: dict[str, str]) -> None:
    """Answer requests, one JSON line each, until the test closes its end."""
    os.environ.update(environment)
    lines = connection.makefile("rw", encoding="utf-8")

    def act(what: str) -> None:
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        lines.write(json.dumps({"stopped": True}) + "\n")
        lines.flush()
        # Stop this thread. A signal to the process may reach another thread, and this one would run a little longer.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)

    steps, lost = Steps(act), LostResponses()
    watch_store(steps)
    watch_reconciliation(steps)
    watch_provider(steps)
    lost.start()
    module = importlib.import_module(module_of(operation))
    served = operation_of(module)
    if "PEER" in environment:
        module = importlib.import_module("tests.faults.peer").module(served, environment["TABLE_NAME"], steps)
    lines.write(json.dumps({"pid": os.getpid()}) + "\n")
    lines.flush()
    for line in lines:
        request = json.loads(line)
        steps.plan, steps.seen = request.get("plan", {}), []
        lost.set(request.get("lost", {}))
        if request.get("cold") and served is not None:
            served.client.credential_cache.forget()
            breaker.forget()
        if served is None:
            told = invoke(module, request)
        else:
            with fast_time(served):
                told = invoke(module, request)
        lines.write(json.dumps({**told, "steps": steps.seen}) + "\n")
        lines.flush()


def operation_of(module: Any) -> Any:
    """The operation a module's handler serves; None for the function that only reads."""
    held = [cell.cell_contents for cell in module.handler.__closure__ or ()]
    return next((content for content in held if isinstance(content, Operation)), None)
