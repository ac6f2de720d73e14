"""VakıfBank's functions share one token: who logs in, who does not, and what they do without Secrets Manager."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from vezne.providers import credentials, login_lock, shared_token
from vezne.providers.http import Deadline
from vezne.providers.vakifbank import client as vakifbank

from tests.support.example import Example
from tests.support.harness import Harness, forget_everything, secrets_client, table_client
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK, vakifbank_answer
from tests.support.provider_server import Call, Reply, json_reply
from tests.support.providers import LOGINS, SECRETS, TOKEN_ANSWER
from tests.support.wire import header

LOGIN = LOGINS["vakifbank"][0]
LOCK = {"id": {"S": "secret#vakifbank"}}


@pytest.fixture(autouse=True)
def _bank(harness: Harness) -> None:
    """Each login has another token, and the bank takes every one."""
    tokens = iter(range(1, 100))
    harness.server.on(LOGIN, lambda _: json_reply({**TOKEN_ANSWER, "access_token": f"sandbox-token-{next(tokens)}"}))
    harness.server.on(VAKIFBANK.route, vakifbank_answer)


@pytest.fixture
def calls(harness: Harness) -> Iterator[list[str]]:
    """The calls made to Secrets Manager, in order, and those to the table."""
    events = credentials._client().meta.events

    def note(model: Any, **_: Any) -> None:
        harness.table_calls.append(model.name)

    events.register("before-call.secrets-manager", note)
    yield harness.table_calls
    events.unregister("before-call.secrets-manager", note)


def logins(harness: Harness) -> int:
    return len(harness.server.to(LOGIN))


def send(harness: Harness, key: str) -> int:
    return harness.send(VAKIFBANK, key=key).status


def send_from_a_new_instance(harness: Harness, key: str) -> int:
    forget_everything()
    return send(harness, key)


def tokens_used(harness: Harness) -> list[str]:
    return [str(header(call, "Authorization")).removeprefix("Bearer ") for call in harness.server.to(VAKIFBANK.route)]


def share(harness: Harness, **fields: Any) -> None:
    """Put a token there as another instance does."""
    version = secrets_client().get_secret_value(SecretId=harness._secret_id("vakifbank"))["VersionId"]
    stored = {"token": "sandbox-shared", "expires_at": 9_999_999_999, "secret_version": version, "paced_until": 0}
    secrets_client().put_secret_value(SecretId=harness.token_secret, SecretString=json.dumps({**stored, **fields}))


def take_the_lock(harness: Harness) -> None:
    """As another instance that is logging in."""
    item = {**LOCK, "trial": {"S": "another"}, "trial_until": {"N": "9999999999"}}
    table_client().put_item(TableName="vezne-records", Item=item)


def lock(harness: Harness) -> dict[str, Any]:
    return next((item for item in harness.items() if item["id"] == LOCK["id"]), {})


def test_one_login_serves_all_instances(harness: Harness) -> None:
    for number in range(4):
        assert send_from_a_new_instance(harness, f"key-{number}") == 200
    assert logins(harness) == 1
    assert tokens_used(harness) == ["sandbox-token-1"] * 4


def test_the_token_is_written_before_the_next_function_may_log_in(harness: Harness, calls: list[str]) -> None:
    assert send_from_a_new_instance(harness, "key-1") == 200
    secret, look, take, look_again, write, end = calls[1:7]
    assert (secret, look, look_again) == ("GetSecretValue",) * 3
    assert (take, write, end) == ("UpdateItem", "PutSecretValue", "UpdateItem")
    assert calls[7:] == ["PutItem", "UpdateItem"]


def test_an_inquiry_shares_it_too(harness: Harness) -> None:
    share(harness)
    forget_everything()
    harness._set_variable("SECRET_ID", harness._secret_id("vakifbank"))
    harness.server.on(
        "POST /tos/query", Reply(200, b'{"Header": {"StatusCode": "APIGW000000"}, "Data": {"Result": []}}')
    )
    vakifbank.query("no-such-code", Deadline(lambda: 27_000))
    assert logins(harness) == 0
    (call,) = harness.server.to("POST /tos/query")
    assert header(call, "Authorization") == "Bearer sandbox-shared"


def test_the_token_of_an_earlier_secret_is_not_used(harness: Harness) -> None:
    assert send_from_a_new_instance(harness, "key-1") == 200
    harness.put_secret("vakifbank", {**SECRETS["vakifbank"], "client_secret": "sandbox-second"})
    for number in range(2, 4):
        assert send_from_a_new_instance(harness, f"key-{number}") == 200
    assert logins(harness) == 2
    assert tokens_used(harness) == ["sandbox-token-1", "sandbox-token-2", "sandbox-token-2"]


def test_a_token_that_lives_too_short_is_not_shared(harness: Harness) -> None:
    harness.server.on(LOGIN, json_reply({**TOKEN_ANSWER, "expires_in": 300}))
    for number in range(2):
        assert send_from_a_new_instance(harness, f"key-{number}") == 200
    assert logins(harness) == 2
    assert harness.shared_token() == {}


def refusing(*tokens: str) -> Callable[[Call], Reply]:
    """The bank once it does not know these tokens any more."""

    def answer(call: Call) -> Reply:
        if str(header(call, "Authorization")).removeprefix("Bearer ") in tokens:
            return json_reply({"Header": {"StatusCode": "ACBG000002", "StatusDescription": "x"}}, 401)
        return vakifbank_answer(call)

    return answer


def test_after_a_refused_token_one_instance_logs_in_and_the_others_use_its_token(harness: Harness) -> None:
    """All instances have the refused token in memory, and it is still the shared one."""
    cache = vakifbank.CLIENT.credential_cache
    memories = []
    for number in range(4):
        assert send_from_a_new_instance(harness, f"key-{number}") == 200
        memories.append(dict(vars(cache)))
    harness.server.on(VAKIFBANK.route, refusing("sandbox-token-1"))
    for number, memory in enumerate(memories):
        vars(cache).update(memory)
        assert send(harness, f"key-again-{number}") == 200
    assert send_from_a_new_instance(harness, "key-new") == 200
    assert logins(harness) == 2
    assert harness.shared_token()["token"] == "sandbox-token-2"


def test_a_refused_token_does_not_come_back_from_the_secret(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new one could not be written, so the refused one stays there."""
    assert send_from_a_new_instance(harness, "key-1") == 200
    monkeypatch.setattr(shared_token, "put_secret", lambda *_: None)
    harness.server.on(VAKIFBANK.route, refusing("sandbox-token-1"))
    for key in ("key-2", "key-3"):
        assert send(harness, key) == 200
    assert tokens_used(harness) == ["sandbox-token-1", "sandbox-token-1", "sandbox-token-2", "sandbox-token-2"]


