"""Secrets and tokens: what is unusable, what is kept, and when it is read anew."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from pydantic import SecretStr
from vezne.providers import credentials
from vezne.providers.credentials import (
    SECRET_SECONDS,
    TOKEN_MARGIN_SECONDS,
    CredentialCache,
    CredentialsRefusedError,
    PaynetCredentials,
    SecretUnavailableError,
    SecretUnusableError,
    Token,
)
from vezne_cli.catalogue import PROVIDERS

from tests.support.harness import secrets_client
from tests.support.providers import SECRETS

DEADLINE = object()
MODELS = {name: provider.credentials for name, provider in PROVIDERS.items()}
# api.md's "(optional)".
OPTIONAL = {"walletgate": {"tenant_id"}, "haso": {"ip_address"}}
CANARY = "KANARYA-secret"


class Seconds:
    """The layer's clock for secrets and tokens."""

    def __init__(self) -> None:
        self.now = 1_796_104_800.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr(credentials, "time", clock)
    return clock


@pytest.fixture
def put(aws: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], str]:
    """Writes a new version of the secret the environment names; returns the version's id."""
    arn = secrets_client().create_secret(Name="vezne/test")["ARN"]
    monkeypatch.setenv("SECRET_ID", arn)

    def put_value(value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        return secrets_client().put_secret_value(SecretId=arn, SecretString=text)["VersionId"]

    return put_value


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the secrets the layer reads."""
    client, seen = credentials._client(), []
    original = client.get_secret_value

    def read(**request: Any) -> Any:
        seen.append(request["SecretId"])
        return original(**request)

    monkeypatch.setattr(client, "get_secret_value", read)
    return seen


class Logins:
    """A login that hands out numbered tokens."""

    def __init__(self, seconds: float = 3600.0) -> None:
        self.seconds = seconds
        self.versions: list[str] = []
        self.refused: set[str] = set()

    def __call__(self, secret: Any, version: str, deadline: Any) -> Token:
        assert deadline is DEADLINE
        self.versions.append(version)
        if secret.secret_key.get_secret_value() in self.refused:
            raise CredentialsRefusedError("refused")
        return Token(SecretStr(f"token-{len(self.versions)}"), self.seconds)


@pytest.mark.parametrize("provider", SECRETS)
def test_a_providers_secret_is_read(put: Callable[[Any], str], provider: str) -> None:
    version = put(SECRETS[provider])
    access = CredentialCache(MODELS[provider]).access(DEADLINE)
    assert isinstance(access.credentials, MODELS[provider])
    assert (access.token, access.secret_version) == ("", version)


@pytest.mark.parametrize(
    ("provider", "name"), [(provider, name) for provider, fields in SECRETS.items() for name in fields]
)
def test_each_field_of_a_secret_is_needed_unless_it_is_optional(
    put: Callable[[Any], str], provider: str, name: str
) -> None:
    put({key: value for key, value in SECRETS[provider].items() if key != name})
    credential_cache = CredentialCache(MODELS[provider])
    if name in OPTIONAL.get(provider, ()):
        credential_cache.access(DEADLINE)
        return
    with pytest.raises(SecretUnusableError) as caught:
        credential_cache.access(DEADLINE)
    assert str(caught.value) == f"the secret does not fit its form at: {name}"


@pytest.mark.parametrize(
    "value",
    [
        CANARY,
        f'"{CANARY}"',
        "[]",
        "null",
        f'{{"secret_key": "{CANARY}"',
        {"secret_key": [CANARY]},
        {"secret": CANARY},
        {"secret_key": CANARY, "more": CANARY},
    ],
)
def test_a_malformed_secret_is_unusable_and_not_quoted(put: Callable[[Any], str], value: Any) -> None:
    put(value)
    with pytest.raises(SecretUnusableError) as caught:
        CredentialCache(PaynetCredentials).access(DEADLINE)
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_binary_secret_is_unusable(put: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch) -> None:
    put({"secret_key": "x"})
    arn = secrets_client().create_secret(Name="vezne/binary", SecretBinary=b"\x00\x01")["ARN"]
    monkeypatch.setenv("SECRET_ID", arn)
    with pytest.raises(SecretUnusableError, match="not JSON"):
        CredentialCache(PaynetCredentials).access(DEADLINE)


def test_a_missing_secret_is_unusable(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_ID", "vezne/nowhere")
    with pytest.raises(SecretUnusableError, match="ResourceNotFoundException"):
        CredentialCache(PaynetCredentials).access(DEADLINE)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", SecretUnusableError),
        ("DecryptionFailure", SecretUnusableError),
        ("InvalidRequestException", SecretUnusableError),
        ("InternalServiceError", SecretUnavailableError),
        ("ThrottlingException", SecretUnavailableError),
    ],
)
def test_secrets_managers_refusals(
    aws: None, monkeypatch: pytest.MonkeyPatch, code: str, kind: type[Exception]
) -> None:
    def fail(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": CANARY}}, "GetSecretValue")

    monkeypatch.setenv("SECRET_ID", "vezne/test")
    monkeypatch.setattr(credentials._client(), "get_secret_value", fail)
    with pytest.raises(kind) as caught:
        CredentialCache(PaynetCredentials).access(DEADLINE)
    assert code in str(caught.value)
    assert CANARY not in str(caught.value)


def test_secrets_manager_that_does_not_answer(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://secretsmanager.invalid")

    monkeypatch.setenv("SECRET_ID", "vezne/test")
    monkeypatch.setattr(credentials._client(), "get_secret_value", fail)
    with pytest.raises(SecretUnavailableError, match="EndpointConnectionError"):
        CredentialCache(PaynetCredentials).access(DEADLINE)


def test_a_secret_is_kept_for_five_minutes(put: Callable[[Any], str], reads: list[str], seconds: Seconds) -> None:
    put({"secret_key": "one"})
    credential_cache = CredentialCache(PaynetCredentials)
    for _ in range(3):
        credential_cache.access(DEADLINE)
    assert len(reads) == 1
    put({"secret_key": "two"})
    seconds.now += SECRET_SECONDS - 1
    assert credential_cache.access(DEADLINE).credentials.secret_key.get_secret_value() == "one"
    seconds.now += 1
    assert credential_cache.access(DEADLINE).credentials.secret_key.get_secret_value() == "two"
    assert len(reads) == 2


def test_forget_reads_and_logs_in_anew(put: Callable[[Any], str], reads: list[str], seconds: Seconds) -> None:
    put({"secret_key": "one"})
    logins = Logins()
    credential_cache = CredentialCache(PaynetCredentials, logins)
    assert credential_cache.access(DEADLINE).token == "token-1"
    assert credential_cache.access(DEADLINE).token == "token-1"
    put({"secret_key": "two"})
    credential_cache.forget()
    access = credential_cache.access(DEADLINE)
    assert (access.token, access.credentials.secret_key.get_secret_value()) == ("token-2", "two")
    assert len(reads) == 2


@pytest.mark.parametrize(
    ("lifetime", "kept"),
    [
        (3600, 3600 - TOKEN_MARGIN_SECONDS),
        (24 * 3600, 24 * 3600 - TOKEN_MARGIN_SECONDS),
        # A short token is used for half of its life.
        (100, 50),
        (10, 5),
    ],
)
def test_a_token_is_given_up_before_it_expires(
    put: Callable[[Any], str], seconds: Seconds, lifetime: float, kept: float
) -> None:
    put({"secret_key": "one"})
    credential_cache = CredentialCache(PaynetCredentials, Logins(lifetime))
    assert credential_cache.access(DEADLINE).token == "token-1"
    seconds.now += kept - 1
    assert credential_cache.access(DEADLINE).token == "token-1"
    seconds.now += 1
    assert credential_cache.access(DEADLINE).token == "token-2"


@pytest.mark.parametrize("lifetime", [0, -1])
def test_a_token_without_lifetime_is_used_once(put: Callable[[Any], str], seconds: Seconds, lifetime: float) -> None:
    put({"secret_key": "one"})
    credential_cache = CredentialCache(PaynetCredentials, Logins(lifetime))
    assert [credential_cache.access(DEADLINE).token for _ in range(3)] == ["token-1", "token-2", "token-3"]


def test_a_new_version_of_the_secret_makes_a_new_token(put: Callable[[Any], str], seconds: Seconds) -> None:
    old = put({"secret_key": "one"})
    logins = Logins(24 * 3600)
    credential_cache = CredentialCache(PaynetCredentials, logins)
    credential_cache.access(DEADLINE)
    new = put({"secret_key": "two"})
    seconds.now += SECRET_SECONDS
    assert credential_cache.access(DEADLINE).secret_version == new
    assert logins.versions == [old, new]


def test_a_refused_login_is_tried_again_only_with_another_version(put: Callable[[Any], str], seconds: Seconds) -> None:
    old = put({"secret_key": "one"})
    logins = Logins()
    logins.refused = {"one"}
    credential_cache = CredentialCache(PaynetCredentials, logins)
    with pytest.raises(CredentialsRefusedError):
        credential_cache.access(DEADLINE)
    assert logins.versions == [old]
    assert credential_cache._token is None
    # Rotated while the refused version is still in memory.
    credential_cache._read_secret()
    new = put({"secret_key": "two"})
    access = credential_cache.access(DEADLINE)
    assert access.secret_version == new
    assert access.token
    assert logins.versions == [old, old, new]


@pytest.mark.parametrize("logs_in", [False, True], ids=["signs each request", "has a token"])
@pytest.mark.parametrize("rotated", [False, True], ids=["same secret", "rotated secret"])
def test_renewal_is_worth_a_second_call_only_if_something_changed(
    put: Callable[[Any], str], seconds: Seconds, logs_in: bool, rotated: bool
) -> None:
    put({"secret_key": "one"})
    credential_cache = CredentialCache(PaynetCredentials, Logins() if logs_in else None)
    credential_cache.access(DEADLINE)
    if rotated:
        put({"secret_key": "two"})
    assert credential_cache.secret_changed() is rotated
    credential_cache.forget()
    credential_cache.access(DEADLINE)
    assert credential_cache.renew() is logs_in


def test_no_text_form_shows_a_secret(put: Callable[[Any], str], seconds: Seconds) -> None:
    put({"secret_key": CANARY})
    credential_cache = CredentialCache(PaynetCredentials, Logins())
    access = credential_cache.access(DEADLINE)
    for text in (repr(access.credentials), str(access.credentials), access.credentials.model_dump_json()):
        assert CANARY not in text
    assert CANARY not in repr(Token(SecretStr(CANARY), 1))
