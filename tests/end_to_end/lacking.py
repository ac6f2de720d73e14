"""What a test needs beside the project's own packages. A machine may lack it."""

import os
from typing import NoReturn

import pytest


def lacking(needed: str, reason: str) -> NoReturn:
    """Skip the test. Let it fail if VEZNE_REQUIRE_<needed> is set, as .ci/run does."""
    if os.environ.get(f"VEZNE_REQUIRE_{needed}"):
        pytest.fail(reason)
    pytest.skip(reason)
