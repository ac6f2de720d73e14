"""Credentials of orders: a wrong VakıfBank secret is tried once in all, and a rotation fails few orders."""

import time
from typing import Any

import pytest
from vezne.providers import login_lock
from vezne_sandbox.sandbox import PROVIDERS

from tests.support.example import Example
from tests.support.harness import Harness, forget_everything, table_client
from tests.support.operations import EXAMPLES
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.paynet_capture import EXAMPLE as PAYNET
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK, vakifbank_answer
from tests.support.provider_server import HANG_UP, Call, Reply, json_reply
from tests.support.providers import LOGINS, SECRETS, TOKEN_ANSWER
from tests.support.wire import answered, header

LOGIN = LOGINS["vakifbank"][0]


def bank_says(code: str, status: int = 400) -> Reply:
    return json_reply({"Header": {"StatusCode": code, "StatusDescription": "x"}}, status)


def logins(harness: Harness) -> int:
    return len(harness.server.to(LOGIN))


def send_from_a_new_instance(harness: Harness, key: str) -> int:
    forget_everything()
    return harness.send(VAKIFBANK, key=key).status


# -------------------------------------------------------------------- a bank that locks after five wrong secrets


@pytest.mark.parametrize("reply", [bank_says("ACBG000005"), bank_says("ACBG000006"), bank_says("ACBG000005", 401)])
def test_a_wrong_secret_is_tried_once_by_all_functions_together(harness: Harness, reply: Reply) -> None:
    harness.server.on(LOGIN, reply)
    harness.server.on(VAKIFBANK.route, vakifbank_answer)
    for number in range(8):
        assert send_from_a_new_instance(harness, f"key-{number}") == 502
    assert logins(harness) == 1
    assert harness.records() == []


def test_a_new_version_of_the_secret_is_tried(harness: Harness) -> None:
    harness.server.on(LOGIN, bank_says("ACBG000005"), bank_says("ACBG000005"), json_reply(TOKEN_ANSWER))
    harness.server.on(VAKIFBANK.route, vakifbank_answer)
    assert send_from_a_new_instance(harness, "key-1") == 502
    harness.put_secret("vakifbank", {**SECRETS["vakifbank"], "client_secret": "sandbox-second"})
    assert send_from_a_new_instance(harness, "key-1") == 502
    assert send_from_a_new_instance(harness, "key-1") == 502
    assert logins(harness) == 2
    harness.put_secret("vakifbank", {**SECRETS["vakifbank"], "client_secret": "sandbox-third"})
    assert send_from_a_new_instance(harness, "key-1") == 200
    assert [dict(call.form())["client_secret"] for call in harness.server.to(LOGIN)] == [
        "sandbox-client-secret", "sandbox-second", "sandbox-third",
    ]  # fmt: skip


HTML = b"<html><title>Access denied</title></html>"
# None says that the secret is wrong: a page of a proxy, limits, system errors, an address that is not allowed, another
# credential. A refusal that names our credentials is answered as such, every other one as "not reached".
NOT_ABOUT_THE_SECRET = [
    *((Reply(status, HTML), 503) for status in (400, 401, 403, 404, 429)),
    *((bank_says(code), 503) for code in ("ACBG000003", "ACBG000004", "ACBG000008", "ACBG000009", "ACBG999999", "")),
    *((bank_says(code), 502) for code in ("ACBG000001", "ACBG000002", "ACBG000007", "ACBG000010")),
    (bank_says("ACBG000001", 401), 502),
    *((json_reply(body, 401), 503) for body in ({}, {"message": "invalid_client"}, {"error": ["invalid_client"]})),
    *((json_reply({"error": "unauthorized_client"}, status), 502) for status in (400, 401)),
    (json_reply({"error": "invalid_client"}, 403), 502),
    (json_reply({"Header": {"StatusCode": ["ACBG000005"]}}, 401), 503),
]


def let_the_hold_end(harness: Harness) -> None:
    """End the hold as if its time were over."""
    table_client().update_item(
        TableName="vezne-records",
        Key={"id": {"S": "secret#vakifbank"}},
        UpdateExpression="SET held_until = :past",
        ConditionExpression="attribute_exists(held_until)",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )


def seconds_held(harness: Harness) -> float:
    (item,) = [item for item in harness.items() if item["id"]["S"] == "secret#vakifbank"]
    return float(item["held_until"]["N"]) - time.time()


