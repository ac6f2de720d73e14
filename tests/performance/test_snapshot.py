"""SnapStart: many copies continue from one memory. They share no unique value, and it holds no secret."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from vezne_cli import catalogue

ROOT = Path(__file__).parents[2]
ORDERS = [order.folder for order in catalogue.ORDERS.values()]
# The reference page consists of files only.
FUNCTIONS = [function.folder for function in catalogue.ROUTES.values()]
# get_operation, with what a careless change might keep in memory.
LEAKS = {
    "credentials": """
from botocore.credentials import Credentials
kept = Credentials("key", "secret")
""",
    "clients": """
from vezne.orders import store as store_module
store_module.connect()
""",
    "secrets": """
from vezne.providers.credentials import PaynetCredentials
kept = PaynetCredentials(secret_key="secret")
""",
}


def started(folder: Path, name: str) -> dict[str, Any]:
    """The contents of the function's snapshot, and what two copies did with its golden event."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "shared")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "TABLE_NAME": "records",
        "SECRET_ID": name.split("_", maxsplit=1)[0],
        "LOGIN_SECRET_ID": "unused",
        "POWERTOOLS_SERVICE_NAME": "vezne",
        "POWERTOOLS_METRICS_NAMESPACE": "Vezne",
        "BENCH_EVENT": str(ROOT / "events" / f"{name}.api.json"),
        **dict.fromkeys(catalogue.URLS, "http://127.0.0.1:9"),
    }
    child = [sys.executable, "-s", "-P", str(Path(__file__).with_name("snapshot_child.py"))]
    done = subprocess.run(child, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module", params=FUNCTIONS)
def told(request: pytest.FixtureRequest) -> dict[str, Any]:
    return started(ROOT / "functions" / request.param, request.param)


def test_the_snapshot_holds_no_credentials_and_no_secret(told: dict[str, Any]) -> None:
    assert told["snapshot"]["clients"] == 0
    assert told["snapshot"]["credentials"] == 0
    assert told["snapshot"]["secrets"] == 0


@pytest.mark.parametrize("kind", LEAKS)
def test_a_function_that_keeps_them_would_be_found(kind: str, tmp_path: Path) -> None:
    """They are made before the start ends, so they are frozen with everything else."""
    own = (ROOT / "functions" / "get_operation" / "app.py").read_text()
    (tmp_path / "app.py").write_text(own.replace("\nhandler =", f"\n{LEAKS[kind]}\nhandler ="))
    assert started(tmp_path, "get_operation")["snapshot"][kind] == 1


def test_the_collector_runs_again_and_skips_the_objects_of_the_start(told: dict[str, Any]) -> None:
    assert told["snapshot"]["collecting"]
    assert told["snapshot"]["frozen"]


@pytest.mark.parametrize("told", ORDERS, indirect=True)
def test_two_copies_give_the_same_order_the_same_id(told: dict[str, Any]) -> None:
    one, other = told["copies"]
    assert one["status"] == other["status"] == 200
    assert one["operation_id"] == other["operation_id"] is not None
    assert len(one["owners"]) == 1


def test_two_copies_share_nothing_that_must_be_unique(told: dict[str, Any]) -> None:
    one, other = told["copies"]
    assert one["status"] == other["status"]
    assert one["sdk_invocations"]
    for name in ("owners", "request_tokens", "sdk_invocations"):
        assert not set(one[name]) & set(other[name]), name
    # The waits between retries.
    assert one["draw"] != other["draw"]
