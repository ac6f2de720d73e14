"""Which version of a provider's secret may be promoted, so that the functions use it."""

import json

import pytest
from vezne.providers.client import Client
from vezne_cli import provider_secrets as tool
from vezne_cli.connection import OperatorError

from tests.support.harness import Harness, secrets_client
from tests.support.operations import EXAMPLES
from tests.support.provider_server import HANG_UP
from tests.support.providers import SECRETS

(PAY,) = [example for example in EXAMPLES if example.operation == "vakifbank.pay"]


@pytest.fixture
def outputs(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    arn = secrets_client().create_secret(Name="stack/vakifbank", SecretString=json.dumps(SECRETS["vakifbank"]))["ARN"]
    monkeypatch.setattr(tool, "_take_settings", lambda *_: None)
    return {"VakifbankSecretArn": arn}


def pending(outputs: dict[str, str], **change: str) -> str:
    version: str = secrets_client().put_secret_value(
        SecretId=outputs["VakifbankSecretArn"],
        SecretString=json.dumps({**SECRETS["vakifbank"], **change}),
        VersionStages=["AWSPENDING"],
    )["VersionId"]
    return version


def current(outputs: dict[str, str]) -> str:
    stages = secrets_client().describe_secret(SecretId=outputs["VakifbankSecretArn"])["VersionIdsToStages"]
    (version,) = [name for name, labels in stages.items() if "AWSCURRENT" in labels]
    return str(version)


def test_a_version_that_was_not_verified_is_refused(outputs: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    first = pending(outputs, client_secret="other-1")
    with pytest.raises(OperatorError, match="has not accepted this version"):
        tool.promote(outputs, "vakifbank", "pending")
    monkeypatch.setattr(Client, "try_credentials", lambda *_: True)
    tool.verify(outputs, "vakifbank")
    # The mark names the version, so it does not verify a later one.
    second = pending(outputs, client_secret="other-2")
    with pytest.raises(OperatorError, match="has not accepted this version"):
        tool.promote(outputs, "vakifbank", "pending")
    tool.verify(outputs, "vakifbank")
    tool.promote(outputs, "vakifbank", "pending")
    assert current(outputs) == second != first
    third = pending(outputs, client_secret="other-3")
    tool.promote(outputs, "vakifbank", "pending", force=True)
    assert current(outputs) == third


def test_another_account_is_refused_while_an_order_is_unresolved(harness: Harness, outputs: dict[str, str]) -> None:
    before = current(outputs)
    harness.server.on(PAY.route, HANG_UP)
    operation_id = harness.send(PAY).body["operation_id"]
    pending(outputs, institution_code="another")
    with pytest.raises(OperatorError, match=operation_id):
        tool.promote(outputs, "vakifbank", "pending", force=True)
    assert current(outputs) == before
    # Another secret of the same account may be used.
    pending(outputs, client_secret="other")
    tool.promote(outputs, "vakifbank", "pending", force=True)
    assert current(outputs) != before
