"""The token that functions share: what is used, what is written, and what is left alone."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from vezne.providers import shared_token
from vezne.providers.credentials import (
    TOKEN_MARGIN_SECONDS,
    CredentialCache,
    PaynetCredentials,
    SecretUnavailableError,
    SecretUnusableError,
    Token,
)
from vezne.providers.shared_token import (
    LONGEST_SHARED_SECONDS,
    SHORTEST_SHARED_SECONDS,
    WRITE_SECONDS,
    WRITES_AT_ONCE,
    SharedToken,
)

from tests.support.memory_secret import MemorySecret, in_place

NOW = 1_796_104_800
HOUR = 3600.0
CANARY = "KANARYA-token"
PAYNET = PaynetCredentials(secret_key=SecretStr("sandbox-paynet"))


class Seconds:
    """The clock of the shared token."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def time(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr(shared_token, "time", clock)
    return clock


@pytest.fixture
def secret(seconds: Seconds) -> Iterator[MemorySecret]:
    memory = MemorySecret()
    with in_place(lambda: memory):
        yield memory


def read(version: str = "v1", refused: str = "") -> str | None:
    token = SharedToken(version, refused).read()
    return token.value.get_secret_value() if token else None


def write(value: str = CANARY, lives: float = HOUR, version: str = "v1") -> None:
    """As a function that has just logged in does."""
    shared = SharedToken(version, "")
    shared.read()
    shared.write(Token(SecretStr(value), lives))


def test_there_is_no_token_at_first(secret: MemorySecret) -> None:
    assert read() is None


def test_what_one_function_writes_the_others_use_until_it_is_about_to_expire(
    secret: MemorySecret, seconds: Seconds
) -> None:
    write()
    token = SharedToken("v1", "").read()
    assert token is not None
    assert (token.value.get_secret_value(), token.seconds) == (CANARY, HOUR)
    seconds.now += HOUR - TOKEN_MARGIN_SECONDS - 1
    assert read() == CANARY
    seconds.now += 1
    assert read() is None


def test_a_token_is_used_with_its_own_version_of_the_secret_only(secret: MemorySecret) -> None:
    write()
    assert read("v2") is None
    assert read("") is None


def test_a_refused_token_is_not_used_again_but_its_successor_is(secret: MemorySecret) -> None:
    write("first")
    assert read(refused="first") is None
    write("second")
    assert read(refused="first") == "second"


def test_what_is_written_has_just_these_fields(secret: MemorySecret) -> None:
    write()
    (text,) = secret.written
    assert json.loads(text) == {
        "token": CANARY, "expires_at": NOW + 3600, "secret_version": "v1", "paced_until": NOW + WRITE_SECONDS,
    }  # fmt: skip


@pytest.mark.parametrize("lives", [0.0, -1.0, SHORTEST_SHARED_SECONDS - 1, float("nan")])
def test_a_token_that_lives_too_short_is_not_shared(secret: MemorySecret, lives: float) -> None:
    write(lives=lives)
    assert secret.written == []


@pytest.mark.parametrize("lives", [SHORTEST_SHARED_SECONDS, HOUR])
def test_a_token_that_lives_long_enough_is_shared(secret: MemorySecret, lives: float) -> None:
    write(lives=lives)
    assert read() == CANARY


@pytest.mark.parametrize("lives", [10.0 * LONGEST_SHARED_SECONDS, float("inf")])
def test_a_token_is_shared_for_a_day_at_most(secret: MemorySecret, lives: float) -> None:
    write(lives=lives)
    assert json.loads(secret.written[0])["expires_at"] == NOW + LONGEST_SHARED_SECONDS


def test_only_so_many_writes_come_at_once_and_then_one_every_ten_minutes(
    secret: MemorySecret, seconds: Seconds
) -> None:
    """A provider that refuses every token must not use up the versions that the secret can have."""
    for number in range(WRITES_AT_ONCE + 5):
        write(f"token-{number}")
    assert len(secret.written) == WRITES_AT_ONCE
    for _ in range(3):
        seconds.now += WRITE_SECONDS
        write("later")
        write("much too early")
    assert len(secret.written) == WRITES_AT_ONCE + 3
    assert read() == "later"


