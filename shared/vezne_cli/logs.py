"""`vezne logs`: what the local stack writes: its gateway, the functions, and the calls of the sandboxes."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.exceptions import BotoCoreError, ClientError

from .catalogue import FUNCTIONS
from .connection import OperatorError, aws_environment, local_stack
from .suggestions import none_such

PAUSE_SECONDS = 1.0
# A source gives its lines that were not given yet.
Source = Callable[[], Iterator[str]]


def file_lines(file: Path) -> Source:
    """The complete lines of a log that a process is writing."""
    read = 0

    def more() -> Iterator[str]:
        nonlocal read
        with file.open("rb") as log:
            log.seek(read)
            complete, end, _ = log.read().rpartition(b"\n")
        read += len(complete) + len(end)
        yield from complete.decode(errors="replace").splitlines()

    return more


def function_lines(logs: Any, group: str) -> Source:
    """The lines of a function's log group in CloudWatch Logs, by boto3's client for it."""
    given: Counter[tuple[Any, ...]] = Counter()

    def more() -> Iterator[str]:
        nonlocal given
        seen: Counter[tuple[Any, ...]] = Counter()
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            for event in page["events"]:
                # MiniStack's events have no id; two that are the same in all of this are told apart by their number.
                key = (event["logStreamName"], event["timestamp"], event["message"])
                seen[key] += 1
                if seen[key] > given[key]:
                    yield from str(event["message"]).splitlines()
        given = seen

    return more


def sandbox_lines(url: str) -> Source:
    """The calls that reached the sandboxes. References are left out: they may be of persons."""
    given = 0

    def more() -> Iterator[str]:
        nonlocal given
        calls = httpx.get(f"{url}/_control/calls", trust_env=False).raise_for_status().json()
        for call in calls[given if given <= len(calls) else 0 :]:
            booked = {True: "booked", False: "not booked"}.get(call["booked"], f"booked {call['booked']}")
            yield f"{call['at']} {call['operation']} {call['status']} {call['outcome']}, {booked}"
        given = len(calls)

    return more


def sources(stack: dict[str, Any], function: str) -> dict[str, Source]:
    """What there is to read, by the name that stands before each line; raises OperatorError for no such function."""
    chosen = [it for it in FUNCTIONS.values() if function in ("", it.folder)]
    if not chosen:
        raise OperatorError(none_such("function", function, sorted(it.folder for it in FUNCTIONS.values())))
    os.environ.update(aws_environment(stack["aws_endpoint_url"]))
    functions, logs = boto3.client("lambda"), boto3.client("logs")
    found = {}
    for it in chosen:
        deployed = functions.get_function_configuration(FunctionName=stack["functions"][it.name])
        found[it.folder] = function_lines(logs, deployed["LoggingConfig"]["LogGroup"])
    if function:
        return found
    gateway = file_lines(Path(stack["log_directory"]) / "ministack.log")
    return {"gateway": gateway, **found, "sandbox": sandbox_lines(stack["sandbox_url"])}


def print_logs(function: str, follow: bool) -> None:
    """Print the running local stack's logs, all or one function's. Raises OperatorError."""
    try:
        show(sources(local_stack(), function), follow)
    except BrokenPipeError:
        raise
    except (BotoCoreError, ClientError, httpx.HTTPError, OSError) as error:
        raise OperatorError(f"The local stack does not answer any more: {error}") from None


def show(found: dict[str, Source], follow: bool) -> None:
    """Print the lines of each source, and with `follow` what comes."""
    while True:
        for name, more in found.items():
            for line in more():
                print(f"{name} | {line}", flush=True)
        if not follow:
            return
        time.sleep(PAUSE_SECONDS)
