"""The account at the provider that an order went to. No look-up and no resend uses another account."""

import time
from typing import Any

import pytest
from vezne_cli.catalogue import PROVIDERS

from tests.support.example import Example
from tests.support.harness import Harness, forget_everything
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK, vakifbank_answer
from tests.support.operations.walletgate_pay_bill import EXAMPLE as WALLETGATE
from tests.support.provider_server import Call, Reply, json_reply
from tests.support.providers import SECRETS
from tests.support.wire import unknown_order

DAYS = 24 * 3600
changing = pytest.mark.parametrize("example", [VAKIFBANK, HASO, WALLETGATE], ids=str)
resending = pytest.mark.parametrize("example", [VAKIFBANK, HASO], ids=str)


def secret_of_another_account(example: Example) -> dict[str, Any]:
    provider = PROVIDERS[example.provider]
    credentials = provider.credentials.model_validate(SECRETS[example.provider])
    # The first of the fields that name the account.
    name = next(iter(provider.client.names_account(credentials)))
    another: Any = 4711 if isinstance(getattr(credentials, name), int) else "another"
    return {**SECRETS[example.provider], name: another}


def change_account(harness: Harness, example: Example) -> None:
    harness.put_secret(example.provider, secret_of_another_account(example))
    forget_everything()


@changing
def test_an_unknown_order_is_neither_looked_up_nor_sent_at_another_account(harness: Harness, example: Example) -> None:
    operation_id = unknown_order(harness, example)
    change_account(harness, example)
    harness.server.on(example.look_up_route, example.not_found)
    harness.server.on(example.route, example.success)
    harness.clock.advance(60)
    assert harness.send(example).status == 202
    for days in (1, 20, 40, 60):
        harness.clock.advance(days * DAYS)
        harness.sweep(example)
    assert harness.record(operation_id).status == "unknown"
    assert harness.record(operation_id).evidence[-1]["reason"] == "the order went to another account"
    assert harness.server.to(example.look_up_route) == []
    assert harness.server.to(example.route) == []


@resending
def test_an_order_is_not_sent_again_to_another_address_of_the_provider(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown_order(harness, example)
    variable = f"{example.provider.upper()}_URL"
    monkeypatch.setenv(variable, harness.server.url.replace("127.0.0.1", "localhost"))
    forget_everything()
    harness.server.on(example.look_up_route, example.not_found)
    harness.server.on(example.route, example.success)
    harness.clock.advance(60)
    assert harness.send(example).status == 202
    assert harness.server.to(example.route) == []


@resending
def test_an_order_is_looked_up_and_sent_again_at_its_own_account(harness: Harness, example: Example) -> None:
    unknown_order(harness, example)
    change_account(harness, example)
    harness.clock.advance(60)
    assert harness.send(example).status == 202
    harness.put_secret(example.provider, SECRETS[example.provider])
    forget_everything()
    harness.server.on(example.look_up_route, example.not_found)
    harness.server.on(example.route, example.success)
    harness.clock.advance(3600)
    assert harness.send(example).status == 200
    assert len(harness.server.to(example.route)) == 1


def test_a_look_up_during_which_the_account_changes_proves_nothing(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation_id = unknown_order(harness, VAKIFBANK)

    def change(_: Call) -> Reply:
        harness.put_secret("vakifbank", secret_of_another_account(VAKIFBANK))
        later = time.time() + 3600
        monkeypatch.setattr(time, "time", lambda: later)
        return VAKIFBANK.not_found

    harness.server.on(VAKIFBANK.look_up_route, change)
    harness.clock.advance(60)
    harness.sweep(VAKIFBANK)
    assert harness.record(operation_id).evidence[-1]["reason"] == "the order went to another account"


def test_credentials_renewed_for_another_account_do_not_send_a_claimed_order(harness: Harness) -> None:
    def refuse(_: Call) -> Reply:
        harness.put_secret("vakifbank", secret_of_another_account(VAKIFBANK))
        return json_reply({"Header": {"StatusCode": "ACBG000001", "StatusDescription": "x"}}, 401)

    harness.server.on(VAKIFBANK.route, refuse)
    response = harness.send(VAKIFBANK)
    assert (response.status, response.body["money"], response.body["retry"]) == (503, "not_moved", "same_key")
    assert len(harness.server.to(VAKIFBANK.route)) == 1
    assert harness.records() == []
    harness.server.on(VAKIFBANK.route, vakifbank_answer)
    assert harness.send(VAKIFBANK).status == 200


def test_an_unresolved_record_of_an_earlier_version_is_looked_up(harness: Harness) -> None:
    operation_id = unknown_order(harness, HASO)
    (item,) = harness.records()
    del item["account"]
    harness.put(item)
    harness.server.on(HASO.look_up_route, HASO.found(harness.record(operation_id)))
    harness.clock.advance(60)
    assert harness.send(HASO).status == 200
