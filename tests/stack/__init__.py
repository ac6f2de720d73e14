"""Brings the local stack up: `make run`, `make serve` and the end-to-end tests use it."""

from .processes import StackError
from .stack import AppClient, Stack, running_stack

__all__ = ["AppClient", "Stack", "StackError", "running_stack"]
