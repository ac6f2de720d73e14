"""The providers' secrets: answers of a function while one is wrong, and `make secrets` with its rotation."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from vezne_cli.catalogue import INQUIRIES, PROVIDERS
from vezne_cli.golden import golden_event
from vezne_cli.stack import Stack
from vezne_sandbox.ledger import load_credentials
from vezne_sandbox.sandbox import PROVIDERS as SANDBOX

from tests.end_to_end.make_targets import make
from tests.end_to_end.reconfigure import reconfigured
from tests.end_to_end.test_events import due
from tests.end_to_end.test_inquiries import inquire
from tests.support.order import Order, new_order

RIGHT = load_credentials()


def operation_of(provider: str) -> str:
    """An order operation of the provider. All of them have the same secret."""
    return next(iter(PROVIDERS[provider].orders))


def send(stack: Stack, one: Order, token: str) -> Any:
    return stack.request("POST", one.path, token=token, key=one.key, body=one.body)


def assert_problem(answer: Any) -> None:
    assert answer.status_code == 502, answer.text
    problem = answer.json()
    assert problem["type"] == "/local/problems/provider-rejected-credentials"
    assert (problem["money"], problem["retry"]) == ("not_moved", "same_key")
    assert "Traceback" not in answer.text


def assert_rejected(stack: Stack, answer: Any, one: Order) -> None:
    assert_problem(answer)
    assert stack.sandbox.bookings(one.provider, one.reference) == []


def other(provider: str) -> str:
    """The other value of the field that changes."""
    return f"sandbox-{provider}-other-value"


def rotated(provider: str) -> dict[str, Any]:
    return {**RIGHT[provider], SANDBOX[provider].rotated: other(provider)}


@contextmanager
def restored(stack: Stack, provider: str) -> Iterator[None]:
    """Restore the right secret, here and at the provider, at the end of the block."""
    try:
        yield
    finally:
        stack.sandbox.seed(**{provider: {"credentials": RIGHT[provider]}})
        stack.sandbox.revoke_tokens(provider)
        stack.aws("secretsmanager").put_secret_value(
            SecretId=stack.secrets[provider], SecretString=json.dumps(RIGHT[provider])
        )


# ------------------------------------------------------------------ a wrong secret at run time


def malformed(provider: str) -> list[str]:
    field, value = SANDBOX[provider].rotated, other(provider)
    return [
        " ",
        "{}",
        "no json",
        "[]",
        "[" * 20000,
        json.dumps({name: it for name, it in RIGHT[provider].items() if name != field}),
        json.dumps({**RIGHT[provider], field: 5}),
        json.dumps({**RIGHT[provider], field: ""}),
        json.dumps({**RIGHT[provider], field: f"{value}\n"}),
        json.dumps({**RIGHT[provider], "more": "field"}),
    ]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_malformed_secret_is_a_problem_until_it_is_repaired(stack: Stack, token: str, provider: str) -> None:
    one, vault = new_order(operation_of(provider)), stack.aws("secretsmanager")
    with restored(stack, provider), reconfigured(stack, one.operation):
        for secret in malformed(provider):
            vault.put_secret_value(SecretId=stack.secrets[provider], SecretString=secret)
            assert_rejected(stack, send(stack, one, token), one)
        vault.put_secret_value(SecretId=stack.secrets[provider], SecretString=json.dumps(RIGHT[provider]))
        # The same function, and the same key.
        assert send(stack, one, token).status_code == 200


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_secret_that_is_missing_or_not_ours(stack: Stack, token: str, provider: str) -> None:
    one, vault = new_order(operation_of(provider)), stack.aws("secretsmanager")
    foreign = stack.secrets["haso" if provider != "haso" else "paynet"]
    with reconfigured(stack, one.operation, {"SECRET_ID": foreign}):
        assert_rejected(stack, send(stack, one, token), one)
    with reconfigured(stack, one.operation):
        vault.delete_secret(SecretId=stack.secrets[provider], RecoveryWindowInDays=7)
        try:
            assert_rejected(stack, send(stack, one, token), one)
        finally:
            vault.restore_secret(SecretId=stack.secrets[provider])
        assert send(stack, one, token).status_code == 200


@pytest.mark.parametrize("inquiry", INQUIRIES)
def test_an_inquiry_without_a_usable_secret_is_a_problem_until_it_is_repaired(
    stack: Stack, token: str, inquiry: str
) -> None:
    provider = inquiry.split(".", maxsplit=1)[0]
    vault, secret = stack.aws("secretsmanager"), {"SecretId": stack.secrets[provider]}
    with restored(stack, provider), reconfigured(stack, inquiry):
        for text in malformed(provider):
            vault.put_secret_value(**secret, SecretString=text)
            assert_problem(inquire(stack, token, inquiry))
        vault.delete_secret(**secret, RecoveryWindowInDays=7)
        try:
            assert_problem(inquire(stack, token, inquiry))
        finally:
            vault.restore_secret(**secret)
        vault.put_secret_value(**secret, SecretString=json.dumps(RIGHT[provider]))
        assert inquire(stack, token, inquiry).status_code == 200


def test_sweeps_and_standing_orders_are_repeated_after_a_malformed_secret(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    stack.sandbox.rule(one.operation, "reset")
    operation_id = send(stack, one, token).json()["operation_id"]
    due(stack, operation_id)
    with restored(stack, "paynet"), reconfigured(stack, one.operation):
        stack.aws("secretsmanager").put_secret_value(SecretId=stack.secrets["paynet"], SecretString="{}")
        report = stack.invoke(one.operation, golden_event(one.operation, "sweep"))
        assert report["final"] == 0
        assert report["still_unknown"] >= 1
        with pytest.raises(RuntimeError, match="provider-rejected-credentials"):
            stack.invoke(one.operation, golden_event(one.operation, "standing_order"))
    # The failed sweep drew no conclusion, and nothing is lost.
    due(stack, operation_id)
    assert stack.invoke(one.operation, golden_event(one.operation, "sweep"))["final"] >= 1
    assert len(stack.sandbox.bookings("paynet", one.reference)) == 1


# ------------------------------------------------------------------ make secrets


def test_secrets_are_written_from_standard_input(stack: Stack) -> None:
    written = make(stack, "secrets", stdin=RIGHT)
    assert written.returncode == 0, written.stderr
    for provider, fields in RIGHT.items():
        secret = stack.aws("secretsmanager").get_secret_value(SecretId=stack.secrets[provider])
        assert json.loads(secret["SecretString"]) == fields
        assert f"{provider}: written" in written.stdout


def test_nothing_is_written_if_one_field_does_not_fit(stack: Stack) -> None:
    vault = stack.aws("secretsmanager")
    before = {provider: vault.get_secret_value(SecretId=it)["VersionId"] for provider, it in stack.secrets.items()}
    wrong = {**RIGHT, "paynet": {"secret_key": "sandbox key of which nothing is shown\n"}}
    refused = make(stack, "secrets", stdin=wrong)
    assert refused.returncode == 2
    assert "paynet.secret_key: must be visible ASCII" in refused.stderr
    assert "of which" not in refused.stdout + refused.stderr
    after = {provider: vault.get_secret_value(SecretId=it)["VersionId"] for provider, it in stack.secrets.items()}
    assert after == before


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_rotation_by_staging_labels(stack: Stack, token: str, provider: str) -> None:
    operation = operation_of(provider)
    with restored(stack, provider), reconfigured(stack, operation):
        assert send(stack, new_order(operation, sandbox=stack.sandbox), token).status_code == 200

        # The command notices a version that the provider does not know yet, before it does harm.
        put = make(stack, "secrets", stdin={provider: rotated(provider)}, PROVIDER=provider, STAGE="pending")
        assert put.returncode == 0, put.stderr
        if provider not in ("haso", "vakifbank"):
            early = make(stack, "secrets-verify", PROVIDER=provider)
            assert early.returncode == 2
            assert "refuses the waiting version" in early.stderr
        assert send(stack, new_order(operation, sandbox=stack.sandbox), token).status_code == 200

        stack.sandbox.seed(**{provider: {"credentials": rotated(provider)}})
        stack.sandbox.revoke_tokens(provider)
        verified = make(stack, "secrets-verify", PROVIDER=provider)
        assert verified.returncode == 0, verified.stderr
        # The functions do not use the waiting version yet.
        refused = new_order(operation, sandbox=stack.sandbox)
        assert send(stack, refused, token).status_code == (402 if provider == "haso" else 502)
        assert stack.sandbox.bookings(provider, refused.reference) == []

        if provider == "haso":
            # HASO has no call that checks a version.
            assert "(make: FORCE=1) insists" in make(stack, "secrets-promote", PROVIDER=provider).stderr
        promoted = make(stack, "secrets-promote", PROVIDER=provider, FORCE="1" if provider == "haso" else "")
        assert promoted.returncode == 0, promoted.stderr
        one = new_order(operation, sandbox=stack.sandbox)
        # The same instance reads the secret again after the refusal, and the order succeeds.
        assert send(stack, one, token).status_code == 200
        assert len(stack.sandbox.bookings(provider, one.reference)) == 1

        # Go back, by the label of the previous version.
        stack.sandbox.seed(**{provider: {"credentials": RIGHT[provider]}})
        stack.sandbox.revoke_tokens(provider)
        back = make(stack, "secrets-promote", PROVIDER=provider, STAGE="previous")
        assert back.returncode == 0, back.stderr
        if provider == "vakifbank":
            # The bank has rejected that version, and no function tries it again. So it is written as a new version.
            one = new_order(operation, sandbox=stack.sandbox)
            assert_rejected(stack, send(stack, one, token), one)
            assert make(stack, "secrets", stdin=RIGHT, PROVIDER=provider).returncode == 0
        assert send(stack, new_order(operation, sandbox=stack.sandbox), token).status_code == 200
        for text in (put, verified, promoted, back):
            assert other(provider) not in text.stdout + text.stderr


def test_there_must_be_a_waiting_version(stack: Stack) -> None:
    refused = make(stack, "secrets-promote", PROVIDER="paynet")
    assert refused.returncode == 2
    assert "paynet has no pending version" in refused.stderr
    assert make(stack, "secrets-promote").returncode == 2
