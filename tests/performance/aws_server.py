"""A very fast DynamoDB and Secrets Manager on one loopback port.

`python -m tests.performance.aws_server PORT`. It stores nothing: every write succeeds, every order is new. It is a
separate process, so its processor time is not the function's. An emulator of AWS would take longer than the function.
"""

import json
import sys

from aiohttp import web
from vezne_sandbox.ledger import load_credentials


async def aws(request: web.Request) -> web.Response:
    """Answer for DynamoDB or Secrets Manager, by the request's target header."""
    await request.read()
    content: dict[str, str] = {}
    if request.headers["X-Amz-Target"].endswith("GetSecretValue"):
        content = {"SecretString": json.dumps(load_credentials()["paynet"]), "VersionId": "1", "Name": "paynet"}
    return web.Response(body=json.dumps(content), content_type="application/x-amz-json-1.0")


def main() -> None:
    """Serve until the process is ended."""
    app = web.Application()
    app.router.add_post("/", aws)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    main()
