"""The OpenAPI document, generated from the models, the problems and the template: `python -m tests.openapi`.

It is checked in as functions/reference/openapi.json, which `GET /openapi.json` serves; a test holds it to its sources.
"""

from tests.openapi.document import DOCUMENT, build

__all__ = ["DOCUMENT", "build"]
