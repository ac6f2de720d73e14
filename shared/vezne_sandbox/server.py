"""The sandbox server: routes every call to its provider, books, and then answers, with a fault if a rule says so."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import threading
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aiohttp import web

from vezne_sandbox.client import SandboxControl
from vezne_sandbox.control import Control
from vezne_sandbox.delivery import changed, deliver
from vezne_sandbox.ledger import Ledger, LoggedCall, load_credentials
from vezne_sandbox.manual import manual
from vezne_sandbox.provider import Operation, Payment, Provider, ReplyFields
from vezne_sandbox.rules import Rule, Rules
from vezne_sandbox.wire import Call, Malformed, Refused, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Sandbox", "SandboxControl", "make_app", "running_sandbox"]


def _read_provider(name: str) -> type[Provider]:
    """Find the server of one provider in the folder of its name."""
    module = importlib.import_module(f"vezne_sandbox.{name}")
    own = [each for each in vars(module).values() if inspect.isclass(each) and each.__module__ == module.__name__]
    (kind,) = [each for each in own if issubclass(each, Provider)]
    return kind


# Each provider with credentials has a folder.
PROVIDERS = {name: _read_provider(name) for name in load_credentials()}


@dataclass
class LateBooking:
    """A payment that the provider will book by itself at a time to come."""

    due: float
    payment: Payment


class Sandbox:
    """The five providers with their common ledger and rules."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start anew: nothing booked, no rules, no tokens, the secrets of ``credentials.json``."""
        credentials = load_credentials()
        self.ledger = Ledger()
        self.rules = Rules()
        self.late: list[LateBooking] = []
        self.providers = {name: kind(self.ledger, credentials[name]) for name, kind in PROVIDERS.items()}
        self.operations = {o.name: o for provider in self.providers.values() for o in provider.operations()}
        self._last_amount: dict[str, Decimal] = {}

    def answer(self, call: Call) -> tuple[Reply, Rule | None]:
        """Handle a call without letting another one in between: choose the rule, book, and write the answer."""
        self.book_what_is_due()
        provider = self.providers[call.operation.partition(".")[0]]
        operation = self.operations[call.operation]
        log = self.ledger.log(provider.name, operation.name)
        with contextlib.suppress(Malformed):
            log.reference = operation.reference(call)
        rule = self.rules.take(call)
        if rule and operation.kind == "look_up":
            self._mislead(call, rule, provider.name)
        try:
            result = operation.handle(provider, call)
        except Refused as refused:
            result = refused.reply
        reply = self._book_and_answer(result, rule, log) if isinstance(result, Payment) else result
        reply = self._refused_by_rule(reply, rule, provider)
        log.status, log.rule = reply.status, rule.id if rule else None
        log.outcome = rule.then if rule else "answer"
        return reply, rule

    def book_what_is_due(self) -> None:
        """Book late payments whose time has come, in its order. What the books forbid by now is dropped."""
        now = self.ledger.clock.now()
        for late in sorted((late for late in self.late if late.due <= now), key=lambda late: late.due):
            self.late.remove(late)
            self._book(late.payment, late.due)

    def _mislead(self, call: Call, rule: Rule, provider: str) -> None:
        if rule.then == "lag":
            call.hidden_seconds = rule.seconds
        call.row_form, call.unfiltered = rule.row_form(), rule.then == "unfiltered"
        call.cut_text = rule.then == "cut_text"
        call.clock_ahead = rule.seconds if rule.then == "clock_ahead" else 0
        call.new_ids, call.letters = rule.then == "new_ids", rule.then == "letters"
        if rule.then == "foreign":
            call.foreign_amount = Decimal(rule.amount) if rule.amount else self._last_amount.get(provider, Decimal(1))

    def _book_and_answer(self, payment: Payment, rule: Rule | None, log: LoggedCall) -> Reply:
        self._last_amount[payment.booking.provider] = payment.booking.amount
        obstacle = payment.obstacle()
        if obstacle is not None:
            return obstacle
        executed_at = payment.accept() if rule is None or rule.books() else None
        if executed_at is not None and executed_at > self.ledger.clock.now():
            self.late.append(LateBooking(executed_at, payment))
            log.booked = "later"
        elif rule is None or rule.books():
            self._book(payment)
            log.booked = True
        elif (seconds := rule.books_after()) is not None:
            self.late.append(LateBooking(self.ledger.clock.now() + seconds, payment))
            log.booked = "later"
        if rule and rule.then == "refuse":
            return payment.refuse(rule.code)
        if rule and rule.then == "odd_refusal":
            return payment.odd_refusal()
        amount, reference = payment.booking.amount, payment.booking.reference
        if rule and rule.then == "other_amount":
            amount = rule.other_amount(amount)
        if rule and rule.then == "other_reference":
            reference = payment.other_reference()
        return payment.answer(ReplyFields(amount, reference))

    def _book(self, payment: Payment, at: float | None = None) -> None:
        if payment.obstacle() is None:
            self.ledger.book(payment.booking, at)
            payment.record()

    @staticmethod
    def _refused_by_rule(reply: Reply, rule: Rule | None, provider: Provider) -> Reply:
        if rule and rule.then == "unauthorized":
            return provider.unauthorized()
        if rule and rule.then == "too_many_requests":
            refusal = provider.too_many_requests()
            return Reply(429, refusal.body, refusal.content_type, {"Retry-After": str(rule.retry_after)})
        return changed(reply, rule)


