"""The example in the sandboxes' README runs as printed, with somebody's own code in its place."""

import re
from pathlib import Path

import httpx
from vezne_sandbox.client import SandboxControl

from tests.unit.sandbox.orders import SECRETS

DOCUMENT = Path(__file__).parents[3] / "shared" / "vezne_sandbox" / "README.md"


def your_code(base_url: str, reference_no: str) -> None:
    """A client that takes a lost answer for what it is, and does not send again."""
    headers = {"Authorization": f"Basic {SECRETS['paynet']['secret_key']}"}
    try:
        httpx.post(f"{base_url}/v1/transaction/capture", json={"reference_no": reference_no}, headers=headers)
    except (httpx.ReadError, httpx.RemoteProtocolError):
        return
    raise AssertionError("the answer was not lost")


def test_the_example_runs_as_printed() -> None:
    (example,) = re.findall(r"```py\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    printed: dict[str, object] = {"your_code": your_code}
    exec(example, printed)  # noqa: S102
    test = printed["test_a_lost_answer_is_not_paid_twice"]
    assert callable(test)
    test()


def test_every_control_call_that_the_document_names_is_there() -> None:
    rows = DOCUMENT.read_text().partition("| call | what it does |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+)\(", rows))
    assert {"bookings", "rule", "seed", "reset"} <= named
    assert all(hasattr(SandboxControl, name) for name in named)
