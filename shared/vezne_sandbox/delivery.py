"""How an answer leaves the server: whole, cut, in drops, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from vezne_sandbox.rules import Rule
    from vezne_sandbox.wire import Reply

LONGEST_SECONDS = 120
"""A connection without a whole answer stays open so long, or until the client leaves or the server stops."""
RAW = frozenset({"hang", "reset", "cut", "slow_drops", "informational", "informational_only"})


async def deliver(request: web.Request, reply: Reply, rule: Rule | None, stopping: asyncio.Event) -> web.Response:
    """Send the answer, or do to the connection what the rule says."""
    transport = request.transport
    if rule and rule.then in RAW and transport is not None:
        match rule.then:
            case "reset":
                _reset(transport)
            case "cut":
                transport.write(_head(reply) + reply.body[: len(reply.body) // 2])
                transport.close()
            case "hang":
                await _until_gone(request, stopping)
                transport.abort()
            case "informational":
                transport.write(_informational(rule))
                # The answer comes late: a caller who takes the informational answer for it may ask again before that.
                ends = asyncio.get_running_loop().time() + rule.every_seconds
                while not await _gone(request, stopping, 0.02, ends):
                    pass
            case "informational_only":
                transport.write(_informational(rule))
                await _until_gone(request, stopping)
                transport.abort()
            case "slow_drops":
                await _drip(request, reply, rule, stopping)
                transport.abort()
    response = web.Response(status=reply.status, body=reply.body, headers=reply.headers)
    response.headers["Content-Type"] = reply.content_type
    return response


def _reset(transport: asyncio.WriteTransport) -> None:
    """Close with a TCP reset: a lingering time of 0 makes the kernel send RST instead of FIN."""
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _informational(rule: Rule) -> bytes:
    return f"HTTP/1.1 {rule.status} Sandbox\r\nLink: </style.css>; rel=preload\r\n\r\n".encode()


def _head(reply: Reply) -> bytes:
    lines = [
        f"HTTP/1.1 {reply.status} Sandbox",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        *(f"{name}: {value}" for name, value in reply.headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def _drip(request: web.Request, reply: Reply, rule: Rule, stopping: asyncio.Event) -> None:
    """Send the answer byte by byte, but never the last byte: its body only, or the head, too."""
    head = _head(reply)
    whole = head + reply.body
    sent = len(head) if rule.drip == "body" else 1
    _write(request, whole[:sent])
    ends = asyncio.get_running_loop().time() + LONGEST_SECONDS
    while not await _gone(request, stopping, rule.every_seconds, ends):
        _write(request, whole[sent : min(sent + 1, len(whole) - 1)])
        sent += 1


def _write(request: web.Request, chunk: bytes) -> None:
    if chunk and request.transport is not None:
        request.transport.write(chunk)


async def _until_gone(request: web.Request, stopping: asyncio.Event) -> None:
    ends = asyncio.get_running_loop().time() + LONGEST_SECONDS
    while not await _gone(request, stopping, 0.05, ends):
        pass


async def _gone(request: web.Request, stopping: asyncio.Event, seconds: float, ends: float) -> bool:
    """Wait so many seconds. Return whether the caller left, the time is over, or the server stops."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
    over = asyncio.get_running_loop().time() >= ends
    return over or stopping.is_set() or request.transport is None or request.transport.is_closing()
