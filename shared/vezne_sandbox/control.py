"""The control API under ``/_control/``: rules, bookings, calls, seeds and the clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import simplejson
from aiohttp import web

from vezne_sandbox.faults import faults_of
from vezne_sandbox.rules import BadRule, read_rule

if TYPE_CHECKING:
    from vezne_sandbox.sandbox import Sandbox


@dataclass(frozen=True)
class Asked:
    """A control call: its query and its JSON body ({} without one)."""

    query: Mapping[str, str]
    body: Any


Action = Callable[[Asked], Any]


class Control:
    """One method per control address. Each gets the query and the body, and returns the answer."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[web.RouteDef]:
        """List the control addresses."""
        return [
            web.get("/_control/health", self._serve(self.health)),
            web.get("/_control/operations", self._serve(self.operations)),
            web.get("/_control/bookings", self._serve(self.bookings)),
            web.get("/_control/calls", self._serve(self.calls)),
            web.get("/_control/state", self._serve(self.state)),
            web.get("/_control/rules", self._serve(self.rules)),
            web.post("/_control/rules", self._serve(self.add_rule)),
            web.delete("/_control/rules", self._serve(self.remove_rules)),
            web.post("/_control/reset", self._serve(self.reset)),
            web.post("/_control/tokens/revoke", self._serve(self.revoke_tokens)),
            web.post("/_control/seed", self._serve(self.seed)),
            web.post("/_control/clock", self._serve(self.advance_clock)),
        ]

    def _serve(self, action: Action) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            raw = await request.read()
            try:
                self._sandbox.book_what_is_due()
                asked = Asked(request.query, simplejson.loads(raw) if raw else {})
                answer, status = action(asked), 200
            except (BadRule, KeyError, TypeError, ValueError) as error:
                answer, status = {"error": f"{type(error).__name__}: {error}"}, 400
            text = simplejson.dumps(answer, ensure_ascii=False, use_decimal=True)
            return web.Response(status=status, text=text, content_type="application/json")

        return handle

    def health(self, _: Asked) -> Any:
        """Say that the server is ready."""
        return {"status": "ok"}

    def operations(self, _: Asked) -> Any:
        """List the operations with their kind and their faults."""
        operations = self._sandbox.operations.values()
        return {o.name: {"kind": o.kind, "then": sorted(faults_of(o))} for o in operations}

    def bookings(self, asked: Asked) -> Any:
        """List bookings, of one provider or reference if asked."""
        provider, reference = asked.query.get("provider"), asked.query.get("reference")
        return [
            booking.as_json()
            for booking in self._sandbox.ledger.bookings
            if provider in (None, booking.provider) and (reference is None or reference in booking.references.values())
        ]

    def calls(self, asked: Asked) -> Any:
        """List provider calls, of one operation if asked."""
        operation = asked.query.get("operation")
        return [asdict(call) for call in self._sandbox.ledger.calls if operation in (None, call.operation)]

    def state(self, _: Asked) -> Any:
        """Tell what each provider knows besides its bookings, and how many late bookings are waiting."""
        states = {name: provider.state() for name, provider in self._sandbox.providers.items()}
        return {**states, "late_bookings": len(self._sandbox.late)}

    def rules(self, _: Asked) -> Any:
        """List the rules with their counts."""
        return [rule.as_json() for rule in self._sandbox.rules.all()]

    def add_rule(self, asked: Asked) -> Any:
        """Set one rule."""
        return self._sandbox.rules.add(read_rule(asked.body, self._sandbox.operations)).as_json()

    def remove_rules(self, asked: Asked) -> Any:
        """Remove the rule of ``?id=``, or all."""
        rule_id = asked.query.get("id")
        return {"removed": self._sandbox.rules.remove(int(rule_id) if rule_id else None)}

    def reset(self, _: Asked) -> Any:
        """Forget everything but the issued tokens: bookings, calls, rules, seeds and the clock."""
        self._sandbox.reset()
        return {"reset": True}

    def revoke_tokens(self, asked: Asked) -> Any:
        """Make the access tokens of one provider, or of all, invalid."""
        wanted = asked.body.get("provider")
        if wanted is not None and wanted not in self._sandbox.providers:
            raise KeyError(wanted)
        providers = self._sandbox.providers
        return {name: provider.tokens.revoke() for name, provider in providers.items() if wanted in (None, name)}

    def seed(self, asked: Asked) -> Any:
        """Set what providers know: ``{provider: {name: value}}``. ``credentials`` is one of the names."""
        for name, given in asked.body.items():
            provider = self._sandbox.providers[name]
            values = dict(given)
            for field, value in values.pop("credentials", {}).items():
                provider.secrets.replace(field, value)
            provider.seed(values)
        return {"seeded": sorted(asked.body)}

    def advance_clock(self, asked: Asked) -> Any:
        """Let ``advance_seconds`` pass: tokens expire, late bookings fall due, bookings age."""
        self._sandbox.ledger.clock.advance(float(asked.body["advance_seconds"]))
        self._sandbox.book_what_is_due()
        return {"now": self._sandbox.ledger.clock.utc().isoformat()}
