"""Send orders full of canaries in every way, then search everything that was written for them."""

import itertools
import json
import secrets
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import pytest
from stdnum import luhn
from stdnum.iso7064 import mod_97_10
from stdnum.tr import tckimlik
from vezne_cli.catalogue import ORDERS
from vezne_cli.golden import golden_event
from vezne_cli.stack import Stack
from vezne_sandbox.ledger import load_credentials

from tests.end_to_end.reconfigure import reconfigured
from tests.end_to_end.test_events import due
from tests.support.operations import OPERATIONS
from tests.support.order import Order, new_order

LONGEST_SHOWN = 8
"""Characters of a number in a row that may be seen: a masked card shows its first six and last four digits."""


def digits(count: int) -> str:
    return "".join(secrets.choice(string.digits) for _ in range(count))


def card_number() -> str:
    number = "4" + digits(14)
    return number + luhn.calc_check_digit(number)


def iban() -> str:
    account = "00061" + "0" + digits(16)
    return f"TR{mod_97_10.calc_check_digits(account + 'TR')}{account}"


def identity_number() -> str:
    number = "5" + digits(8)
    return number + tckimlik.calc_check_digits(number)


@dataclass
class Canaries:
    """The texts that must be found nowhere. Of a person's number, even a part counts as found."""

    card: str = field(default_factory=card_number)
    iban: str = field(default_factory=iban)
    identity: str = field(default_factory=identity_number)
    phone: str = field(default_factory=lambda: "5" + digits(9))
    secrets: list[str] = field(default_factory=list)

    def traces(self) -> Iterator[tuple[str, str]]:
        """Each text to search for, and its meaning."""
        for secret in self.secrets:
            yield "a secret or token", secret
        for name, number in (("card", self.card), ("iban", self.iban), ("identity", self.identity)):
            for start in range(len(number) - LONGEST_SHOWN):
                yield name, number[start : start + LONGEST_SHOWN + 1]
        yield "phone", self.phone

    def found_in(self, text: str) -> set[str]:
        return {name for name, trace in self.traces() if trace in text}


def test_the_canaries_are_valid_and_are_found() -> None:
    """Otherwise the search below would prove nothing."""
    canaries = Canaries(secrets=["sandbox-haso-key"])
    assert luhn.is_valid(canaries.card)
    assert tckimlik.is_valid(canaries.identity)
    assert mod_97_10.is_valid(canaries.iban[4:] + canaries.iban[:4])
    assert canaries.found_in(f'{{"seen": "**{canaries.card[3:13]}"}}') == {"card"}
    assert canaries.found_in(f"{canaries.iban} {canaries.identity} sandbox-haso-key") == {
        "iban",
        "identity",
        "a secret or token",
    }
    assert canaries.found_in(f"{canaries.card[:6]}******{canaries.card[-4:]}") == set()


class Run:
    """Sends orders and keeps every answer."""

    def __init__(self, stack: Stack, token: str) -> None:
        self.stack, self.token = stack, token
        self.answers: list[httpx.Response] = []

    def send(self, one: Order, **changes: Any) -> httpx.Response:
        arguments: dict[str, Any] = {"token": self.token, "key": one.key, "body": one.body, **changes}
        answer = self.stack.request("POST", one.path, **arguments)
        self.answers.append(answer)
        return answer

    def send_lost(self, one: Order) -> str:
        """Send an order and lose its answer, so that look-ups and evidence follow. Returns the operation's id."""
        rule = self.stack.sandbox.rule(one.operation, "reset", match=one.reference)
        answer = self.send(one)
        assert answer.status_code == 202, answer.text
        self.stack.sandbox.remove_rules(rule["id"])
        operation_id: str = answer.json()["operation_id"]
        due(self.stack, operation_id)
        self.stack.invoke(one.operation, golden_event(one.operation, "sweep"))
        read = self.stack.request("GET", f"/operations/{operation_id}", token=self.token)
        self.answers.append(read)
        return operation_id


def with_canaries(canaries: Canaries) -> dict[str, Order]:
    """An order of each operation with a canary in every field that takes one."""
    person = f"{canaries.identity} {canaries.iban} {canaries.card}"
    hidden = {
        "transaction_type": "credit_card",
        "receiver_account": canaries.card,
        "sender_account_no": canaries.iban,
        "explanation": person,
        "description": f"Tahsilat {person}",
        "receiver_identity_no": canaries.identity,
        "receiver_phone": canaries.phone,
        "chief": {"name": "Ali", "identity_no": canaries.identity, "account_no": canaries.iban},
        "subscriber_no": canaries.identity,
    }
    return {
        operation: new_order(operation).but(**{name: hidden[name] for name in hidden.keys() & fields.keys()})
        for operation in OPERATIONS
        if (fields := ORDERS[operation].declaration.request_model.model_fields)
    }


def send_everything(run: Run, canaries: Canaries) -> None:
    send_good_orders(run, canaries)
    send_orders_that_go_wrong(run, canaries)
    send_what_does_not_fit(run, canaries)
    send_standing_orders(run.stack, canaries)
    fail_to_log_in(run)


def send_good_orders(run: Run, canaries: Canaries) -> None:
    for one in with_canaries(canaries).values():
        assert run.send(one).status_code == 200
        assert run.send(one).headers["idempotent-replayed"] == "true"
        assert run.send(one.but(more=canaries.card)).status_code == 400
    assert run.send(new_order("paynet.capture"), key=canaries.card).status_code == 200


