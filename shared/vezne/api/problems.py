"""RFC 9457 problems: one class per way to refuse a caller.

Each has `money` (what happened to the money) and `retry` (what to do next), so that a program need not read texts. Both
are about this request under this idempotency key, earlier attempts included. `not_moved` means that no attempt moved
money: the record says so, or such a request is always refused.
"""

from typing import Any, ClassVar, Literal

Money = Literal["moved", "not_moved", "unknown"]
Retry = Literal["same_key", "new_key", "never"]


class Problem(Exception):
    """A refusal for the caller. Its texts are constant and never contain a value of the request."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]
    money: Money = "not_moved"
    retry: Retry = "never"

    def __init__(self, detail: str, *, retry_after: int | None = None, **members: Any) -> None:
        super().__init__(f"{self.slug}: {detail}")
        self.detail = detail
        self.retry_after = retry_after
        self.members = members
        self.operation_id: str | None = None

    def body(self, stage_path: str) -> dict[str, Any]:
        """The members of the problem document. `stage_path` is the part of the called URL before our routes."""
        known = {"operation_id": self.operation_id} if self.operation_id else {}
        return {
            "type": f"{stage_path}/problems/{self.slug}",
            # The stage is in `type`, so a program tells problems apart by this one.
            "code": self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "money": self.money,
            "retry": self.retry,
            **known,
            **self.members,
        }


class InvalidRequest(Problem):
    """Body, header or path does not fit. `errors` lists place and reason, never the value."""

    status, slug, title = 400, "invalid-request", "The request does not fit"

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("Correct the places listed in errors and send again.", errors=errors)


class Forbidden(Problem):
    """The token does not name a client that this function can serve, so no record was read."""

    status, slug, title = 403, "forbidden", "The token does not allow this"
    money: Money = "unknown"


class DeclinedByProvider(Problem):
    """The provider refused for certain; its code and text are in `provider_code` and `provider_text`."""

    status, slug, title = 402, "declined", "The provider declined the order"
    retry: Retry = "new_key"


class NotExecuted(Problem):
    """Evidence shows that the provider never booked the order."""

    status, slug, title = 402, "not-executed", "The order was not executed"
    retry: Retry = "new_key"


class OperationNotFound(Problem):
    """This client has no such operation, or not any more: final ones are kept for a limited time."""

    status, slug, title = 404, "operation-not-found", "No such operation"
    money: Money = "unknown"


class ReportNotFound(Problem):
    """No reconciliation of this day has begun, or its report is not kept any more."""

    status, slug, title = 404, "report-not-found", "No such report"


class InProgress(Problem):
    """The same key is still running."""

    status, slug, title = 409, "in-progress", "The same order is still running"
    money: Money = "unknown"
    retry: Retry = "same_key"


class HeldByAnotherOperation(Problem):
    """Another order holds the guard of this one. `holder` names it if it is the same client's."""

    status, slug, title = 409, "held-by-another-operation", "Another order holds this"
    retry: Retry = "same_key"


class TooLarge(Problem):
    """The body is longer than 64 KiB."""

    status, slug, title = 413, "too-large", "The body is too large"


class UnsupportedMediaType(Problem):
    """The Content-Type is not JSON."""

    status, slug, title = 415, "unsupported-media-type", "The body must be JSON"


class IdempotencyKeyReused(Problem):
    """The key was used before, with another request."""

    status, slug, title = 422, "idempotency-key-reused", "The key belongs to another request"
    retry: Retry = "new_key"


class TotalWouldFall(Problem):
    """HASO: a figure is lower than one already sent, and `allow_lower` was not set."""

    status, slug, title = 422, "total-would-fall", "The total would fall"
    retry: Retry = "new_key"


class SumExceeded(Problem):
    """Paynet: with the refunds that were requested before, this one would exceed what was captured."""

    status, slug, title = 422, "sum-exceeded", "The sum would be exceeded"
    retry: Retry = "new_key"


class InquiryRefused(Problem):
    """An inquiry: the provider answered with a refusal; its code and text are in `provider_code`, `provider_text`."""

    status, slug, title = 422, "inquiry-refused", "The provider refused the inquiry"


class Internal(Problem):
    """An error of ours before the claim: this request was not sent, but the record may not have been read."""

    status, slug, title = 500, "internal", "Internal error"
    money: Money = "unknown"
    retry: Retry = "same_key"


class ProviderRejectedCredentials(Problem):
    """The provider refuses our login, or the secret is missing or malformed. The provider did not process the order."""

    status, slug, title = 502, "provider-rejected-credentials", "The provider rejected our credentials"
    retry: Retry = "same_key"


class ProviderAnswerUnreadable(Problem):
    """An inquiry: the provider's answer is not in a form that its pages show."""

    status, slug, title = 502, "provider-answer-unreadable", "The provider's answer cannot be read"
    retry: Retry = "same_key"


class ProviderUnreachable(Problem):
    """No connection to the provider, or it accepts no calls now. An inquiry: no answer came in time."""

    status, slug, title = 503, "provider-unreachable", "The provider cannot be reached"
    retry: Retry = "same_key"


class ProviderDown(Problem):
    """The provider fails so often that nothing is sent to it for a while, or an operator has stopped its orders."""

    status, slug, title = 503, "provider-down", "Nothing is sent to the provider now"
    retry: Retry = "same_key"


class NotEnoughTime(Problem):
    """Too little time was left to send safely."""

    status, slug, title = 503, "not-enough-time", "Not enough time was left"
    retry: Retry = "same_key"


class StoreUnavailable(Problem):
    """The idempotency table did not answer: this request was not sent, but an earlier one may have been."""

    status, slug, title = 503, "store-unavailable", "The record store is unavailable"
    money: Money = "unknown"
    retry: Retry = "same_key"
