"""What an operator's tool takes over from the stack that it works on."""

import os
from typing import Any
from unittest.mock import Mock

import pytest
from vezne_cli import connection


def deployed(**parameters: str) -> Any:
    listed = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    answer = {"Stacks": [{"Parameters": listed, "Outputs": [{"OutputKey": "TableName", "OutputValue": "records"}]}]}
    return lambda _service: Mock(describe_stacks=Mock(return_value=answer))


@pytest.mark.parametrize(("parameters", "kept"), [({"KeptDays": "365"}, "365"), ({"KeptDays": "30"}, "30"), ({}, "90")])
def test_what_an_operator_decides_is_kept_as_long_as_what_a_function_finalises(
    parameters: dict[str, str], kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a key would be forgotten before its time, and its order sent again."""
    monkeypatch.setenv("KEPT_DAYS", "90")
    monkeypatch.setenv("TABLE_NAME", "another")
    monkeypatch.setattr(connection.boto3, "client", deployed(**parameters))
    assert connection.connect("vezne") == {"TableName": "records"}
    assert (os.environ["KEPT_DAYS"], os.environ["TABLE_NAME"]) == (kept, "records")
