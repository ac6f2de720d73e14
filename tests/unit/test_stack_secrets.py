"""What an operator may type or pipe into `make secrets`, and what is said of it."""

import json
from typing import Any

import pytest
from pydantic import SecretStr
from vezne_cli import provider_secrets
from vezne_cli.connection import OperatorError
from vezne_sandbox.ledger import load_credentials

RIGHT = load_credentials()
CANARY = "of-which-nothing-is-shown"


def typed(monkeypatch: pytest.MonkeyPatch, answers: dict[str, str]) -> list[str]:
    prompts: list[str] = []

    def getpass(prompt: str) -> str:
        prompts.append(prompt)
        return answers[prompt.split()[1].rstrip(":")]

    monkeypatch.setattr(provider_secrets.getpass, "getpass", getpass)
    return prompts


def in_clear(model: Any) -> dict[str, Any]:
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in model.model_dump().items()
    }


@pytest.mark.parametrize("provider", RIGHT)
def test_each_field_is_asked_for_with_hidden_input(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = typed(monkeypatch, {name: str(value) for name, value in RIGHT[provider].items()})
    assert in_clear(provider_secrets.ask(provider)) == RIGHT[provider]
    assert [prompt.split()[1].rstrip(":") for prompt in prompts] == list(RIGHT[provider])


def test_an_optional_field_may_stay_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {**{name: str(value) for name, value in RIGHT["walletgate"].items()}, "tenant_id": ""}
    prompts = typed(monkeypatch, answers)
    assert in_clear(provider_secrets.ask("walletgate"))["tenant_id"] is None
    assert [prompt for prompt in prompts if "optional" in prompt] == [
        "walletgate tenant_id (optional, may stay empty): "
    ]


@pytest.mark.parametrize(
    ("provider", "change", "named"),
    [
        ("paynet", {"secret_key": ""}, "paynet.secret_key: "),
        ("paynet", {"secret_key": f"{CANARY}\n"}, "paynet.secret_key: must be visible ASCII"),
        ("paynet", {"secret_key": f"{CANARY} "}, "paynet.secret_key: "),
        ("paynet", {"secret_key": f"{CANARY}-ı"}, "paynet.secret_key: "),
        ("paynet", {"secret_key": 5}, "paynet.secret_key: "),
        ("haso", {"merchant_salt": f"{CANARY}\t"}, "haso.merchant_salt: must not be empty, nor have control"),
        ("haso", {"merchant_id": ""}, "haso.merchant_id: "),
        ("haso", {"ip_address": f" {CANARY}"}, "haso.ip_address"),
        ("vakifbank", {"resource": CANARY}, "vakifbank.resource: "),
        ("walletgate", {"tenant_id": CANARY}, "walletgate.tenant_id: "),
        ("kolaybi", {"channel": None}, "kolaybi.channel: "),
        ("kolaybi", {"more": CANARY}, "kolaybi.more: "),
    ],
)
def test_a_field_that_does_not_fit_is_named_and_its_value_is_not(
    provider: str, change: dict[str, Any], named: str
) -> None:
    with pytest.raises(OperatorError) as refused:
        provider_secrets.validated(provider, {**RIGHT[provider], **change})
    assert named in str(refused.value)
    assert CANARY not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("missing", [(provider, field) for provider in RIGHT for field in RIGHT[provider]])
def test_every_field_but_the_optional_ones_is_needed(missing: tuple[str, str]) -> None:
    provider, field = missing
    rest = {name: value for name, value in RIGHT[provider].items() if name != field}
    if missing in (("walletgate", "tenant_id"), ("haso", "ip_address")):
        provider_secrets.validated(provider, rest)
        return
    with pytest.raises(OperatorError, match=rf"^{provider}\.{field}: is required$"):
        provider_secrets.validated(provider, rest)


def test_a_salt_may_have_turkish_letters() -> None:
    provider_secrets.validated("haso", {**RIGHT["haso"], "merchant_salt": "çığöşü ve boşluk"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("[" * 20000, "not JSON"),
        ("[]", "must be"),
        ("{}", "must be"),
        ('{"paypal": {}}', "must be"),
        (json.dumps({"haso": RIGHT["haso"]}), "nothing for paynet"),
    ],
)
def test_standard_input_that_does_not_fit(text: str, reason: str) -> None:
    with pytest.raises(OperatorError, match=reason):
        provider_secrets.read(text, ["paynet"])
