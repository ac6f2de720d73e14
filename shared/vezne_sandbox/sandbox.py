"""The five providers with their common ledger and rules: takes a call, books, and chooses the answer."""

from __future__ import annotations

import contextlib
import importlib
import inspect
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from vezne_sandbox.ledger import Ledger, LoggedCall, load_credentials
from vezne_sandbox.provider import Payment, Provider, ReplyFields
from vezne_sandbox.rules import Rules
from vezne_sandbox.wire import Malformed, Refused, Reply

if TYPE_CHECKING:
    from vezne_sandbox.rules import Rule
    from vezne_sandbox.wire import Call

ACCESS_DENIED = b"<html>\r\n<head><title>Access Denied</title></head>\r\n<body>Request rejected</body>\r\n</html>\r\n"
BAD_GATEWAY = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>Bad Gateway</body>\r\n</html>\r\n"


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
    """A payment that the provider will book by itself at a later time."""

    due: float
    payment: Payment


class Sandbox:
    """The five providers with their common ledger and rules."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start again: nothing booked, no rules, the secrets of ``credentials.json``. Issued tokens stay valid.

        Otherwise the next call of a client that has logged in would get a 401, and use up a rule.
        """
        credentials = load_credentials()
        before = getattr(self, "providers", {})
        self.ledger = Ledger()
        self.rules = Rules()
        self.late: list[LateBooking] = []
        self.providers = {name: kind(self.ledger, credentials[name]) for name, kind in PROVIDERS.items()}
        for name, provider in before.items():
            self.providers[name].tokens.accept_those_of(provider.tokens)
        self.operations = {o.name: o for provider in self.providers.values() for o in provider.operations()}
        self._last_amount: dict[str, Decimal] = {}

    def answer(self, call: Call) -> tuple[Reply, Rule | None]:
        """Choose the rule, book, and write the answer. No other call comes in between."""
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
        """Book the late payments that are due, the earliest first. One that would be refused by now is dropped."""
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
        call.fault, call.rows = rule.then, rule.rows or 0
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
        return _changed(reply, rule)


def _changed(reply: Reply, rule: Rule | None) -> Reply:
    """Replace or damage the answer as the rule says, if it is still a whole HTTP answer."""
    match rule.then if rule else "answer":
        case "status_500" | "fail":
            return Reply(500, b'{"message": "Internal Server Error"}')
        case "html" if rule:
            return Reply(rule.status if rule.status >= 400 else 403, ACCESS_DENIED, "text/html; charset=utf-8")
        case "gateway_json":
            return Reply(403, b'{"message": "Forbidden"}')
        case "bad_gateway_html":
            return Reply(502, BAD_GATEWAY, "text/html; charset=utf-8")
        case "trailing_comma":
            return Reply(reply.status, reply.body.rstrip()[:-1] + b",}", reply.content_type, reply.headers)
    return reply