@pytest.mark.parametrize(("reply", "status"), NOT_ABOUT_THE_SECRET)
def test_a_refusal_that_does_not_blame_the_secret_holds_logins_back(
    harness: Harness, reply: Reply, status: int
) -> None:
    """The bank locks the application after five wrong secrets, so no function may try again at once."""
    harness.server.on(LOGIN, reply, json_reply(TOKEN_ANSWER))
    harness.server.on(VAKIFBANK.route, vakifbank_answer)
    assert send_from_a_new_instance(harness, "key-1") == status
    forget_everything()
    held = harness.send(VAKIFBANK, key="key-2")
    assert (held.status, held.slug) == (503, "provider-unreachable")
    assert (held.body["money"], held.body["retry"]) == ("not_moved", "same_key")
    assert 50 < int(held.headers["Retry-After"]) <= 60
    assert logins(harness) == 1
    let_the_hold_end(harness)
    assert send_from_a_new_instance(harness, "key-1") == 200
    assert logins(harness) == 2


def test_logins_are_held_back_1_then_5_then_15_minutes(harness: Harness) -> None:
    harness.server.on(LOGIN, Reply(403, HTML))
    for longest in (60, 300, 900, 900):
        assert send_from_a_new_instance(harness, "key-1") == 503
        assert longest - 10 < seconds_held(harness) <= longest
        let_the_hold_end(harness)


def test_a_login_that_succeeds_ends_the_holds(harness: Harness) -> None:
    harness.server.on(LOGIN, Reply(403, HTML), Reply(403, HTML), json_reply(TOKEN_ANSWER), Reply(403, HTML))
    harness.server.on(VAKIFBANK.route, vakifbank_answer)
    for status in (503, 503, 200, 503):
        harness.share_no_token()
        assert send_from_a_new_instance(harness, "key-1" if status != 200 else "key-2") == status
        if status != 200:
            assert seconds_held(harness) <= (300 if logins(harness) == 2 else 60)
            let_the_hold_end(harness)


def test_a_hold_does_not_end_with_a_login_that_is_lost(harness: Harness) -> None:
    harness.server.on(LOGIN, Reply(403, HTML), HANG_UP, Reply(403, HTML))
    for _ in range(3):
        assert send_from_a_new_instance(harness, "key-1") == 503
        let_the_hold_end(harness)
    (item,) = harness.items()
    assert item["holds"]["N"] == "2"


def test_a_hold_of_an_older_version_is_ignored(harness: Harness) -> None:
    """The item of an earlier version has other attributes."""
    item = {"id": {"S": "secret#vakifbank"}, "rejected_version": {"S": "an-older-one"}}
    table_client().put_item(TableName="vezne-records", Item=item)
    harness.server.on(VAKIFBANK.route, vakifbank_answer)
    assert send_from_a_new_instance(harness, "key-1") == 200


@pytest.mark.parametrize("status", [400, 401])
def test_an_oauth_error_that_names_the_client_rejects_the_version(harness: Harness, status: int) -> None:
    harness.server.on(LOGIN, json_reply({"error": "invalid_client"}, status))
    for number in range(3):
        assert send_from_a_new_instance(harness, f"key-{number}") == 502
    assert logins(harness) == 1


@pytest.mark.parametrize("reply", [HANG_UP, bank_says("ACBG000008", 500), Reply(200, b"<html>")])
def test_a_login_that_fails_lets_the_next_one_try(harness: Harness, reply: Reply) -> None:
    harness.server.on(LOGIN, reply, json_reply(TOKEN_ANSWER))
    harness.server.on(VAKIFBANK.route, vakifbank_answer)
    assert send_from_a_new_instance(harness, "key-1") == 503
    assert send_from_a_new_instance(harness, "key-1") == 200


