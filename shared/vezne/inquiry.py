"""The Inquiry base class: a read-only question to one provider, answered now or not at all.

It moves nothing, so there is no record and no idempotency key; asking again is always safe.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from vezne.providers.http import Deadline
from vezne.providers.models import RequestModel, ResultModel

R = TypeVar("R", bound=RequestModel)


class Inquiry(ABC, Generic[R]):
    """One question to one provider: its facts, and how its answer is read."""

    name: ClassVar[str]
    path: ClassVar[str]
    request_model: ClassVar[type[RequestModel]]
    result_model: ClassVar[type[ResultModel]]
    # Asked by POST with a JSON body, because a value may name a person and must not be part of a URL.
    in_body: ClassVar[bool] = False

    @abstractmethod
    def ask(self, request: R, deadline: Deadline) -> ResultModel:
        """Ask the provider. May raise what `inquiries` raise, and ValidationError or UnreadableError."""
