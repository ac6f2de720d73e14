"""What `make invoke` says when it cannot: no engine is needed to see that."""

from pathlib import Path

import pytest

from tests.stack.connection import OperatorError
from tests.stack.invoke import failed, invoke

EVENT = Path("events/paynet_capture.api.json")


def test_a_function_or_event_that_is_not_there() -> None:
    with pytest.raises(OperatorError, match="no function paynet_refund"):
        invoke("paynet_refund", EVENT, "", print)
    with pytest.raises(OperatorError, match="no event"):
        invoke("paynet_capture", Path("events/none.json"), "", print)


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ('{"statusCode": 402}', False),
        ('{"settled": 0}', False),
        ('{"errorType": "StandingOrderFailed", "errorMessage": "invalid-request"}', True),
        ("Task timed out", True),
        ("", True),
    ],
)
def test_an_error_of_the_function_fails_the_command(answer: str, wrong: bool) -> None:
    assert failed(answer) is wrong