def send_orders_that_go_wrong(run: Run, canaries: Canaries) -> None:
    sandbox = run.stack.sandbox
    for operation, one in with_canaries(canaries).items():
        run.send_lost(one)
        refused, unreadable = with_canaries(canaries)[operation], with_canaries(canaries)[operation]
        sandbox.rule(operation, "refuse", match=refused.reference)
        assert run.send(refused).status_code == 402
        sandbox.rule(operation, "bad_gateway_html", match=unreadable.reference)
        assert run.send(unreadable).status_code == 202
    # A provider that repeats data that identify a person.
    repeated, text = new_order("haso.set_expenses"), f"{canaries.card} {canaries.iban} {canaries.identity}"
    sandbox.rule("haso.set_expenses", "refuse", match=repeated.reference, code=text)
    assert run.send(repeated).status_code == 402


def send_what_does_not_fit(run: Run, canaries: Canaries) -> None:
    """Send the canary as a value, as a field's name, in a body cut short, and in the path."""
    bank = with_canaries(canaries)["vakifbank.pay"]
    wrong_digit = canaries.card[:-1] + str((int(canaries.card[-1]) + 1) % 10)
    for fields in (
        {"receiver_account": wrong_digit},
        {"amount": canaries.card},
        {canaries.card: "x"},
        {"payment_date": canaries.iban},
        {"currency": canaries.identity},
        {"chief": canaries.card},
        {"chief": {canaries.card: canaries.iban}},
    ):
        assert run.send(bank.but(**fields)).status_code == 400
    assert run.send(bank, content=f'{{"{canaries.card}": "{canaries.iban}'.encode(), body=None).status_code == 400
    collection = new_order("kolaybi.collect").but(associate_id=canaries.iban)
    assert run.send(collection).status_code == 400


def send_standing_orders(stack: Stack, canaries: Canaries) -> None:
    """Send three: one that is executed, one that does not fit, and one to a card, which is forbidden."""
    card = with_canaries(canaries)["vakifbank.pay"].body
    account = {**card, "transaction_type": "account", "receiver_account": canaries.iban}
    for request in (account, {**account, "amount": canaries.card}, card):
        content = {"name": f"canary-{digits(9)}", "occurrence": "2026-12-01T06:00:00Z", "request": request}
        if request is account:
            assert stack.invoke("vakifbank.pay", {"standing_order": content})["status"] == "succeeded"
        else:
            with pytest.raises(RuntimeError, match="invalid-request"):
                stack.invoke("vakifbank.pay", {"standing_order": content})


def fail_to_log_in(run: Run) -> None:
    """Cause a refused login, and use a secret that does not fit."""
    right = load_credentials()["paynet"]
    run.stack.sandbox.seed(paynet={"credentials": {"secret_key": "sandbox-key-of-tomorrow"}})
    try:
        assert run.send(new_order("paynet.capture")).status_code == 502
    finally:
        run.stack.sandbox.seed(paynet={"credentials": right})
    put = partial(run.stack.aws("secretsmanager").put_secret_value, SecretId=run.stack.secrets["paynet"])
    put(SecretString=json.dumps({**right, "typo": "sandbox-canary-typo"}))
    try:
        with reconfigured(run.stack, "paynet.capture"):
            assert run.send(new_order("paynet.capture")).status_code == 502
    finally:
        put(SecretString=json.dumps(right))


def log_lines(stack: Stack) -> list[str]:
    logs = stack.aws("logs")
    groups = [
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate()
        for group in page["logGroups"]
    ]
    pages = (page for name in groups for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name))
    return [event["message"] for page in pages for event in page["events"]]


def stream_records(stack: Stack) -> list[dict[str, Any]]:
    streams = stack.aws("dynamodbstreams")
    (stream,) = streams.list_streams(TableName=stack.table)["Streams"]
    records = []
    for shard in streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]:
        place = streams.get_shard_iterator(
            StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while place:
            page = streams.get_records(ShardIterator=place)
            if not page["Records"]:
                break
            records += page["Records"]
            place = page.get("NextShardIterator")
    return records


@pytest.fixture(scope="module")
def canaries() -> Canaries:
    return Canaries()


def test_nothing_secret_is_written_down(stack: Stack, canaries: Canaries) -> None:
    token = stack.token()
    known = itertools.chain.from_iterable(fields.items() for fields in load_credentials().values())
    # A record names the account of its order. A merchant's id is as little secret as an account number.
    values = [value for name, value in known if name != "merchant_id"]
    # All access tokens of the sandboxes begin alike. Short values (a code, a number) are not secrets.
    canaries.secrets = [str(value) for value in values if str(value).startswith("sandbox-")] + [
        "sandbox-token-", "sandbox-canary-typo", stack.first_client.secret, token.split(".")[2],
    ]  # fmt: skip
    assert len(canaries.secrets) >= 13
    run = Run(stack, token)
    send_everything(run, canaries)

    lines, records, stream = log_lines(stack), stack.records(), stream_records(stack)
    answers = [answer.text + str(dict(answer.headers)) for answer in run.answers]
    searched = {
        "logs": lines,
        "records": [json.dumps(record, ensure_ascii=False) for record in records],
        "stream": [json.dumps(record, ensure_ascii=False, default=str) for record in stream],
        "answers": answers,
        "server logs": [path.read_text(errors="replace") for path in stack.log_directory.glob("*.log")],
    }
    # The search needs data: each operation has left its traces in all of them.
    for operation in OPERATIONS:
        for place in ("logs", "records", "stream", "answers"):
            assert any(operation in text for text in searched[place]), (operation, place)
    found = {(place, name) for place, texts in searched.items() for text in texts for name in canaries.found_in(text)}
    assert found == set()
