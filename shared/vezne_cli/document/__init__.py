"""The OpenAPI document, generated from the models, the problems and the template: `vezne document`.

It is checked in as functions/reference/openapi.json, which `GET /openapi.json` serves; a test holds it to its sources.
"""

from vezne_cli.document.document import DOCUMENT, build

__all__ = ["DOCUMENT", "build"]
