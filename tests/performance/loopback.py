"""AWS and the providers on one loopback port, as quick as a server can be: `python loopback.py PORT`.

It keeps nothing: every write succeeds, every order is new. Run on its own so that its processor time is not the
function's.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from aiohttp import web

sys.path.append(str(Path(__file__).parent))

stubs: Any = import_module("stubs")


async def aws(request: web.Request) -> web.Response:
    """DynamoDB and Secrets Manager, told apart as they themselves do."""
    await request.read()
    content: dict[str, str] = {}
    if request.headers["X-Amz-Target"].endswith("GetSecretValue"):
        secret = json.loads(stubs.CREDENTIALS.read_text())["paynet"]
        content = {"SecretString": json.dumps(secret), "VersionId": "1", "Name": "paynet"}
    return web.Response(body=json.dumps(content), content_type="application/x-amz-json-1.0")


async def capture(request: web.Request) -> web.Response:
    """Paynet's answer to a capture."""
    return web.json_response(stubs.paynet(await request.read()))


def main() -> None:
    """Serve until ended."""
    app = web.Application()
    app.router.add_post("/", aws)
    app.router.add_post("/v1/transaction/capture", capture)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    main()
