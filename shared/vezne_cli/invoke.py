"""`vezne invoke`: one event through one function in a container, as `sam local invoke` runs it.

The function works on the running local stack. That stack listens on loopback only, where a container cannot reach it.
So its ports are relayed from the container engine's own network during the invocation.
"""

import json
import re
import socket
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import boto3
import docker
from botocore.exceptions import BotoCoreError, ClientError
from docker.errors import DockerException

from .build import SAM, build_for_containers, sam_environment
from .catalogue import FUNCTIONS
from .connection import REGION, OperatorError, aws_environment, connect, local_stack
from .set_up import ARCHITECTURE
from .suggestions import none_such
from .template import source

_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|localhost):(\d+)")


def invoke(function: str, event: Path, image: str, say: Any) -> str:
    """Run the event through the function and return its answer as text; its log goes to standard error.

    `image` is a base image the engine has, or "" for AWS's own, which SAM then fetches. Raises OperatorError.
    """
    found = next((each for each in FUNCTIONS.values() if each.folder == function), None)
    if found is None:
        raise OperatorError(none_such("function", function, sorted(each.folder for each in FUNCTIONS.values())))
    if not event.is_file():
        raise OperatorError(f"There is no event {event}; see events/.")
    logical_name = found.logical_name
    with ExitStack() as kept:
        directory = Path(kept.enter_context(tempfile.TemporaryDirectory()))
        build = build_for_containers(directory, say)
        variables = kept.enter_context(_reachable(_variables(found.name)))
        settings = directory / "variables.json"
        settings.write_text(json.dumps({logical_name: variables}))
        command: list[str | Path] = [
            SAM, "local", "invoke", logical_name, "--template", _template(build, variables),
            "--event", event.absolute(), "--env-vars", settings, "--config-file", directory / "samconfig.toml",
            "--region", REGION, "--parameter-overrides", f"Architecture={ARCHITECTURE} HasoUrl=https://haso.invalid",
        ]  # fmt: skip
        if image:
            command += ["--invoke-image", image, "--skip-pull-image"]
        say(f"sam local invoke {logical_name}")
        environment = sam_environment(aws_environment(local_stack()["aws_endpoint_url"]))
        ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        raise OperatorError(f"sam local invoke failed with exit code {ended.returncode}.")
    return ended.stdout.strip()


def _variables(operation: str) -> dict[str, str]:
    """The environment of the deployed function, and where AWS is. Raises OperatorError."""
    connect("")
    stack = local_stack()
    try:
        deployed = boto3.client("lambda").get_function_configuration(FunctionName=stack["functions"][operation])
    except (BotoCoreError, ClientError) as error:
        raise OperatorError(f"The function of {operation} cannot be read: {error}") from None
    return {**deployed["Environment"]["Variables"], "AWS_ENDPOINT_URL": str(stack["aws_endpoint_url"])}


def _template(build: Path, variables: Mapping[str, str]) -> Path:
    """The built template with every variable declared: SAM passes on no other."""
    template = source(build)
    template["Globals"]["Function"].setdefault("Environment", {}).setdefault("Variables", {}).update(
        dict.fromkeys(variables, "")
    )
    path = build / "invoke.json"
    path.write_text(json.dumps(template, default=str))
    return path


# ------------------------------------------------------------------ the way from a container to loopback


@contextmanager
def _reachable(variables: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The variables with every loopback address replaced by one that a container reaches. Raises OperatorError."""
    try:
        bridge = docker.from_env().networks.get("bridge").attrs["IPAM"]["Config"][0]
        # An engine that chose the network by itself names no gateway: it is the first address.
        gateway = bridge.get("Gateway") or str(next(ip_network(bridge["Subnet"]).hosts()))
    except DockerException as error:
        raise OperatorError(f"sam local invoke needs a running container engine: {error}") from None
    with ExitStack() as relays:
        addresses: dict[str, str] = {}

        def replaced(found: re.Match[str]) -> str:
            port = found[1]
            if port not in addresses:
                addresses[port] = relays.enter_context(_relay(int(port), gateway, bridge["Subnet"]))
            return f"http://{addresses[port]}"

        yield {name: _LOOPBACK.sub(replaced, value) for name, value in variables.items()}


@contextmanager
def _relay(port: int, gateway: str, subnet: str) -> Iterator[str]:
    """Host and port by which the containers of this network reach the loopback port."""
    try:
        server = _Relay(port, gateway, subnet)
    except OSError:
        # The engine runs in a virtual machine (Docker Desktop), which has a name of its own for our loopback.
        yield f"host.docker.internal:{port}"
        return
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{gateway}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Relay(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, port: int, gateway: str, subnet: str) -> None:
        self.port, self._subnet = port, ip_network(subnet)
        super().__init__((gateway, 0), _Connection)

    def verify_request(self, _request: Any, client_address: Any) -> bool:
        """Only containers: a neighbour on the local network could route a packet to this address, too."""
        return ip_address(client_address[0]) in self._subnet


class _Connection(socketserver.BaseRequestHandler):
    server: _Relay

    def handle(self) -> None:
        """Copy both ways until both sides have ended."""
        with socket.create_connection(("127.0.0.1", self.server.port)) as inner:
            back = threading.Thread(target=_copy, args=(inner, self.request), daemon=True)
            back.start()
            _copy(self.request, inner)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # One side was cut off: so is the other.
        source.close()
        target.close()


def failed(answer: str) -> bool:
    """Whether the function ended with an error instead of an answer."""
    try:
        content = json.loads(answer)
    except ValueError:
        return True
    return isinstance(content, dict) and {"errorMessage", "errorType"} <= content.keys()
