"""A secret in memory, in the place of the one in Secrets Manager with the token that functions share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest import mock

from vezne.providers import shared_token


@dataclass
class MemorySecret:
    """`takes`: is called at each call. `written`: every text that was written, in order."""

    takes: Callable[[], None] = lambda: None
    written: list[str] = field(default_factory=list)

    def get(self, _secret_id: str) -> tuple[str, str]:
        self.takes()
        return (self.written or ["{}"])[-1], f"version-{len(self.written)}"

    def put(self, _secret_id: str, text: str) -> None:
        self.takes()
        self.written.append(text)


@contextmanager
def in_place(current: Callable[[], MemorySecret]) -> Iterator[None]:
    """Let the functions share their token in the secret that is the current one."""
    with (
        mock.patch.dict("os.environ", {"LOGIN_SECRET_ID": "vezne/token"}),
        mock.patch.object(shared_token, "get_secret", lambda name: current().get(name)),
        mock.patch.object(shared_token, "put_secret", lambda name, text: current().put(name, text)),
    ):
        yield
