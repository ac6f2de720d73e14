"""One Lambda instance on this machine: AWS's runtime interface emulator and its Python runtime client, no container.

The emulator comes with the SAM CLI. It starts the runtime at the first call and keeps it for the next ones. It kills it
at the time limit. It takes one call at a time, as an instance of Lambda does. Two calls at once would break it.
"""

import importlib.metadata
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from vezne_cli.build import built
from vezne_cli.catalogue import FUNCTIONS
from vezne_cli.connection import aws_environment
from vezne_cli.processes import ROOT, choose_port, running
from vezne_cli.set_up import ARCHITECTURE, entries
from vezne_cli.stack import Stack

from tests.end_to_end.sam_local.image import REQUIREMENTS

INVOCATIONS = "/2015-03-31/functions/function/invocations"


def emulator() -> Path:
    """The emulator's program."""
    (path,) = ROOT.glob(f".venv-sam/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}")
    return path


def lay_out_runtime(directory: Path) -> Path:
    """A folder with the contents of Lambda's own image only. The function must find the rest in the layer."""
    folder = directory / "runtime"
    folder.mkdir()
    for package, _ in entries(REQUIREMENTS.read_text()):
        files = importlib.metadata.distribution(package).files or []
        site_packages = Path(str(importlib.metadata.distribution(package).locate_file("")))
        for name in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            (folder / name).symlink_to(site_packages / name)
    return folder


@dataclass
class Instance:
    """A running emulator. `invoke` waits until no other call runs."""

    port: int
    log: Path
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def invoke(self, event: Any) -> httpx.Response:
        """Make one call, after the earlier ones have ended."""
        with self._turn:
            return httpx.post(
                f"http://127.0.0.1:{self.port}{INVOCATIONS}", content=json.dumps(event), timeout=60, trust_env=False
            )

    def runtimes(self) -> list[int]:
        """The processes that run the function: none before the first call, one after it."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                port = f":{self.port}".encode()
                ours = port in (Path("/proc") / str(parent) / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if ours and b"awslambdaric" in command and b"--runtime-interface-emulator-address" not in command:
                found.append(int(process.name))
        return found


@contextmanager
def instance(stack: Stack, operation: str, directory: Path, **settings: str) -> Iterator[Instance]:
    """An instance of the deployed function: its built code, the built layer, its environment."""
    configuration = stack.aws("lambda").get_function_configuration(FunctionName=stack.functions[operation])
    code = built() / FUNCTIONS[operation].logical_name
    runtime = lay_out_runtime(directory)
    environment: Mapping[str, str] = {
        **configuration["Environment"]["Variables"],
        **aws_environment(stack.aws_endpoint_url),
        "AWS_REGION": "eu-central-1",
        "AWS_LAMBDA_FUNCTION_NAME": stack.functions[operation],
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(configuration["Timeout"]),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "LAMBDA_TASK_ROOT": str(code),
        "PYTHONPATH": os.pathsep.join(map(str, (code, built() / "VezneLayer" / "python", runtime))),
        # The built layer is not changed.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        **settings,
    }
    # The interpreter without its site-packages. Else the packages of the tests would replace those of the layer.
    python = str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")
    port, api_port = choose_port(), choose_port()
    command: list[str | Path] = [
        emulator(), "--log-level", "error", "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
        "--runtime-api-address", f"127.0.0.1:{api_port}", python, "-S", "-m", "awslambdaric", "app.handler",
    ]  # fmt: skip
    with running("the emulator", command, environment, directory / "emulator.log", code) as child:
        child.wait_for_port(port)
        yield Instance(port, directory / "emulator.log")
