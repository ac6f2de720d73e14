"""The operator's commands by make, on a stack that STACK names."""

import json
import os
import subprocess
from typing import Any

from vezne_cli.connection import STACK_NAME, aws_environment
from vezne_cli.processes import ROOT
from vezne_cli.stack import Stack


def make(stack: Stack, target: str, stdin: Any = None, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run `make target NAME=value` with the rights of the emulator's root."""
    settings = [f"{name}={value}" for name, value in {"STACK": STACK_NAME, **variables}.items()]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--silent", target, *settings],
        cwd=ROOT,
        env={**kept, **aws_environment(stack.aws_endpoint_url)},
        input="" if stdin is None else json.dumps(stdin),
        capture_output=True,
        text=True,
        check=False,
    )
