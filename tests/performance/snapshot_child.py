"""A function started for a snapshot, as Lambda's runtime does it, then continued as two copies of the same memory.

Prints one JSON line: what the snapshot held, and what each copy did with the same order. Run with the function's folder
and the layer on the path.
"""

import gc
import json
import os
import random
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from awslambdaric import lambda_runtime_hooks_runner
from vezne import credentials, idempotency

sys.path.append(str(Path(__file__).parent))

app: Any = import_module("app")
stubs: Any = import_module("stubs")


class Context:
    """What Lambda hands to a handler."""

    function_name = "snapshot"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 27_000


def snapshot() -> dict[str, Any]:
    """What the memory holds when the snapshot is taken."""
    lambda_runtime_hooks_runner.run_before_snapshot()
    held = [known for known in gc.get_objects() if type(known).__module__.startswith("botocore.")]
    return {
        "clients": idempotency._client.cache_info().currsize + credentials._client.cache_info().currsize,
        "credentials": sum(type(known).__name__.endswith("Credentials") for known in held),
        "secrets": app_keyring._secret is not None or app_keyring._token is not None,
        "collecting": gc.isenabled(),
        "frozen": gc.get_freeze_count() > 0,
    }


def restored(state: object) -> dict[str, Any]:
    """One copy, from its restoration to its first answer."""
    # Python itself seeds its generator anew after a fork; the memory of a snapshot comes back as it was.
    random.setstate(state)  # type: ignore[arg-type]
    lambda_runtime_hooks_runner.run_after_restore()
    sent: list[dict[str, Any]] = []
    answer_aws = stubs._answer_aws

    def note(session: Any, request: Any) -> Any:
        sent.append({"headers": {name: _text(value) for name, value in request.headers.items()}, "body": request.body})
        return answer_aws(session, request)

    stubs._answer_aws = note
    stubs.install()
    event = json.loads(Path(os.environ["BENCH_EVENT"]).read_text())
    answer = app.handler(event, Context)
    claim = json.loads(next(one["body"] for one in sent if b"attribute_not_exists(id)" in one["body"]))
    put = claim["TransactItems"][0]["Put"] if "TransactItems" in claim else claim
    return {
        "status": answer["statusCode"],
        "operation_id": json.loads(answer["body"])["operation_id"],
        "owner": put["Item"]["owner"]["S"],
        "request_token": claim.get("ClientRequestToken", ""),
        "sdk_invocations": sorted({one["headers"]["amz-sdk-invocation-id"] for one in sent}),
        "draw": random.random(),  # noqa: S311
    }


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def copy() -> dict[str, Any]:
    """The same memory in a process of its own; what became of it."""
    reading, writing = os.pipe()
    state = random.getstate()
    if os.fork() == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.write(writing, json.dumps(restored(state)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    os.wait()
    told: dict[str, Any] = json.loads(content)
    return told


app_keyring = next(
    value.client.keyring
    for value in (cell.cell_contents for cell in app.handler.__closure__)
    if hasattr(value, "client")
)
print(json.dumps({"snapshot": snapshot(), "copies": [copy(), copy()]}))
