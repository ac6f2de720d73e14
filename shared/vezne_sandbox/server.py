"""The sandbox as an HTTP server on loopback: providers, control API and manual on one port."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

from aiohttp import web

from vezne_sandbox.client import SandboxControl
from vezne_sandbox.control import Control
from vezne_sandbox.delivery import deliver
from vezne_sandbox.manual import manual
from vezne_sandbox.sandbox import PROVIDERS, Sandbox
from vezne_sandbox.wire import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vezne_sandbox.provider import Operation

__all__ = ["SandboxControl", "make_app", "running_sandbox", "serve"]


def make_app(sandbox: Sandbox, stopping: asyncio.Event) -> web.Application:
    """Build the web application. ``stopping`` ends the connections that a fault keeps open."""
    app = web.Application(client_max_size=2**20)
    app.router.add_get("/", _manual(sandbox))
    app.add_routes(Control(sandbox).routes())
    for operation in sandbox.operations.values():
        app.router.add_route(operation.method, operation.path, _handler(sandbox, operation, stopping))
    app.router.add_route("*", "/{path:.*}", _no_such_address(sandbox))
    return app


def _handler(sandbox: Sandbox, operation: Operation, stopping: asyncio.Event) -> Any:
    async def handle(request: web.Request) -> web.Response:
        call = Call(
            operation=operation.name,
            method=request.method,
            path=request.path,
            parameters=dict(request.match_info),
            query=dict(request.query),
            headers=request.headers,
            content_type=request.headers.get("Content-Type", ""),
            body=await request.read(),
        )
        reply, rule = sandbox.answer(call)
        return await deliver(request, reply, rule, stopping)

    return handle


def _manual(sandbox: Sandbox) -> Any:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=manual(str(request.url.origin()), sandbox.operations.values(), PROVIDERS.values()))

    return handle


def _no_such_address(sandbox: Sandbox) -> Any:
    async def handle(request: web.Request) -> web.Response:
        log = sandbox.ledger.log("", f"{request.method} {request.path}")
        log.outcome, log.status = "no such address", 404
        return web.Response(status=404, text="no such address")

    return handle


async def serve(host: str, port: int, started: Any, stopping: asyncio.Event) -> None:
    """Serve until ``stopping`` is set. ``started`` is called with the port."""
    runner = web.AppRunner(make_app(Sandbox(), stopping), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        started(runner.addresses[0][1])
        await stopping.wait()
    finally:
        await runner.cleanup()


@contextlib.contextmanager
def running_sandbox(host: str = "127.0.0.1", port: int = 0) -> Iterator[SandboxControl]:
    """Run the server in a thread of this process, on a free port by default; yield its control."""
    ready = threading.Event()
    running: dict[str, Any] = {}

    async def run() -> None:
        running.update(loop=asyncio.get_running_loop(), stopping=asyncio.Event())

        def started(bound_port: int) -> None:
            running["port"] = bound_port
            ready.set()

        await serve(host, port, started, running["stopping"])

    def target() -> None:
        try:
            asyncio.run(run())
        except OSError as error:
            running["error"] = error
        finally:
            ready.set()

    thread = threading.Thread(target=target, name="sandbox", daemon=True)
    thread.start()
    ready.wait()
    if "port" not in running:
        raise RuntimeError(f"the sandbox could not start on {host}:{port}") from running.get("error")
    control = SandboxControl(f"http://{host}:{running['port']}")
    try:
        yield control
    finally:
        control.close()
        running["loop"].call_soon_threadsafe(running["stopping"].set)
        thread.join(10)
