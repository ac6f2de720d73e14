"""`Vezne-Dry-Run: true`: what an order would send, and nothing sent or kept."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from stdnum import luhn
from vezne.orders.rehearse import HIDDEN

from tests.integration.test_breaker import open_it
from tests.support.example import Example
from tests.support.harness import Harness, Response
from tests.support.operations import EXAMPLES
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO
from tests.support.operations.kolaybi_collect import EXAMPLE as COLLECT
from tests.support.operations.paynet_capture import EXAMPLE as CAPTURE
from tests.support.operations.vakifbank_pay import EXAMPLE as PAY
from tests.support.provider_server import Reply
from tests.support.providers import LOGINS, SECRETS, TOKEN_ANSWER
from tests.support.wire import answered, the_call, unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)
DRY = {"Vezne-Dry-Run": "true"}


def dry_run(harness: Harness, example: Example, body: dict[str, Any] | None = None, **order: Any) -> Response:
    return harness.send(example, body, headers=DRY, **order)


def leaves(value: Any) -> Iterator[str]:
    """Every text and number of a JSON value, as text."""
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from leaves(member)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def sent(harness: Harness, example: Example) -> dict[str, Any]:
    """The body of the call that moved money."""
    call = the_call(harness, example)
    if "json" in call.headers["Content-Type"]:
        return call.json()
    fields: dict[str, Any] = {}
    for name, value in parse_qsl(call.body.decode(), keep_blank_values=True):
        fields.setdefault(name, []).append(value)
    return fields


@each_operation
def test_it_sends_and_keeps_nothing(harness: Harness, example: Example) -> None:
    answer = dry_run(harness, example)
    assert (answer.status, answer.body["status"], answer.body["money"]) == (200, "would_send", "not_moved")
    assert answer.body.keys() == {"status", "operation", "money", "request"}
    assert harness.server.to(example.route) == []
    assert harness.records() == harness.guards() == []
    # The order itself goes as ever.
    assert answered(harness, example, example.success).replayed is False


@each_operation
def test_it_shows_the_request_that_the_order_sends(harness: Harness, example: Example) -> None:
    shown = dry_run(harness, example).body["request"]
    harness.server.on(example.route, example.success)
    assert harness.send(example).status == 200
    call, body = the_call(harness, example), sent(harness, example)
    assert (shown["method"], shown["path"]) == (call.method, call.path)
    assert shown["host"] == urlsplit(harness.server.url).netloc
    assert shown["body"].keys() == body.keys()
    assert {name.lower() for name in shown["headers"]} <= {name.lower() for name in call.headers}
    # What the caller has given is to be seen, unless it is the number of a card, an account or a person.
    hidden = [name for name, value in shown["body"].items() if HIDDEN in leaves(value)]
    assert len(hidden) < len(body), hidden
    for name, value in shown["body"].items():
        if not any("*" in leaf for leaf in leaves(value)):
            assert [float(one) if one.replace(".", "").isdigit() else one for one in leaves(value)] == [
                float(one) if one.replace(".", "").isdigit() else one for one in leaves(body[name])
            ], name


@each_operation
def test_nothing_secret_is_shown(harness: Harness, example: Example) -> None:
    answer = dry_run(harness, example)
    told = set(leaves(answer.body)) | {part for one in leaves(answer.body) for part in one.split()}
    secret = {str(value) for value in SECRETS[example.provider].values() if len(str(value)) > 1}
    assert not told & (secret | {TOKEN_ANSWER["access_token"]})
    text = json.dumps(answer.body)
    # Where these texts are parts of others, such as of a signature before it is hashed.
    for one in secret - {SECRETS["vakifbank"]["resource"]}:
        assert one not in text, one
    headers = {name.lower(): value for name, value in answer.body["request"]["headers"].items()}
    assert {value for name, value in headers.items() if name not in ("accept", "content-type", "user-agent")} <= {
        HIDDEN
    }


def test_a_signature_is_not_shown(harness: Harness) -> None:
    shown = dry_run(harness, HASO).body["request"]["body"]
    harness.server.on(HASO.route, HASO.success)
    harness.send(HASO)
    body = sent(harness, HASO)
    assert shown["expenseAmount"] == body["expenseAmount"]
    assert {name for name in body if shown[name] == HIDDEN} == {"merchantId", "requestToken", "ipAddress"}
    assert body["requestToken"] not in json.dumps(shown)


CARD = "411111111111111" + luhn.calc_check_digit("411111111111111")


def test_no_number_of_a_card_an_account_or_a_person_is_shown(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARD_PAYMENTS", "true")
    iban, tckn, vkn = "TR330006100519786457841326", "10000000146", "1234567890"
    more = {"receiver_identity_no": tckn, "receiver_tax_no": vkn, "explanation": f"kira {iban} {tckn}",
            "chief": {"identity_no": tckn, "account_no": iban}}  # fmt: skip
    for kind, account in (("account", iban), ("credit_card", CARD)):
        body = {**PAY.body, **more, "transaction_type": kind, "receiver_account": account}
        shown = dry_run(harness, PAY, body)
        assert shown.status == 200, shown.body
        text = json.dumps(shown.body).replace(" ", "")
        assert not [number for number in (iban, tckn, vkn, CARD) if number in text]
        assert shown.body["request"]["body"]["Amount"] == "200.0"
        assert shown.body["request"]["body"]["ReceivertAccountIbanNo"].endswith(account[-4:])


def test_the_callers_own_fields_are_not_in_it(harness: Harness) -> None:
    label = {"reference": "KANARYA", "metadata": {"k": "KANARYA"}}
    assert "KANARYA" not in json.dumps(dry_run(harness, CAPTURE, {**CAPTURE.body, **label}).body)


# ------------------------------------------------------------------ keys


def test_it_needs_no_key(harness: Harness) -> None:
    answer = dry_run(harness, COLLECT, key=None)
    assert (answer.status, answer.body["status"]) == (200, "would_send")
    assert dry_run(harness, COLLECT, key="a b").status == 400
    # An order does.
    assert harness.send(COLLECT, key=None).status == 400


@pytest.mark.parametrize(("ending", "money"), [("success", "moved"), ("refusal", "not_moved"), ("unknown", "unknown")])
def test_it_tells_of_an_order_under_its_key(harness: Harness, ending: str, money: str) -> None:
    if ending == "unknown":
        known = unknown_order(harness, COLLECT)
    else:
        known = answered(harness, COLLECT, getattr(COLLECT, ending)).body["operation_id"]
    before = harness.items()
    answer = dry_run(harness, COLLECT)
    assert (answer.status, answer.body["status"]) == (200, "would_not_send")
    assert (answer.body["operation_id"], answer.body["money"]) == (known, money)
    assert harness.items() == before
    other = dry_run(harness, COLLECT, COLLECT.other_body)
    assert (other.status, other.slug) == (422, "idempotency-key-reused")
    assert other.body["money"] == ("unknown" if ending == "unknown" else "not_moved")
    assert dry_run(harness, COLLECT, client="client-2").body["status"] == "would_send"


# ------------------------------------------------------------------ what stops it


@pytest.mark.parametrize("value", ["false", "True", "1", "", " true", "true,true"])
def test_a_header_that_is_not_true_is_refused(harness: Harness, value: str) -> None:
    """It must not become an order because somebody has written it in another way."""
    harness.server.on(COLLECT.route, COLLECT.success)
    refused = harness.send(COLLECT, headers={"vezne-dry-run": value})
    assert (refused.status, refused.body["errors"][0]["place"]) == (400, "header.Vezne-Dry-Run")
    assert harness.server.calls == harness.records() == []


def test_what_does_not_fit_is_refused(harness: Harness) -> None:
    refused = dry_run(harness, COLLECT, {**COLLECT.body, "amount": "0"})
    assert (refused.status, refused.body["errors"][0]["place"]) == (400, "body.amount")


def test_a_provider_that_is_down_and_a_login_that_fails_stop_it(harness: Harness) -> None:
    route, _ = LOGINS["kolaybi"]
    harness.server.on(route, Reply(500, b""))
    refused = dry_run(harness, COLLECT)
    assert (refused.status, refused.slug, refused.body["money"]) == (503, "provider-unreachable", "not_moved")
    harness.let_breakers_open()
    open_it(harness, CAPTURE)
    before = harness.breaker("paynet")
    harness.server.calls.clear()
    refused = dry_run(harness, CAPTURE, key="another")
    assert (refused.status, refused.slug) == (503, "provider-down")
    # It neither probes nor becomes a trial.
    harness.clock.advance(3600)
    dry_run(harness, CAPTURE, key="another")
    assert (harness.breaker("paynet"), harness.server.calls) == (before, [])


def test_a_table_that_does_not_answer(harness: Harness) -> None:
    dry_run(harness, COLLECT)
    harness.fail_table("GetItem")
    refused = dry_run(harness, COLLECT)
    assert (refused.status, refused.slug) == (503, "store-unavailable")
