"""The local stack: the provider sandboxes, MiniStack with the real template in it, and what a caller needs of them."""

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
from vezne_sandbox.client import SandboxControl

from . import principals
from .build import BUCKET, build_and_deploy
from .catalogue import FUNCTIONS, ORDERS, PROVIDERS, RECONCILERS, SCOPES, URLS
from .connection import REGION, STACK_NAME
from .processes import ROOT, Child, Progress, StackError, choose_port, module_command, run_directory, running

CREDENTIALS = ROOT / "shared" / "vezne_sandbox" / "credentials.json"
# The data exists as long as the run. A sweep comes when a test asks for it. The sandbox takes its own test cards.
# MiniStack has neither the firewall's association nor CodeDeploy.
LOCAL_PARAMETERS = {
    "StageName": "local",
    "ProtectData": "false",
    "SweepSchedule": "rate(365 days)",
    "Firewall": "false",
    "GradualDeployment": "false",
    "CardPayments": "true",
}
# Where `make run` and `make serve` are found, if it is free.
USUAL_PORT = 8780
# The first call of a function starts its process; after that, the longest is the gateway's own 29 s.
HTTP_SECONDS = 40


@dataclass(frozen=True)
class AppClient:
    """An OAuth2 client of the API."""

    id: str
    secret: str
    scopes: tuple[str, ...]


class Aws:
    """boto3 clients for the emulator, as its root user; each is made once."""

    def __init__(self, endpoint_url: str) -> None:
        self._session = boto3.session.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
        )
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        # boto3's clients are safe to share between threads, making them is not.
        with self._lock:
            if service not in self._clients:
                make: Any = self._session.client
                self._clients[service] = make(service, endpoint_url=self._endpoint_url)
            return self._clients[service]


@dataclass(frozen=True)
class Stack:
    """The running stack. `description()` is what `.local/stack.json` holds of it."""

    api_url: str
    token_url: str
    token_host: str
    first_client: AppClient
    sandbox_url: str
    aws_endpoint_url: str
    table: str
    secrets: Mapping[str, str]
    functions: Mapping[str, str]
    outputs: Mapping[str, str]
    log_directory: Path
    sandbox: SandboxControl = field(repr=False)
    aws: Aws = field(repr=False)
    http: httpx.Client = field(repr=False)

    def description(self) -> dict[str, Any]:
        """The running stack for programs that did not start it."""
        return {
            "api_url": self.api_url,
            "token_url": self.token_url,
            "token_host": self.token_host,
            "client_id": self.first_client.id,
            "client_secret": self.first_client.secret,
            "sandbox_url": self.sandbox_url,
            "aws_endpoint_url": self.aws_endpoint_url,
            "table": self.table,
            "secrets": dict(self.secrets),
            "functions": dict(self.functions),
            "log_directory": str(self.log_directory),
        }

    def new_client(self, name: str, operations: Sequence[str] = SCOPES) -> AppClient:
        """A further app client with the scopes of these operations only; its keys are its own."""
        own = principals.ensure(self.aws("cognito-idp"), self.outputs["UserPoolId"], name)
        scopes = [*(f"vezne/{operation}" for operation in operations), own]
        made = self.aws("cognito-idp").create_user_pool_client(
            UserPoolId=self.outputs["UserPoolId"],
            ClientName=name,
            GenerateSecret=True,
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["client_credentials"],
            AllowedOAuthScopes=scopes,
        )["UserPoolClient"]
        return AppClient(made["ClientId"], made["ClientSecret"], tuple(scopes))

    def token(self, client: AppClient | None = None, scopes: Sequence[str] | None = None) -> str:
        """An access token by client credentials, for all of the client's scopes or only some of them."""
        client = client or self.first_client
        answer = self.http.post(
            self.token_url,
            auth=(client.id, client.secret),
            data={"grant_type": "client_credentials", "scope": " ".join(scopes or client.scopes)},
        )
        answer.raise_for_status()
        access_token: str = answer.json()["access_token"]
        return access_token

    def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        key: str | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One HTTP request to the API as a client would send it: JSON `body`, or raw `content`."""
        sent = {} if token is None else {"Authorization": f"Bearer {token}"}
        if key is not None:
            sent["Idempotency-Key"] = key
        if body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        return self.http.request(method, self.api_url + path, content=content, headers={**sent, **(headers or {})})

    def invoke(self, operation: str, event: Any) -> Any:
        """Invoke a function through its alias with this event; its answer, or a RuntimeError that holds its error."""
        answer = self.aws("lambda").invoke(
            FunctionName=self.functions[operation], Qualifier="live", Payload=json.dumps(event).encode()
        )
        payload = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise RuntimeError(f"{operation}: {payload}")
        return payload

    def records(self) -> list[dict[str, Any]]:
        """Every item of the table, in DynamoDB's own notation."""
        pages = self.aws("dynamodb").get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]


