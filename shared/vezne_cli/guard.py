"""Runs one command for as long as its owner lives: `python guard.py COMMAND...`, standard input a pipe of the owner.

The owner may be killed in a way that runs no clean-up. Its end of the pipe is closed then all the same, and this
process ends the command with everything it started. So a killed run leaves no server behind.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 5


def end_with_owner(child: "subprocess.Popen[bytes]") -> None:
    """Wait for the owner to go, then end the command: politely, and after the grace for certain."""
    os.read(sys.stdin.fileno(), 1)
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def main() -> int:
    """Run the command in a process group of its own; its exit code is ours."""
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=end_with_owner, args=(child,), daemon=True).start()
    code = child.wait()
    with contextlib.suppress(ProcessLookupError):
        # What the command started and did not end itself.
        os.killpg(child.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
