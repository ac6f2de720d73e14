"""SnapStart: many copies run on from one memory. None may share what must be unique, none may find a secret in it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("haso_set_expenses", "kolaybi_collect", "paynet_capture", "vakifbank_pay", "walletgate_pay_bill")


@pytest.fixture(scope="module", params=FUNCTIONS)
def told(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a function's snapshot held and what two copies of it did."""
    function = request.param
    urls = ("KOLAYBI", "VAKIFBANK", "WALLETGATE", "WALLETGATE_IDENTITY", "HASO", "PAYNET")
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "functions" / function), str(ROOT / "shared")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "TABLE_NAME": "records",
        "SECRET_ID": function.split("_")[0],
        "POWERTOOLS_SERVICE_NAME": "vezne",
        "POWERTOOLS_METRICS_NAMESPACE": "Vezne",
        "BENCH_EVENT": str(ROOT / "events" / f"{function}.api.json"),
        **{f"{provider}_URL": "http://127.0.0.1:9" for provider in urls},
    }
    child = [sys.executable, "-s", "-P", str(Path(__file__).with_name("snapshot_child.py"))]
    done = subprocess.run(child, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_snapshot_holds_no_credentials_and_no_secret(told: dict[str, Any]) -> None:
    assert told["snapshot"]["clients"] == 0
    assert told["snapshot"]["credentials"] == 0
    assert told["snapshot"]["secrets"] is False


def test_the_collector_runs_again_and_leaves_the_start_alone(told: dict[str, Any]) -> None:
    assert told["snapshot"]["collecting"]
    assert told["snapshot"]["frozen"]


def test_two_copies_name_the_same_order_alike(told: dict[str, Any]) -> None:
    one, other = told["copies"]
    assert one["status"] == other["status"] == 200
    assert one["operation_id"] == other["operation_id"]


def test_two_copies_share_nothing_that_must_be_unique(told: dict[str, Any]) -> None:
    one, other = told["copies"]
    assert one["owner"] != other["owner"]
    assert not one["request_token"] or one["request_token"] != other["request_token"]
    assert not set(one["sdk_invocations"]) & set(other["sdk_invocations"])
    # The waits between retries.
    assert one["draw"] != other["draw"]