def test_a_new_instance_gives_up_a_refused_token_that_is_still_shared(harness: Harness) -> None:
    share(harness)
    harness.server.on(VAKIFBANK.route, refusing("sandbox-shared"))
    assert send_from_a_new_instance(harness, "key-1") == 200
    assert tokens_used(harness) == ["sandbox-shared", "sandbox-token-1"]
    assert harness.shared_token()["token"] == "sandbox-token-1"


def test_who_waits_for_a_login_goes_on_with_its_token(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the one that logged in was killed before it gave its right back."""
    monkeypatch.setattr(login_lock, "_WAIT_SECONDS", 0.01)
    take_the_lock(harness)
    harness.before_next("UpdateItem", lambda _: share(harness))
    assert send_from_a_new_instance(harness, "key-1") == 200
    assert logins(harness) == 0
    assert lock(harness)["trial"] == {"S": "another"}


def test_who_gets_its_turn_looks_once_more_and_gives_its_right_back(harness: Harness) -> None:
    """Another instance logged in between our look and our turn."""
    harness.before_next("UpdateItem", lambda _: share(harness))
    assert send_from_a_new_instance(harness, "key-1") == 200
    assert logins(harness) == 0
    assert "trial" not in lock(harness)


def test_a_shared_token_is_used_while_logins_are_held_back(harness: Harness) -> None:
    table_client().put_item(
        TableName="vezne-records", Item={**LOCK, "held_until": {"N": "9999999999"}, "holds": {"N": "1"}}
    )
    share(harness)
    assert send_from_a_new_instance(harness, "key-1") == 200
    assert lock(harness)["holds"] == {"N": "1"}


def test_a_look_before_the_login_does_not_end_a_hold(harness: Harness) -> None:
    """The hold is over, so we have our turn; but nobody has logged in meanwhile."""
    table_client().put_item(TableName="vezne-records", Item={**LOCK, "held_until": {"N": "1"}, "holds": {"N": "2"}})
    harness.before_next("UpdateItem", lambda _: share(harness))
    assert send_from_a_new_instance(harness, "key-1") == 200
    assert lock(harness)["holds"] == {"N": "2"}


@pytest.mark.parametrize("broken", ["get_secret", "put_secret"])
def test_without_the_shared_secret_each_instance_logs_in(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    def fail(*_: str) -> None:
        raise credentials.SecretUnavailableError("ThrottlingException")

    monkeypatch.setattr(shared_token, broken, fail)
    with caplog.at_level(logging.INFO):
        for number in range(2):
            assert send_from_a_new_instance(harness, f"key-{number}") == 200
    assert logins(harness) == 2
    assert harness.shared_token() == {}
    assert "sandbox-token" not in str([vars(record) for record in caplog.records])


def test_a_stack_without_the_right_to_the_shared_secret_still_sends(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGIN_SECRET_ID", "vezne/nowhere")
    assert send_from_a_new_instance(harness, "key-1") == 200


def test_a_version_that_is_tried_out_is_really_tried(harness: Harness) -> None:
    """A shared token says nothing about it, and what it gets is shared by nobody."""
    share(harness)
    before = harness.shared_token()
    tried = credentials.VakifBankCredentials.model_validate(SECRETS["vakifbank"])
    version = before["secret_version"]
    assert vakifbank.CLIENT.try_credentials(tried, version, Deadline(lambda: 27_000))
    assert logins(harness) == 1
    assert harness.shared_token() == before


@pytest.mark.parametrize("example", [VAKIFBANK], ids=str)
def test_no_record_has_the_token(harness: Harness, example: Example) -> None:
    assert send_from_a_new_instance(harness, "key-1") == 200
    assert harness.shared_token()["token"] == "sandbox-token-1"
    assert "sandbox-token" not in str(harness.items())
