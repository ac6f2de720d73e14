"""The Lambda handler of an inquiry: an API event becomes a call of the provider, the answer a response or a problem."""

from typing import Any

from pydantic import ValidationError

from vezne.api import problems
from vezne.api.requests import read_body, read_request
from vezne.api.responses import Event, Handler, client_id, read_query, respond, response
from vezne.inquiry import Inquiry
from vezne.platform import aws, startup, tls
from vezne.platform.masking import mask_text
from vezne.platform.telemetry import emit_credentials_rejected, emit_metric, flush, logger
from vezne.providers import credentials
from vezne.providers.client import (
    InquiryFailedError,
    InquiryLoginRefusedError,
    InquiryRefusedError,
    InquiryUnreadableError,
    OutOfTimeError,
)
from vezne.providers.credentials import CredentialsRefusedError, SecretUnavailableError, SecretUnusableError
from vezne.providers.http import Deadline, UnreadableError
from vezne.providers.models import RequestModel, ResultModel


def handler(inquiry: Inquiry[Any, Any]) -> Handler:
    """The Lambda handler of an inquiry."""

    def handle(event: Event, context: Any) -> Any:
        deadline = Deadline(context.get_remaining_time_in_millis)
        try:
            # An inquiry moves nothing, even if it fails.
            return respond(event, lambda: _answered(inquiry, event, deadline), if_internal="not_moved")
        finally:
            flush()

    startup.finish(reads=(aws.read_descriptions, tls.context), connects=(credentials.connect,))
    return handle


def _answered(inquiry: Inquiry[Any, Any], event: Event, deadline: Deadline) -> dict[str, Any]:
    client_id(event)
    place = "body" if inquiry.in_body else "query"
    fields = read_body(event) if inquiry.in_body else read_query(event)
    try:
        request = read_request(inquiry.request_model, fields, event, place)
        content = _asked(inquiry, request, deadline)
    except problems.Problem as problem:
        emit_metric(f"Refused{type(problem).__name__}", inquiry.name)
        raise
    emit_metric("InquiryAnswered", inquiry.name)
    return response(200, content, {})


def _asked(inquiry: Inquiry[Any, Any], request: RequestModel, deadline: Deadline) -> dict[str, Any]:
    """The public answer. Raises problems.Problem. Each says that no money moved: an inquiry never moves any."""
    try:
        result: ResultModel = inquiry.ask(request, deadline)
        return result.public()
    except InquiryRefusedError as error:
        raise problems.InquiryRefused(
            "The provider answered with a refusal; its code and text are given.",
            provider_code=mask_text(error.code),
            provider_text=mask_text(error.text),
        ) from None
    except (InquiryUnreadableError, ValidationError, UnreadableError) as error:
        _log(inquiry, error)
        raise problems.ProviderAnswerUnreadable("The provider's answer is not in a form that can be read.") from None
    except OutOfTimeError:
        raise problems.NotEnoughTime("Too little time was left to ask.") from None
    except (SecretUnusableError, CredentialsRefusedError, InquiryLoginRefusedError) as error:
        emit_credentials_rejected(inquiry.name)
        _log(inquiry, error)
        raise problems.ProviderRejectedCredentials("The provider refused our login.") from None
    except (SecretUnavailableError, InquiryFailedError) as error:
        _log(inquiry, error)
        raise problems.ProviderUnreachable("The provider gave no answer.", retry_after=5) from None


def _log(inquiry: Inquiry[Any, Any], error: Exception) -> None:
    """The texts of our own errors are safe once masked; pydantic's are not needed."""
    reason = "unreadable" if isinstance(error, ValidationError) else mask_text(str(error))
    logger.warning("inquiry failed", operation=inquiry.name, reason=reason, exception_name=type(error).__name__)
