"""The audit of the pinned packages says what it knows, and never that all is well when it knows nothing."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import audit

NOTHING = {"dependencies": [{"name": "requests", "skip_reason": "not found, could not be audited"}]}
HOLE = {"dependencies": [{"name": "requests", "version": "2.19.0", "vulns": [{"id": "X-1", "fix_versions": ["3"]}]}]}
SOUND: dict[str, Any] = {"dependencies": [{"name": "requests", "version": "2.34.2", "vulns": []}]}


def pip_audit(monkeypatch: pytest.MonkeyPatch, known: Any, pinned: Any) -> None:
    """Answers one way about the release with a known hole, another way about our requirements."""

    def run(command: list[Any], **_: Any) -> "subprocess.CompletedProcess[str]":
        asked = Path(command[command.index("--requirement") + 1])
        report = pinned if asked in audit.PINNED else known
        return subprocess.CompletedProcess(command, 1, "" if report is None else json.dumps(report), "")

    monkeypatch.setattr(audit.subprocess, "run", run)


@pytest.mark.parametrize("known", [None, NOTHING, SOUND])
def test_without_data_it_is_skipped_aloud(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], known: Any
) -> None:
    pip_audit(monkeypatch, known, SOUND)
    assert audit.main() == 0
    assert "SKIPPED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("report", "status", "said"),
    [
        (HOLE, 1, "requests 2.19.0: X-1, fixed in ['3']"),
        (NOTHING, 1, "requests: not audited"),
        (SOUND, 0, f"0 findings in {len(audit.PINNED)} requirements files"),
    ],
    ids=["vulnerable", "not looked at", "sound"],
)
def test_with_data_only_sound_packages_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], report: Any, status: int, said: str
) -> None:
    pip_audit(monkeypatch, HOLE, report)
    assert audit.main() == status
    assert said in capsys.readouterr().out


def test_with_data_a_report_that_fails_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    pip_audit(monkeypatch, HOLE, None)
    with pytest.raises(ValueError, match="Expecting value"):
        audit.main()
