"""Brings the local stack up: `make run`, `make serve` and the end-to-end tests use it."""

from .processes import StackError
from .stack import AppClient, Stack, publish, running_stack

__all__ = ["AppClient", "Stack", "StackError", "publish", "running_stack"]