def publish(stack: Stack, file: Path) -> None:
    """Describe the stack in `.local/stack.json`; `file` comes from `stack_file`, which removes it at the end."""
    partial = file.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(stack.description(), indent=2) + "\n")
    os.replace(partial, file)


def _silent(_text: str) -> None:
    """No progress is wanted."""


@contextmanager
def running_stack(
    progress: Progress | None = None, parameters: Mapping[str, str] | None = None, usual_port: int = 0
) -> Iterator[Stack]:
    """Bring the stack up, yield it, and stop all of it, whatever happens. `parameters` override the template's.

    Its address has the port that VEZNE_PORT asks for, else `usual_port` if that is free. Raises StackError.
    """
    say = progress or _silent
    with run_directory(say) as directory:
        sandbox_port = choose_port("VEZNE_SANDBOX_PORT")
        gateway_port = _gateway_port(usual_port, say)
        if gateway_port == sandbox_port:
            raise StackError(f"VEZNE_PORT and VEZNE_SANDBOX_PORT are both {sandbox_port}: take two ports.")
        say(f"starting the provider sandboxes on port {sandbox_port} and MiniStack on port {gateway_port}")
        with _sandbox(sandbox_port, directory) as sandbox, _ministack(gateway_port, directory) as ministack:
            sandbox.wait_for_port(sandbox_port)
            ministack.wait_for_port(gateway_port)
            endpoint_url, sandbox_url = f"http://127.0.0.1:{gateway_port}", f"http://127.0.0.1:{sandbox_port}"
            aws = Aws(endpoint_url)
            aws("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
            urls = {parameter: os.environ.get(variable, sandbox_url) for variable, parameter in URLS.items()}
            chosen = {**LOCAL_PARAMETERS, **urls, **(parameters or {})}
            build_and_deploy(endpoint_url, chosen, directory, say)
            say("copying the gateway responses, filling the secrets")
            with httpx.Client(timeout=HTTP_SECONDS, trust_env=False) as http:
                yield _described(aws, http, endpoint_url, sandbox_url, directory)
        say("stopped")


def _gateway_port(usual: int, say: Progress) -> int:
    """The port of the stack's address; says so if the usual one is taken. Raises StackError."""
    asked = next((name for name in ("VEZNE_PORT", "VEZNE_GATEWAY_PORT") if os.environ.get(name)), "")
    port = choose_port(asked, usual)
    if usual and not asked and port != usual:
        say(f"port {usual} is taken, so this stack is on port {port} (VEZNE_PORT chooses one)")
    return port


def _sandbox(port: int, directory: Path) -> AbstractContextManager[Child]:
    """The providers, on one loopback port."""
    command = module_command("vezne_sandbox", "--port", str(port))
    return running("the sandbox", command, {**os.environ}, directory / "sandbox.log")


def _ministack(port: int, directory: Path) -> AbstractContextManager[Child]:
    """The AWS emulator: loopback only, roles enforced, its state in the run's directory."""
    temporary = directory / "tmp"
    temporary.mkdir()
    environment = {
        # The functions inherit this environment, so there is nothing of the caller's in it but what a process needs.
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "LAMBDA_EXECUTOR": "local",
        # Its MQTT listener would be open to the network, and its Docker sweep would remove containers.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",
        "STATE_DIR": str(temporary / "state"),
        "S3_DATA_DIR": str(temporary / "s3"),
    }
    command = module_command("vezne_cli.emulator")
    return running("MiniStack", command, environment, directory / "ministack.log")


def _described(aws: Aws, http: httpx.Client, endpoint_url: str, sandbox_url: str, directory: Path) -> Stack:
    """Read what was deployed, complete it where MiniStack or the template leaves it open, and describe it."""
    deployed = aws("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in deployed["Outputs"]}
    api_host, _, stage = outputs["ApiUrl"].removeprefix("https://").partition("/")
    api_id = api_host.split(".")[0]
    _put_gateway_responses(aws, api_id, stage)
    _give_address(aws, api_id, stage)
    functions = {name: outputs[function.output] for name, function in FUNCTIONS.items()}
    for operation in (*ORDERS, *(each.name for each in RECONCILERS.values())):
        _copy_event_invoke_config(aws, functions[operation])
    secrets = {name: outputs[provider.secret_output] for name, provider in PROVIDERS.items()}
    for provider, fields in json.loads(CREDENTIALS.read_text()).items():
        aws("secretsmanager").put_secret_value(SecretId=secrets[provider], SecretString=json.dumps(fields))
    client = aws("cognito-idp").describe_user_pool_client(
        UserPoolId=outputs["UserPoolId"], ClientId=outputs["ClientId"]
    )["UserPoolClient"]
    token_host, _, token_path = outputs["TokenUrl"].removeprefix("https://").partition("/")
    address = endpoint_url.replace("127.0.0.1", "localhost")
    return Stack(
        api_url=f"{address}/{stage}",
        # MiniStack knows the pool by the client's id; on AWS, it is the host that names the pool.
        token_url=f"{address}/{token_path}",
        token_host=token_host,
        first_client=AppClient(client["ClientId"], client["ClientSecret"], tuple(client["AllowedOAuthScopes"])),
        sandbox_url=sandbox_url,
        aws_endpoint_url=endpoint_url,
        table=outputs["TableName"],
        secrets=secrets,
        functions=functions,
        outputs=outputs,
        log_directory=directory,
        sandbox=SandboxControl(sandbox_url),
        aws=aws,
        http=http,
    )


def _give_address(aws: Aws, api_id: str, stage: str) -> None:
    """Let this machine's own names lead to the API as its own host does on AWS: with the stage before the routes."""
    for name in ("localhost", "127.0.0.1"):
        aws("apigateway").create_domain_name(domainName=name)
        aws("apigateway").create_base_path_mapping(domainName=name, basePath=stage, restApiId=api_id, stage=stage)


def _put_gateway_responses(aws: Aws, api_id: str, stage: str) -> None:
    """Give the API the gateway responses of its own definition, which AWS imports and MiniStack leaves out."""
    template = aws("cloudformation").get_template(StackName=STACK_NAME, TemplateStage="Processed")["TemplateBody"]
    template = json.loads(template) if isinstance(template, str) else template
    body = template["Resources"]["Api"]["Properties"]["Body"]
    for response_type, response in body["x-amazon-apigateway-gateway-responses"].items():
        aws("apigateway").put_gateway_response(
            restApiId=api_id,
            responseType=response_type,
            statusCode=str(response["statusCode"]),
            responseParameters=response["responseParameters"],
            responseTemplates={kind: _substituted(it, stage) for kind, it in response["responseTemplates"].items()},
        )
    aws("apigateway").create_deployment(restApiId=api_id, stageName=stage)


def _substituted(template: dict[str, Any], stage: str) -> str:
    """What CloudFormation makes of a gateway response's `!Sub` where there is no domain of one's own."""
    text, _ = template["Fn::Sub"]
    return str(text).replace("${StagePath}", f"/{stage}")


def _copy_event_invoke_config(aws: Aws, function: str) -> None:
    """Give $LATEST the retries and the dead-letter queue of the alias, too: MiniStack reads them nowhere else."""
    config = aws("lambda").get_function_event_invoke_config(FunctionName=function, Qualifier="live")
    kept = {name: config[name] for name in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")}
    aws("lambda").put_function_event_invoke_config(FunctionName=function, **kept)
