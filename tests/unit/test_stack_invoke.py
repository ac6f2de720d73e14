"""What `make invoke` says when it cannot: no engine is needed to see that."""

from pathlib import Path

import pytest
from vezne_cli.catalogue import FUNCTIONS, RECONCILERS
from vezne_cli.connection import OperatorError
from vezne_cli.invoke import failed, invoke
from vezne_cli.processes import ROOT
from vezne_cli.template import expanded, source

EVENT = Path("events/paynet_capture.api.json")


def test_a_function_or_event_that_is_not_there() -> None:
    with pytest.raises(OperatorError, match="no function paynet_refund"):
        invoke("paynet_refund", EVENT, "", print)
    with pytest.raises(OperatorError, match="no event"):
        invoke("paynet_capture", Path("events/none.json"), "", print)


def test_every_function_can_be_invoked_by_its_folder_and_has_an_event() -> None:
    folders = {function.folder for function in FUNCTIONS.values()}
    nightly = {function.folder for function in RECONCILERS.values()}
    assert {path.name.split(".")[0] for path in (ROOT / "events").glob("*.api.json")} == folders - nightly
    assert {path.name.split(".")[0] for path in (ROOT / "events").glob("*.night.json")} == nightly
    assert {function.output for function in FUNCTIONS.values()} <= expanded(source())["Outputs"].keys()


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ('{"statusCode": 402}', False),
        ('{"final": 0}', False),
        ('{"errorType": "StandingOrderFailed", "errorMessage": "invalid-request"}', True),
        ("Task timed out", True),
        ("", True),
    ],
)
def test_an_error_of_the_function_fails_the_command(answer: str, wrong: bool) -> None:
    assert failed(answer) is wrong
