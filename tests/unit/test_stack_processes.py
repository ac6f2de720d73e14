"""What the local stack starts ends with it, even if it is killed; what a killed run leaves is found."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from vezne_cli import processes
from vezne_cli.processes import Child, StackError, choose_port, run_directory, running, stack_file

# A server that ignores polite requests to stop, with a child of its own that does, too.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(
    [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"]
)
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""
OWNER = """
import os, sys, time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from vezne_cli.processes import Child
child = Child("stubborn", [sys.executable, "-c", sys.argv[2]], os.environ, Path(sys.argv[1]))
time.sleep(600)
"""


def pids_in(log: Path) -> list[int]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if log.exists() and len(log.read_text().split()) == 2:
            return [int(pid) for pid in log.read_text().split()]
        time.sleep(0.02)
    raise AssertionError("the command did not start")


def alive(pid: int) -> bool:
    """Whether a process still runs; one that ended and waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def gone(pids: list[int], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def quick_guard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The guard with a short patience, so that the tests need not wait for it."""
    text = Path(processes.__file__).with_name("guard.py").read_text()
    assert "GRACE_SECONDS = 5" in text
    (tmp_path / "guard.py").write_text(text.replace("GRACE_SECONDS = 5", "GRACE_SECONDS = 0.2"))
    monkeypatch.setattr(processes, "GUARD", tmp_path / "guard.py")


def test_a_stopped_child_leaves_nothing_of_its_group(tmp_path: Path, quick_guard: None) -> None:
    log = tmp_path / "child.log"
    with running("stubborn", [sys.executable, "-c", STUBBORN], os.environ, log):
        pids = pids_in(log)
        assert all(alive(pid) for pid in pids)
    assert gone(pids)


def test_a_killed_owner_leaves_nothing_running(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(log), STUBBORN], cwd=processes.ROOT / "shared")
    pids = pids_in(log)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert gone(pids)


def test_a_failing_command_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = Child("sam", [sys.executable, "-c", "print('no such bucket'); raise SystemExit(3)"], {}, tmp_path / "x.log")
    with pytest.raises(StackError, match=r"sam failed with exit code 3:\n\s+no such bucket"):
        child.finish()


def test_a_server_that_ends_while_starting_is_told(tmp_path: Path) -> None:
    child = Child("server", [sys.executable, "-c", "raise SystemExit('bad option')"], {}, tmp_path / "x.log")
    with pytest.raises(StackError, match=r"server ended while starting:\n.*bad option"):
        child.wait_for_port(1)
    child.stop()


def test_a_taken_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        monkeypatch.setenv("VEZNE_GATEWAY_PORT", str(taken))
        with pytest.raises(StackError, match=f"Port {taken} .VEZNE_GATEWAY_PORT. is taken"):
            choose_port("VEZNE_GATEWAY_PORT")
    monkeypatch.delenv("VEZNE_GATEWAY_PORT")
    assert choose_port("VEZNE_GATEWAY_PORT") > 1023


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(processes, "ROOT", tmp_path)
    monkeypatch.setattr(processes, "LOCAL", tmp_path / ".local")
    monkeypatch.setattr(processes, "STACK_FILE", tmp_path / ".local" / "stack.json")
    return tmp_path / ".local"


def test_what_a_killed_run_left_is_found_and_removed(local: Path) -> None:
    left = local / "runs" / "20260101-000000-1"
    left.mkdir(parents=True)
    (left / "lock").touch()
    (local / "stack.json").write_text("{}")
    said: list[str] = []
    with run_directory(said.append):
        assert not left.exists()
        assert not (local / "stack.json").exists()
    assert any(left.name in text for text in said)
    assert any("stack.json" in text for text in said)


def test_a_run_that_is_alive_is_left_alone(local: Path) -> None:
    with stack_file(lambda text: None) as published, run_directory(lambda text: None) as first:
        published.write_text("{}")
        with run_directory(lambda text: None) as second:
            assert first.exists()
            assert second != first
            assert published.exists()
        with pytest.raises(StackError, match="another `make serve` is running"), stack_file(lambda text: None):
            pass
    assert not published.exists()
    assert not list((local / "runs").iterdir())


def test_the_logs_of_a_run_are_kept(local: Path) -> None:
    with run_directory(lambda text: None) as directory:
        (directory / "ministack.log").write_text("ready")
    assert (local / "logs" / "ministack.log").read_text() == "ready"


def test_runs_that_begin_and_end_at_once_leave_each_other_alone(local: Path) -> None:
    def run(number: int) -> None:
        with run_directory(lambda text: None) as directory:
            (directory / f"{number}.log").write_text("ready")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(200)))
    assert len(list((local / "logs").iterdir())) == 200
    assert not list((local / "runs").iterdir())


def test_a_run_that_looks_who_else_is_there_does_not_pass_for_a_served_stack(local: Path) -> None:
    local.mkdir()
    (local / "stack.json").write_text("{}")

    def serve() -> None:
        with stack_file(lambda text: None):
            pass

    with ThreadPoolExecutor(1) as pool:
        serving: list[Future[None]] = []
        # Said while the first run looks. The second one asks for the file at that moment.
        with run_directory(lambda text: serving.append(pool.submit(serve)) or time.sleep(0.2)):
            assert [each.result(10) for each in serving] == [None]
