"""What Paynet's answer to a capture, to a reversal or to a request means."""

from decimal import Decimal

from vezne.orders.evidence import is_one_of
from vezne.orders.outcome import CredentialsRefused, Declined, Outcome, Succeeded, Unknown
from vezne.providers.http import ProviderResponse
from vezne.providers.models import ResultModel
from vezne.providers.paynet import client
from vezne.providers.paynet.models import CaptureResult

# The Error object comes with these statuses, and with 401, which the shared path reads for all providers.
ERROR_STATUSES = frozenset({400, 403, 404, 405})


def outcome(answer: ProviderResponse, types: frozenset[str], amounts: tuple[Decimal, ...] | None) -> Outcome:
    """ "Eğer işlem başarılı ise http 200 ve is_succeed true ... Banka onay vermemiş ise http 200 ve ... false".

    In English: a success is HTTP 200 with `is_succeed` true. If the bank did not approve, it is HTTP 200 with false.
    `types`: the transaction types that the answer may name. `amounts`: the values of `amount` in major units that may
    come; None: any.
    """
    body = answer.json()
    if answer.status in ERROR_STATUSES:
        code = client.error_code(answer.status, body)
        if code is None:
            return Unknown(f"http-{answer.status}")
        login = answer.status == 403
        return CredentialsRefused("http-403", renewable=False) if login else Declined(code, body["message"])
    if answer.status == 200 and client.is_refused(body, types):
        return _refusal(CaptureResult.model_validate(body))
    if answer.status == 200 and body.get("is_succeed") is True and client.fits(body, types, amounts):
        return Succeeded(CaptureResult.model_validate(body).public())
    return Unknown(f"http-{answer.status}")


def short_outcome(
    answer: ProviderResponse, object_name: str, types: frozenset[str], result: type[ResultModel]
) -> Outcome:
    """An answer whose success has three fields only: `object_name`, `code` 0 and a message. It names no transaction.

    `types`: the transaction types that it may name all the same.
    """
    body = answer.json()
    if answer.status != 200 or body.get("is_succeed") is False:
        return outcome(answer, types, None)
    named = body.get("object_name") == object_name and body.get("is_succeed", True) is True
    said = named and is_one_of(body.get("code"), {client.SUCCESSFUL})
    if said and client.fits(body, types, None):
        return Succeeded(result.model_validate(body).public())
    return Unknown(f"http-{answer.status}")


def _refusal(result: CaptureResult) -> Declined:
    code = result.bank_error_id or result.paynet_error_id or result.code or ""
    return Declined(code, result.bank_error_message or result.paynet_error_message or result.message or "")
