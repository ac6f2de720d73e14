"""Numbers that an environment variable sets."""

import os

import pytest


def whole_number(variable: str, usual: int, most: int, said: str = "") -> int:
    """The number in the environment variable, else the usual one. Anything else ends the run.

    `said` is the name that make uses for the variable, if it is another one.
    """
    asked = os.environ.get(variable) or str(usual)
    if asked.isascii() and asked.isdecimal() and 1 <= int(asked) <= most:
        return int(asked)
    pytest.exit(f"{said or variable}={asked} is no such number: take a whole one from 1 to {most}, like {usual}.", 2)
