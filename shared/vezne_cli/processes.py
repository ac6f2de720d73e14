"""Processes, ports and the directory of one run: whatever is started here is stopped here."""

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).absolute().parents[2]
LOCAL = ROOT / ".local"
STACK_FILE = LOCAL / "stack.json"
GUARD = Path(__file__).with_name("guard.py")
# Of this checkout, also where the packages are not installed. Not by PYTHONPATH: MiniStack's functions inherit its
# environment, and must load the layer's modules.
_RUN_MODULE = """
import runpy, sys
sys.path.insert(0, sys.argv.pop(1))
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""
Progress = Callable[[str], None]


class StackError(Exception):
    """The local stack could not be brought up. The text is for the person at the terminal."""


def require_project() -> None:
    """Raises StackError if the package was installed without the project's folder, which what follows needs."""
    if not (ROOT / "template.yaml").is_file():
        raise StackError(
            "This needs the project's folder, and vezne is installed without it: take `make`, or install it there with "
            "pip install -e './shared[local]'"
        )


def module_command(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules in a process of its own."""
    return [sys.executable, "-c", _RUN_MODULE, str(ROOT / "shared"), module, *arguments]


class Child:
    """A command in a process group of its own, ended with all it started when we stop it or are gone ourselves."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        log: Path,
        directory: Path = ROOT,
    ) -> None:
        self.name, self.log = name, log
        with log.open("wb") as output:
            self._guard = subprocess.Popen(
                [sys.executable, str(GUARD), *map(str, command)],
                cwd=directory,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End the command and wait until nothing of its process group is left."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        try:
            self._guard.wait(30)
        except subprocess.TimeoutExpired as error:
            raise StackError(f"{self.name} does not end: see process {self._guard.pid}") from error

    def finish(self) -> None:
        """Wait for a command that ends by itself; raises StackError with the end of its log if it failed."""
        try:
            code = self._guard.wait()
        except BaseException:
            self.stop()
            raise
        if code:
            raise StackError(f"{self.name} failed with exit code {code}:\n{self.tail()}")

    def wait_for_port(self, port: int, seconds: float = 30) -> None:
        """Wait until the server answers on its port; raises StackError if it ends first or takes too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._guard.poll() is not None:
                raise StackError(f"{self.name} ended while starting:\n{self.tail()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise StackError(f"{self.name} did not answer on port {port} within {seconds:.0f} s:\n{self.tail()}")

    def tail(self, lines: int = 25) -> str:
        """The last lines of the command's output."""
        text = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in text[-lines:])


@contextmanager
def running(
    name: str, command: Sequence[str | Path], environment: Mapping[str, str], log: Path, directory: Path = ROOT
) -> Iterator[Child]:
    """A child that is stopped at the end of the block, however the block ends."""
    child = Child(name, command, environment, log, directory)
    try:
        yield child
    finally:
        child.stop()


def choose_port(variable: str = "", usual: int = 0) -> int:
    """The loopback port that the environment variable asks for, else the usual one if it is free, else a free one.

    Raises StackError if the one asked for is no port, or taken.
    """
    wanted = os.environ.get(variable)
    if not wanted:
        try:
            return _free(usual)
        except OSError:
            return _free(0)
    if not (wanted.isascii() and wanted.isdecimal() and 0 < int(wanted) < 65536):
        raise StackError(f"{variable}={wanted} is no port: take a number from 1 to 65535.")
    try:
        return _free(int(wanted))
    except OSError as error:
        raise StackError(
            f"Port {wanted} ({variable}) is taken: {error.strerror}. Free it or choose another."
        ) from error


def _free(port: int) -> int:
    """This loopback port, or any for 0; raises OSError if it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        found: int = probe.getsockname()[1]
        return found


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Only one process at a time holds it; the system lets go of it when the process ends in whatever way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def stack_file(progress: Progress) -> Iterator[Path]:
    """The right to publish `.local/stack.json`, which is removed at the end; raises StackError if another has it.

    A file that is there although nobody has the right was left by a killed run, and is removed.
    """
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "serve.lock").open("w") as handle:
        with _one_starts():
            if not _is_free(handle):
                raise StackError(f"another `make serve` is running, see {STACK_FILE.relative_to(ROOT)}")
            _remove_old_stack_file(progress)
        try:
            yield STACK_FILE
        finally:
            STACK_FILE.unlink(missing_ok=True)


@contextmanager
def run_directory(progress: Progress) -> Iterator[Path]:
    """A directory for the state and the logs of this run; what killed runs left is removed first.

    At the end the logs stay in `.local/logs`, the rest is removed.
    """
    runs = LOCAL / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        with _one_starts():
            with (LOCAL / "serve.lock").open("w") as handle:
                if _is_free(handle):
                    _remove_old_stack_file(progress)
            for old in runs.iterdir():
                _remove_if_abandoned(old, progress)
            directory = Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=runs))
            # Held until the directory is gone: another run takes one that nobody holds for abandoned.
            held.enter_context(lock(directory / "lock"))
        try:
            yield directory
        finally:
            logs = LOCAL / "logs"
            logs.mkdir(exist_ok=True)
            for log in directory.glob("*.log"):
                shutil.move(log, logs / log.name)
            shutil.rmtree(directory)


def _one_starts() -> contextlib.AbstractContextManager[None]:
    """Only one run at a time looks for other runs, because it holds their locks for a moment."""
    return lock(LOCAL / "start.lock")


def _is_free(handle: IO[str]) -> bool:
    """Whether nobody held this lock; it is ours then, until the file is closed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove_old_stack_file(progress: Progress) -> None:
    if STACK_FILE.exists():
        progress(f"removing the {STACK_FILE.relative_to(ROOT)} of a killed run")
        STACK_FILE.unlink()


def _remove_if_abandoned(directory: Path, progress: Progress) -> None:
    """Remove a run's directory if no process holds its lock any more."""
    try:
        with (directory / "lock").open("r+") as handle:
            if not _is_free(handle):
                return
    except FileNotFoundError:
        return  # being removed by its own run at this very moment
    progress(f"removing what the killed run {directory.name} left (its servers ended with it)")
    shutil.rmtree(directory, ignore_errors=True)
