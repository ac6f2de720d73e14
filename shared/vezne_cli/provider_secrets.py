"""The providers' secrets of a stack: fill them, try new ones, let the functions use them.

Each field is asked for with hidden input, or read from a JSON text {"provider": {"field": "value"}}. Nothing is written
unless every field fits. A pending version waits beside the one in use, until it is verified and promoted.
"""

import getpass
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import boto3
from pydantic import SecretStr, ValidationError
from vezne.api.reasons import reason
from vezne.orders.store import Store
from vezne.platform.masking import mask_text
from vezne.providers.credentials import (
    CredentialsRefusedError,
    SecretModel,
)
from vezne.providers.http import AnswerLostError, Deadline, NotSentError

from .catalogue import PROVIDERS
from .connection import OperatorError
from .unresolved import unresolved

STAGES = {"current": "AWSCURRENT", "pending": "AWSPENDING", "previous": "AWSPREVIOUS"}
# Marks the version that the provider accepted when it was tried.
VERIFIED = "VEZNEVERIFIED"
# Trying a secret takes one login, or one read.
_TRIAL_MILLISECONDS = 20_000.0


class Version(NamedTuple):
    """One version of a secret."""

    id: str
    credentials: SecretModel


def validated(provider: str, fields: Any) -> SecretModel:
    """The provider's credentials. Raises OperatorError that names each field that does not fit, never a value."""
    model = PROVIDERS[provider].credentials
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        problems = [
            f"{'.'.join([provider, *map(str, item['loc'])])}: {reason(item, model, mask_text)}"
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise OperatorError("\n".join(problems)) from None


def ask(provider: str) -> SecretModel:
    """Ask for each field; what is typed is not shown. Raises OperatorError."""
    fields: dict[str, str] = {}
    for name, field in PROVIDERS[provider].credentials.model_fields.items():
        optional = "" if field.is_required() else " (optional, may stay empty)"
        answer = getpass.getpass(f"{provider} {name}{optional}: ")
        if answer or field.is_required():
            fields[name] = answer
    return validated(provider, fields)


def read(text: str, providers: list[str]) -> dict[str, SecretModel]:
    """The credentials in a JSON text, of those providers that are wanted and named in it. Raises OperatorError."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise OperatorError("Standard input is not JSON.") from None
    if not isinstance(content, dict) or not content or not content.keys() <= PROVIDERS.keys():
        raise OperatorError(f'Standard input must be {{"provider": {{"field": ...}}}}, of: {", ".join(PROVIDERS)}')
    wanted = [name for name in providers if name in content]
    if not wanted:
        raise OperatorError(f"Standard input has nothing for {', '.join(providers)}.")
    return {name: validated(name, content[name]) for name in wanted}


def write(outputs: Mapping[str, str], credentials: Mapping[str, SecretModel], stage: str) -> Iterator[str]:
    """Write a new version of each secret, in use at once (`current`) or waiting (`pending`)."""
    for provider, model in credentials.items():
        boto3.client("secretsmanager").put_secret_value(
            SecretId=_secret_id(outputs, provider),
            SecretString=json.dumps(_plain(model), ensure_ascii=False),
            VersionStages=[STAGES[stage]],
        )
        yield f"{provider}: written, {stage}"


def verify(outputs: Mapping[str, str], provider: str) -> str:
    """Try the waiting version at the provider: a login, or a read, never an order. Raises OperatorError."""
    version = _version(outputs, provider, "pending")
    _take_settings(outputs, provider)
    deadline = Deadline(lambda: _TRIAL_MILLISECONDS)
    try:
        tried = PROVIDERS[provider].client.try_credentials(version.credentials, version.id, deadline)
    except CredentialsRefusedError as error:
        raise OperatorError(f"{provider} refuses the waiting version ({error}).") from None
    except (NotSentError, AnswerLostError) as error:
        raise OperatorError(f"{provider} did not say whether it accepts the waiting version ({error}).") from None
    if not tried:
        return f"{provider}: its form is right. It has no login, and answers a wrong secret as any other refusal."
    vault, secret_id = boto3.client("secretsmanager"), _secret_id(outputs, provider)
    stages: dict[str, list[str]] = vault.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
    marked = [name for name, labels in stages.items() if VERIFIED in labels and name != version.id]
    vault.update_secret_version_stage(
        SecretId=secret_id,
        VersionStage=VERIFIED,
        MoveToVersionId=version.id,
        **({"RemoveFromVersionId": marked[0]} if marked else {}),
    )
    return f"{provider}: accepts the waiting version"


def promote(outputs: Mapping[str, str], provider: str, stage: str, *, force: bool = False) -> str:
    """Let the functions use the `pending` version, or the `previous` one again. Raises OperatorError.

    A pending version must have been verified, unless by `force`: HASO cannot be asked. No version may be for another
    account while an order is unresolved: look-ups would ask the wrong books.
    """
    version = _version(outputs, provider, stage)
    vault, secret_id = boto3.client("secretsmanager"), _secret_id(outputs, provider)
    stages: dict[str, list[str]] = vault.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
    (current,) = [name for name, labels in stages.items() if STAGES["current"] in labels]
    if stage == "pending" and VERIFIED not in stages[version.id] and not force:
        raise OperatorError(
            f"{provider}: vezne secrets verify {provider} has not accepted this version; "
            "--force (make: FORCE=1) insists."
        )
    _refuse_another_account(outputs, provider, version)
    vault.update_secret_version_stage(
        SecretId=secret_id, VersionStage=STAGES["current"], MoveToVersionId=version.id, RemoveFromVersionId=current
    )
    if stage == "pending":
        vault.update_secret_version_stage(
            SecretId=secret_id, VersionStage=STAGES["pending"], RemoveFromVersionId=version.id
        )
    return (
        f"{provider}: in use now. Functions read it within 5 minutes, or at once after a refusal. "
        f"Back again: vezne secrets promote {provider} --stage previous"
    )


def _refuse_another_account(outputs: Mapping[str, str], provider: str, version: Version) -> None:
    try:
        current = _version(outputs, provider, "current")
    except OperatorError:
        # What cannot be read sent no order.
        return
    _take_settings(outputs, provider)
    before, after = (PROVIDERS[provider].client.account(one.credentials) for one in (current, version))
    if before == after:
        return
    theirs = [record.id for _, record in unresolved(Store(), PROVIDERS[provider].orders)]
    if theirs:
        raise OperatorError(
            f"{provider}: this version is for another account, whose books do not know {len(theirs)} unresolved "
            f"orders: {', '.join(theirs)}"
        )


def _take_settings(outputs: Mapping[str, str], provider: str) -> None:
    """Reach the provider, and the memory of its rejected secrets, where the provider's order functions do."""
    # Any one of them: a provider's functions share its address and its secret.
    name = next(iter(PROVIDERS[provider].orders.values())).output
    settings = boto3.client("lambda").get_function_configuration(FunctionName=outputs[name])["Environment"]["Variables"]
    os.environ.update({name: value for name, value in settings.items() if name == "TABLE_NAME" or name[-4:] == "_URL"})


def _version(outputs: Mapping[str, str], provider: str, stage: str) -> Version:
    """The version at this stage. Raises OperatorError."""
    vault = boto3.client("secretsmanager")
    try:
        answer = vault.get_secret_value(SecretId=_secret_id(outputs, provider), VersionStage=STAGES[stage])
    except vault.exceptions.ResourceNotFoundException:
        raise OperatorError(
            f"{provider} has no {stage} version (vezne secrets write {provider} --stage pending writes one)."
        ) from None
    try:
        fields = json.loads(answer["SecretString"])
    except ValueError:
        raise OperatorError(f"{provider}: the {stage} version is not JSON.") from None
    return Version(answer["VersionId"], validated(provider, fields))


def _secret_id(outputs: Mapping[str, str], provider: str) -> str:
    return outputs[PROVIDERS[provider].secret_output]


def _plain(model: SecretModel) -> dict[str, Any]:
    """The fields with their values in clear, as the functions read them."""
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in model
        if value is not None and name in model.model_fields_set
    }
