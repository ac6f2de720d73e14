"""A function that starts for a snapshot, as in Lambda's runtime, and continues as two copies of the same memory.

Prints one JSON line: what the snapshot held, and what each copy did with the same request. The function's folder and
the layer are on the path.
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
from botocore.credentials import Credentials, ReadOnlyCredentials
from vezne.orders import store as store_module
from vezne.providers import credentials

sys.path.extend([str(Path(__file__).parent), str(Path(__file__).parents[2])])

app: Any = import_module("app")
stubs: Any = import_module("stubs")


class Context:
    """The context that Lambda gives to a handler."""

    function_name = "snapshot"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 27_000


def snapshot() -> dict[str, Any]:
    """The contents of the memory when the snapshot is taken."""
    lambda_runtime_hooks_runner.run_before_snapshot()
    collecting, frozen = gc.isenabled(), gc.get_freeze_count() > 0
    # Frozen objects are in the memory, too, but the collector does not list them.
    gc.unfreeze()
    held = [(type(known), known) for known in gc.get_objects()]
    gc.freeze()
    return {
        "clients": store_module._client.cache_info().currsize + credentials._client.cache_info().currsize,
        "credentials": sum(issubclass(kind, (Credentials, ReadOnlyCredentials)) for kind, _ in held),
        "secrets": sum(issubclass(kind, credentials.SecretModel) for kind, _ in held)
        + sum(
            kind is credentials.CredentialCache and (known._secret or known._token) is not None for kind, known in held
        ),
        "collecting": collecting,
        "frozen": frozen,
    }


def restored(state: object) -> dict[str, Any]:
    """Run one copy, from its restoration to its first answer."""
    # Python seeds its generator again after a fork. A snapshot's memory is restored unchanged, so undo that.
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
    claims = [json.loads(one["body"]) for one in sent if b"attribute_not_exists(id)" in one["body"]]
    return {
        "status": answer["statusCode"],
        "operation_id": json.loads(answer["body"]).get("operation_id"),
        "owners": [_put(claim)["Item"]["owner"]["S"] for claim in claims],
        "request_tokens": [claim["ClientRequestToken"] for claim in claims if "ClientRequestToken" in claim],
        "sdk_invocations": sorted({one["headers"]["amz-sdk-invocation-id"] for one in sent}),
        "draw": random.random(),  # noqa: S311
    }


def _put(claim: dict[str, Any]) -> dict[str, Any]:
    """The write of the record, alone or with its guard."""
    put: dict[str, Any] = claim["TransactItems"][0]["Put"] if "TransactItems" in claim else claim
    return put


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def copy() -> dict[str, Any]:
    """Run the same memory in another process. Returns its results."""
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


print(json.dumps({"snapshot": snapshot(), "copies": [copy(), copy()]}))