def make_app(sandbox: Sandbox, stopping: asyncio.Event) -> web.Application:
    """Build the web application. ``stopping`` ends the connections that a fault keeps open."""
    app = web.Application(client_max_size=2**20)
    app.router.add_get("/", _manual(sandbox))
    app.add_routes(Control(sandbox).routes())
    for operation in sandbox.operations.values():
        app.router.add_route(operation.method, operation.path, _handler(sandbox, operation, stopping))
    app.router.add_route("*", "/{path:.*}", _no_such_address(sandbox))
    return app


def _handler(sandbox: Sandbox, operation: Operation, stopping: asyncio.Event) -> Any:
    async def handle(request: web.Request) -> web.Response:
        call = Call(
            operation=operation.name,
            method=request.method,
            path=request.path,
            parameters=dict(request.match_info),
            query=dict(request.query),
            headers=request.headers,
            content_type=request.headers.get("Content-Type", ""),
            body=await request.read(),
        )
        reply, rule = sandbox.answer(call)
        return await deliver(request, reply, rule, stopping)

    return handle


def _manual(sandbox: Sandbox) -> Any:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=manual(str(request.url.origin()), sandbox.operations.values()))

    return handle


def _no_such_address(sandbox: Sandbox) -> Any:
    async def handle(request: web.Request) -> web.Response:
        log = sandbox.ledger.log("", f"{request.method} {request.path}")
        log.outcome, log.status = "no such address", 404
        return web.Response(status=404, text="no such address")

    return handle


async def serve(host: str, port: int, started: Any, stopping: asyncio.Event) -> None:
    """Serve until ``stopping`` is set. ``started`` is called with the port."""
    runner = web.AppRunner(make_app(Sandbox(), stopping), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        started(runner.addresses[0][1])
        await stopping.wait()
    finally:
        await runner.cleanup()


@contextlib.contextmanager
def running_sandbox(host: str = "127.0.0.1", port: int = 0) -> Iterator[SandboxControl]:
    """Run the server in a thread of this process, on a free port by default; yield its control."""
    ready = threading.Event()
    running: dict[str, Any] = {}

    async def run() -> None:
        running.update(loop=asyncio.get_running_loop(), stopping=asyncio.Event())

        def started(bound_port: int) -> None:
            running["port"] = bound_port
            ready.set()

        await serve(host, port, started, running["stopping"])

    def target() -> None:
        try:
            asyncio.run(run())
        except OSError as error:
            running["error"] = error
        finally:
            ready.set()

    thread = threading.Thread(target=target, name="sandbox", daemon=True)
    thread.start()
    ready.wait()
    if "port" not in running:
        raise RuntimeError(f"the sandbox could not start on {host}:{port}") from running.get("error")
    control = SandboxControl(f"http://{host}:{running['port']}")
    try:
        yield control
    finally:
        control.close()
        running["loop"].call_soon_threadsafe(running["stopping"].set)
        thread.join(10)
