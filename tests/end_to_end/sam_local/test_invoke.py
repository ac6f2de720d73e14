"""Every function through `sam local invoke`, in a container of the running engine, against the local stack.

One golden event of each function, so that each kind of event is among them. `runtime` sends every golden event, to the
same code and layer; here the command, the image and the container are new.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException
from vezne_cli.layer import lambda_python
from vezne_cli.processes import ROOT, StackError, stack_file
from vezne_cli.stack import Stack, publish

from tests.end_to_end.golden import GOLDEN_EVENTS, GoldenEvent, assert_healthy, first_time
from tests.end_to_end.lacking import lacking
from tests.end_to_end.sam_local.image import NoImageError, ensure_image


def one_of_each_function() -> list[GoldenEvent]:
    """A golden event of each function. Those with the same number of events take turns, so that no kind is left out."""
    names = sorted({event.operation for event in GOLDEN_EVENTS})
    events = [[event for event in GOLDEN_EVENTS if event.operation == name] for name in names]
    events.sort(key=len)
    return [own[number % len(own)] for number, own in enumerate(events)]


EVENTS = one_of_each_function()


@pytest.fixture(scope="session")
def image() -> str:
    """The base image. The test is skipped if no engine can make and run it."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        lacking("ENGINE", f"no container engine answers here (.ci/run starts one on Debian, as root): {error}")
    python = lambda_python()
    if python is None:
        # Debian has no package of this Python, so .ci/run cannot install it.
        pytest.skip("the base image cannot be made here: there is no Python of Lambda's version to put into it")
    try:
        return ensure_image(client, python)
    except NoImageError as error:
        lacking("ENGINE", f"the base image cannot be made here: {error}")


@pytest.fixture(scope="module")
def serving(whole_stack: Stack) -> Iterator[None]:
    """The file that `make serve` writes for other programs."""
    try:
        with stack_file(lambda _text: None) as file:
            publish(whole_stack, file)
            yield
    except StackError as error:
        lacking("ENGINE", str(error))


def make_invoke(function: str, event: Path, image: str) -> "subprocess.CompletedProcess[str]":
    command = ["make", "--silent", "invoke", f"FN={function}", f"EVENT={event}", f"IMAGE={image}"]
    # make gives its own settings to a make that it starts.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


# On a busy machine SAM may wait long for its emulator. It then sends its request again while the first one runs, and
# the emulator stops. That proves nothing about the function.
SAM_GAVE_UP = "No response from invoke container"
TRIES = 3


def test_each_function_and_each_kind_of_event_is_invoked() -> None:
    assert {event.operation for event in EVENTS} == {event.operation for event in GOLDEN_EVENTS}
    assert {event.kind for event in EVENTS} == {event.kind for event in GOLDEN_EVENTS}


@pytest.mark.parametrize("event", EVENTS, ids=[event.path.name for event in EVENTS])
def test_a_golden_event(stack: Stack, image: str, serving: None, event: GoldenEvent) -> None:
    for _ in range(TRIES):
        first_time(stack)
        invoked = make_invoke(event.function.folder, event.path.relative_to(ROOT), image)
        if SAM_GAVE_UP not in invoked.stderr:
            break
    assert invoked.returncode == 0, invoked.stderr
    assert_healthy(stack, event, json.loads(invoked.stdout))


def test_an_event_the_function_refuses_fails_the_command(
    stack: Stack, image: str, serving: None, tmp_path: Path
) -> None:
    event = tmp_path / "refused.json"
    event.write_text('{"standing_order": {"name": "n", "occurrence": "o", "request": {"amount": "1.00"}}}')
    invoked = make_invoke("paynet_capture", event, image)
    assert invoked.returncode == 2, invoked.stdout
    assert json.loads(invoked.stdout)["errorType"] == "StandingOrderFailed"
