"""The operations that the sandboxes serve: each is a module of its provider's folder, without a list of them."""

import re
import textwrap
from pathlib import Path

import httpx
import pytest
import vezne_sandbox.kolaybi
from vezne_sandbox.faults import SOME_OPERATIONS
from vezne_sandbox.sandbox import Sandbox
from vezne_sandbox.server import running_sandbox

from tests.unit.sandbox.orders import Merchant
from tests.unit.sandbox.test_sandbox_document import DOCUMENT


def test_the_operation_that_the_document_adds_is_served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (example,) = re.findall(r" +```python\n(.*?) +```\n", DOCUMENT.read_text(), re.DOTALL)
    (tmp_path / "balance.py").write_text(textwrap.dedent(example))
    monkeypatch.setattr(vezne_sandbox.kolaybi, "__path__", [*vezne_sandbox.kolaybi.__path__, str(tmp_path)])
    with running_sandbox() as sandbox:
        merchant = Merchant(sandbox.url)
        answer = merchant.http.get("/kolaybi/v1/balance", headers=merchant.kolaybi_headers())
        merchant.close()
        assert answer.json() == {"data": {"balance": "100.00"}}
        assert httpx.get(f"{sandbox.url}/kolaybi/v1/balance").status_code == 401
        assert "status_500" in sandbox.operations()["kolaybi.balance"]["then"]


def test_every_operation_is_named_after_its_provider_and_its_module() -> None:
    for operation in Sandbox().operations.values():
        assert operation.handle.__module__ == f"vezne_sandbox.{operation.name}"


def test_every_fault_that_an_operation_names_is_described_and_each_described_one_is_named() -> None:
    named = [fault for operation in Sandbox().operations.values() for fault in operation.faults]
    assert set(named) == set(SOME_OPERATIONS)
