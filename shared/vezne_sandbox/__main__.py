"""``python -m vezne_sandbox --port P [--host H]``: serve until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys

from vezne_sandbox.server import serve


async def main() -> None:
    """Serve, and print one JSON line with the port once ready."""
    parser = argparse.ArgumentParser(prog="python -m vezne_sandbox", description="The five provider sandboxes.")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free port")
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()
    stopping = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stopping.set)

    def started(port: int) -> None:
        sys.stdout.write(json.dumps({"port": port}) + "\n")
        sys.stdout.flush()

    await serve(arguments.host, arguments.port, started, stopping)


if __name__ == "__main__":
    asyncio.run(main())
