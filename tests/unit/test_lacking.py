"""A test that needs a browser or an engine is skipped without it, but not where .ci/run has promised it."""

import shutil
import subprocess

import pytest
from vezne_cli.processes import ROOT

from tests.end_to_end.browser import require_chromium
from tests.support.dynamodb_local import dynamodb_local


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program is found, and none may be started."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a test installs nothing")

    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(subprocess, "Popen", refuse)


@pytest.mark.usefixtures("bare_machine")
def test_without_a_browser_a_test_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VEZNE_REQUIRE_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no chromium and no chromedriver here"):
        require_chromium()


@pytest.mark.usefixtures("bare_machine")
def test_a_browser_that_was_promised_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEZNE_REQUIRE_BROWSER", "1")
    with pytest.raises(pytest.fail.Exception, match="no chromium and no chromedriver here"):
        require_chromium()


@pytest.mark.usefixtures("bare_machine")
def test_without_java_there_is_no_second_engine_and_a_reason() -> None:
    assert dynamodb_local() == "no java here"


@pytest.mark.parametrize("needed", ["BROWSER", "DYNAMODB_LOCAL", "ENGINE"])
def test_the_whole_check_promises_what_it_brings(needed: str) -> None:
    assert f"export VEZNE_REQUIRE_{needed}=1\n" in (ROOT / ".ci" / "run").read_text()
