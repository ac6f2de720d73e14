"""The Inquiry base class: a read-only call of one provider, which is answered now or fails.

It moves nothing, so it has no record and no idempotency key. It may always be repeated.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar, get_args

from vezne.providers.http import Deadline
from vezne.providers.models import RequestModel, ResultModel

R = TypeVar("R", bound=RequestModel)
A = TypeVar("A", bound=ResultModel)


class Inquiry(ABC, Generic[R, A]):
    """One inquiry of one provider: its facts, and how its answer is read."""

    # "<provider>.<inquiry>": also the scope, the folder of functions/, and the logical name in the template.
    name: ClassVar[str]
    # Method and path. GET, or POST with a JSON body if a value may name a person, who must not be part of a URL.
    route: ClassVar[str]
    # Set from the type arguments of the class, and from the method of the route.
    request_model: ClassVar[type[RequestModel]]
    result_model: ClassVar[type[ResultModel]]
    in_body: ClassVar[bool]

    def __init_subclass__(cls) -> None:
        """Take the models from `Inquiry[Request, Result]`."""
        super().__init_subclass__()
        cls.request_model, cls.result_model = get_args(cls.__orig_bases__[0])  # type: ignore[attr-defined]
        cls.in_body = cls.route.startswith("POST ")

    @abstractmethod
    def ask(self, request: R, deadline: Deadline) -> A:
        """Ask the provider. May raise what `providers.client` raises, and ValidationError or UnreadableError."""