def test_one_function_logs_in_at_a_time(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first function may be trying a wrong secret now."""
    monkeypatch.setattr(login_lock, "_LONGEST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(login_lock, "_WAIT_SECONDS", 0.01)
    seen: list[int] = []

    def log_in_meanwhile(_: Call) -> Reply:
        seen.append(send_from_a_new_instance(harness, "key-2"))
        return json_reply(TOKEN_ANSWER)

    harness.server.on(LOGIN, log_in_meanwhile, json_reply(TOKEN_ANSWER))
    harness.server.on(VAKIFBANK.route, vakifbank_answer)
    assert send_from_a_new_instance(harness, "key-1") == 200
    assert seen == [503]
    assert logins(harness) == 1


def test_a_function_that_was_killed_during_a_login_does_not_block_the_others_for_ever(harness: Harness) -> None:
    harness.server.on(VAKIFBANK.route, vakifbank_answer)
    item = {"id": {"S": "secret#vakifbank"}, "trial": {"S": "dead"}, "trial_until": {"N": "1"}}
    table_client().put_item(TableName="vezne-records", Item=item)
    assert send_from_a_new_instance(harness, "key-1") == 200


def test_no_login_without_the_table(harness: Harness) -> None:
    harness.fail_table("UpdateItem")
    assert send_from_a_new_instance(harness, "key-1") == 503
    assert logins(harness) == 0


def test_the_login_lock_holds_no_secret(harness: Harness) -> None:
    harness.server.on(LOGIN, bank_says("ACBG000005"))
    send_from_a_new_instance(harness, "key-1")
    (item,) = harness.items()
    assert item["id"]["S"] == "secret#vakifbank"
    assert "sandbox-client-secret" not in str(item)
    assert set(item) == {"id", "rejected_version"}


def test_a_hold_has_two_attributes_in_the_login_lock(harness: Harness) -> None:
    """The policy of the read-only query function names each attribute that it may write."""
    harness.server.on(LOGIN, Reply(403, HTML))
    send_from_a_new_instance(harness, "key-1")
    (item,) = harness.items()
    assert set(item) == {"id", "held_until", "holds"}


# -------------------------------------------------------------------- rotation


def rotated(provider: str) -> dict[str, Any]:
    """The provider's secret with its key changed."""
    return {**SECRETS[provider], PROVIDERS[provider].rotated: "sandbox-rotated"}


def used(example: Example, call: Call) -> str:
    """The credentials that a request was sent with."""
    if example.provider == HASO.provider:
        return str(call.json()["requestToken"])
    return str(header(call, "Authorization"))


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_order_refused_for_an_old_secret_is_sent_with_the_new_one(harness: Harness, example: Example) -> None:
    """The secret was rotated while this instance still held the old one."""
    assert answered(harness, example, example.refusal, key="another-key").status == 402
    harness.put_secret(example.provider, rotated(example.provider))
    if example.provider in LOGINS:
        harness.server.on(
            LOGINS[example.provider][0], json_reply({"data": "new", "access_token": "new", "expires_in": 60})
        )
    harness.server.calls.clear()
    # HASO has no HTTP status for wrong credentials. Its refusal is the only sign.
    refusal = example.refusal if example.provider == HASO.provider else Reply(401, b"{}")
    harness.server.on(example.route, refusal, example.success)
    response = harness.send(example)
    assert (response.status, response.body["status"]) == (200, "succeeded")
    first, second = harness.server.to(example.route)
    assert used(example, first) != used(example, second)


@pytest.mark.parametrize("example", [HASO, PAYNET], ids=str)
def test_without_another_secret_the_refused_order_is_not_sent_again(harness: Harness, example: Example) -> None:
    answered(harness, example, example.refusal if example is HASO else Reply(401, b"{}"))
    assert len(harness.server.to(example.route)) == 1


def test_a_refusal_that_is_no_sign_of_credentials_is_not_sent_again(harness: Harness) -> None:
    answered(harness, PAYNET, PAYNET.refusal, key="another-key")
    harness.put_secret("paynet", rotated("paynet"))
    harness.server.calls.clear()
    assert answered(harness, PAYNET, PAYNET.refusal).status == 402
    assert len(harness.server.to(PAYNET.route)) == 1


def test_the_answer_to_the_second_sending_counts(harness: Harness) -> None:
    answered(harness, HASO, HASO.refusal, key="another-key")
    harness.put_secret("haso", rotated("haso"))
    harness.server.on(HASO.route, HASO.refusal, HANG_UP)
    assert harness.send(HASO).status == 202


def test_an_expired_login_is_renewed_by_the_look_up_too(harness: Harness) -> None:
    harness.server.on(KOLAYBI.route, HANG_UP)
    known = harness.send(KOLAYBI).body["operation_id"]
    harness.server.on(KOLAYBI.look_up_route, Reply(401, b"{}"), KOLAYBI.found(harness.record(known)))
    harness.clock.advance(60)
    assert harness.send(KOLAYBI).body["status"] == "succeeded"
    assert len(harness.server.to(LOGINS["kolaybi"][0])) == 2
