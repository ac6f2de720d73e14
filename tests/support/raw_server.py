"""A loopback server that sends raw bytes, to cause every failure of a provider's connection."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Script = Callable[["Connection"], None]


@dataclass
class Connection:
    """One accepted connection, as a script uses it."""

    socket: socket.socket
    number: int
    received: bytes = b""

    def read_request(self) -> bytes:
        """Read one whole HTTP request, by its Content-Length. It is shorter only if the client disconnected."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (chunk := self.socket.recv(65536)):
                return data
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        while len(body) < length and (chunk := self.socket.recv(65536)):
            body += chunk
        request = head + b"\r\n\r\n" + body
        self.received += request
        return request

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def drip(self, data: bytes, gone: threading.Event) -> None:
        """Send byte by byte, slowly, until the client disconnects."""
        for at in range(len(data)):
            self.socket.sendall(data[at : at + 1])
            if gone.wait(0.02):
                return

    def reset(self) -> None:
        """Close with a reset instead of an orderly end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def ok(body: bytes, headers: str = "") -> bytes:
    """A whole answer with Content-Length."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


@dataclass
class RawServer:
    """Runs the script for each connection, in their order."""

    script: Script
    context: ssl.SSLContext | None = None
    connections: list[Connection] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        scheme = "https" if self.context else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def received(self) -> bytes:
        """All bytes that the scripts read, on all connections."""
        return b"".join(connection.received for connection in self.connections)

    def close(self) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            # Ends the wait in accept.
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            accepted, _ = self._listener.accept()
            if self.stopping.is_set():
                accepted.close()
                return
            connection = Connection(accepted, len(self.connections))
            self.connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: Connection) -> None:
        # In most of these scripts the client disconnects on purpose.
        with contextlib.suppress(OSError):
            connection.socket.settimeout(10)
            if self.context:
                connection.socket = self.context.wrap_socket(connection.socket, server_side=True)
            self.script(connection)
        with contextlib.suppress(OSError):
            connection.socket.close()


@contextlib.contextmanager
def raw_server(script: Script, context: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    server = RawServer(script, context)
    try:
        yield server
    finally:
        server.close()
