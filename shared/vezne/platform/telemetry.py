"""Logger and Metrics (Powertools), set up once. Only fields of the allow-list are logged.

A metric is a line of the log in CloudWatch's embedded metric format. It needs no call, so it cannot delay an order.
"""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

__all__ = [
    "ALLOWED",
    "MetricUnit",
    "emit_amount",
    "emit_credentials_rejected",
    "emit_fault",
    "emit_metric",
    "emit_of_provider",
    "flush",
    "logger",
    "stack_locations",
]

# A field of a request, a result or a record is never here. So a new field of a model is not logged.
ALLOWED = frozenset({
    "level", "message", "timestamp", "service", "location", "xray_trace_id", "function_name", "function_request_id",
    "cold_start", "exception_name", "operation", "operation_id", "status", "reason", "problem", "replayed",
    "standing_order", "looked_up", "final", "still_unknown", "unresolved", "unprovable", "provider_milliseconds",
    "secret_version", "frames", "provider",
})  # fmt: skip


class AllowListFormatter(LambdaPowertoolsFormatter):
    """Drops every key that is not named in ALLOWED, exception texts and stack traces included."""

    def serialize(self, log: Any) -> str:
        return super().serialize({key: value for key, value in log.items() if key in ALLOWED})


logger = Logger(logger_formatter=AllowListFormatter(), log_uncaught_exceptions=False)
metrics = Metrics()

# Lambda writes everything that reaches the root logger. These loggers quote URLs, and headers they cannot parse.
for _library in ("urllib3", "requests", "botocore", "boto3"):
    logging.getLogger(_library).propagate = False


def emit_metric(name: str, operation: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """Add one metric of an operation. The only dimensions are service and operation: both have few values."""
    with _never_in_the_way():
        metrics.add_dimension(name="operation", value=operation)
        metrics.add_metric(name=name, unit=unit, value=value)


def emit_fault(name: str) -> None:
    """Count an error of our own, for all operations together. One alarm is enough: the log names the operation."""
    with _never_in_the_way(), single_metric(name=name, unit=MetricUnit.Count, value=1):
        pass


def emit_credentials_rejected(operation: str) -> None:
    """Count a refused login or an unusable secret, by provider: its orders and its inquiries have the same secret."""
    emit_by_provider("CredentialsRejected", operation)


def emit_by_provider(name: str, operation: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """Add one metric of an operation to those of its provider: one alarm watches all its operations."""
    emit_of_provider(name, operation.split(".", maxsplit=1)[0], value, unit)


def emit_of_provider(name: str, provider: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """Add one metric of a provider, all its operations together."""
    with _never_in_the_way(), single_metric(name=name, unit=unit, value=value) as metric:
        metric.add_dimension(name="provider", value=provider)


def emit_amount(operation: str, currency: str, minor_units: int) -> None:
    """Add the amount of an order that succeeded, in the currency's smallest unit so that sums are exact.

    By operation, because only the operation says which way the money went: a capture takes it, its reversal gives it
    back.
    """
    with (
        _never_in_the_way(),
        single_metric(name="SucceededAmount", unit=MetricUnit.NoUnit, value=minor_units) as metric,
    ):
        metric.add_dimension(name="operation", value=operation)
        metric.add_dimension(name="currency", value=currency)


def flush() -> None:
    """Write the metrics of this invocation to the log."""
    with _never_in_the_way():
        if metrics.metric_set:
            metrics.flush_metrics()


@contextlib.contextmanager
def _never_in_the_way() -> Iterator[None]:
    """A metric that cannot be written must not turn a known outcome into an error."""
    try:
        yield
    except Exception as error:
        logger.warning("metric lost", exception_name=type(error).__name__)


def stack_locations(error: BaseException) -> list[str]:
    """Where an exception was raised, as `module:line`, the outermost call first, without its text or any value."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places
