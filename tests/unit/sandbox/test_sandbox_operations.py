"""The operations that the sandboxes serve: each is a module of its provider's folder, found by itself."""

from pathlib import Path

import httpx
import pytest
import vezne_sandbox.haso
from vezne_sandbox.sandbox import Sandbox
from vezne_sandbox.server import running_sandbox

MODULE = """
from vezne_sandbox.provider import Operation
from vezne_sandbox.wire import json_reply


def greet(provider, call):
    return json_reply({"hello": call.parameters["name"], "from": provider.name})


GREET = Operation(name="haso.greet", kind="look_up", method="GET", path="/greetings/{name}", handle=greet)
"""


def test_a_new_module_in_a_providers_folder_is_served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "greet.py").write_text(MODULE)
    monkeypatch.setattr(vezne_sandbox.haso, "__path__", [*vezne_sandbox.haso.__path__, str(tmp_path)])
    with running_sandbox() as sandbox:
        assert httpx.get(f"{sandbox.url}/greetings/veznedar").json() == {"hello": "veznedar", "from": "haso"}
        assert "status_500" in sandbox.operations()["haso.greet"]["then"]


def test_every_operation_is_named_after_its_provider_and_its_module() -> None:
    for operation in Sandbox().operations.values():
        assert operation.handle.__module__ == f"vezne_sandbox.{operation.name}"
