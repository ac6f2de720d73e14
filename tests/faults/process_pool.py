"""`python -m tests.faults.process_pool FD`: forks function processes on request.

Importing the functions and making the AWS clients takes a second. A fork of a process that has done both takes
milliseconds. The process has one thread and no open connection, so a fork equals a function's cold start.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
from pathlib import Path

from vezne.orders import store as store_module
from vezne.providers import credentials

from tests.faults import function

ROOT = Path(__file__).parents[2]


def main(control: socket.socket) -> None:
    """Fork a process per message, with the file descriptor in it, until the owner closes its end."""
    for app in (ROOT / "functions").glob("*/app.py"):
        importlib.import_module(f"functions.{app.parent.name}.app")
    store_module._client()
    credentials._client()
    gc.freeze()
    # The kernel removes the ended children.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
        if not message:
            return
        asked = json.loads(message)
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            function.serve(socket.socket(fileno=descriptors[0]), asked["operation"], asked["environment"])
            os._exit(0)
        os.close(descriptors[0])


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
