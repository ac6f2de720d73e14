"""What a test needs beside the project's own packages, which a machine may lack."""

import os
from typing import NoReturn

import pytest


def lacking(needed: str, reason: str) -> NoReturn:
    """Skip the test; fail it where VEZNE_REQUIRE_<needed> says that it must be here, as .ci/run does."""
    if os.environ.get(f"VEZNE_REQUIRE_{needed}"):
        pytest.fail(reason)
    pytest.skip(reason)