def test_a_token_of_the_shortest_life_is_shared_for_ever(secret: MemorySecret, seconds: Seconds) -> None:
    for number in range(200):
        write(f"token-{number}", lives=SHORTEST_SHARED_SECONDS)
        assert read() == f"token-{number}"
        seconds.now += SHORTEST_SHARED_SECONDS - TOKEN_MARGIN_SECONDS


MALFORMED: tuple[Any, ...] = (
    "", "no JSON", "[]", "null", '"text"', "1", {"token": CANARY}, {"more": 1},
    *({"token": CANARY, "expires_at": NOW + 3600, "secret_version": "v1", "paced_until": 0, **wrong}
      for wrong in ({"more": 1}, {"token": 1}, {"token": None}, {"expires_at": str(NOW + 3600)}, {"expires_at": True},
                    {"expires_at": NOW + 0.5}, {"secret_version": ["v1"]}, {"paced_until": "0"},
                    {"token": f"{CANARY}\r\nX: y"}, {"token": f"{CANARY} "}, {"token": "ğ"})),
    "[" * 100_000,
)  # fmt: skip


@pytest.mark.parametrize("value", MALFORMED, ids=lambda value: str(value)[:60])
def test_a_text_of_another_form_has_no_token_and_is_written_over(secret: MemorySecret, value: Any) -> None:
    secret.written.append(value if isinstance(value, str) else json.dumps(value))
    assert read() is None
    write("new")
    assert read() == "new"


@pytest.mark.parametrize("error", [SecretUnusableError("denied"), SecretUnavailableError("slow")])
def test_without_secrets_manager_nothing_is_shared_and_nothing_fails(
    secret: MemorySecret, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail(*_: str) -> None:
        raise error

    shared = SharedToken("v1", "")
    shared.read()
    with caplog.at_level(logging.INFO):
        monkeypatch.setattr(secret, "put", fail)
        shared.write(Token(SecretStr(CANARY), HOUR))
        monkeypatch.setattr(secret, "get", fail)
        assert read() is None
    assert [record.message for record in caplog.records] == ["token not shared", "shared token not read"]
    assert CANARY not in str([vars(record) for record in caplog.records])


def test_what_was_written_is_not_known_so_nothing_is_written_over_it(
    secret: MemorySecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who cannot read the pace of the writes would break it."""
    shared = SharedToken("v1", "")
    shared.write(Token(SecretStr(CANARY), HOUR))
    assert secret.written == []


def test_what_was_read_before_a_failure_says_nothing_of_the_pace(
    secret: MemorySecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: str) -> None:
        raise SecretUnavailableError("slow")

    shared = SharedToken("v1", "")
    shared.read()
    with monkeypatch.context() as failing:
        failing.setattr(secret, "get", fail)
        assert shared.read() is None
    shared.write(Token(SecretStr(CANARY), HOUR))
    assert secret.written == []


def test_no_text_form_shows_the_token(secret: MemorySecret) -> None:
    write()
    shared = SharedToken("v1", CANARY)
    token = shared.read()
    assert CANARY not in repr(shared) + repr(shared._stored) + repr(token) + repr(SharedToken("v1", "").read())


# -------------------------------------------------------------------- what an instance remembers of a refused token


def test_a_refused_token_is_remembered_until_the_instance_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vezne.providers.credentials._fetch_secret", lambda _: (PAYNET, "v1"))
    told: list[str] = []

    def log_in(*_: Any) -> Token:
        raise AssertionError("a token is shared")

    def share(_credentials: Any, _version: str, _deadline: Any, refused: str) -> Token:
        told.append(refused)
        return Token(SecretStr(f"token-{len(told)}"), HOUR)

    cache = CredentialCache(PaynetCredentials, log_in, share)
    assert cache.access(None).token == "token-1"
    assert cache.renew()
    # Nothing was refused since.
    assert cache.renew()
    assert cache.access(None).token == "token-2"
    cache.refuse()
    cache.access(None)
    cache.forget()
    cache.access(None)
    assert told == ["", "token-1", "token-2", ""]
