"""The golden events of events/ as the models take them."""

from typing import Any

from vezne_cli.catalogue import ROUTES
from vezne_cli.document.examples import example


def golden_request(name: str) -> dict[str, Any]:
    """The request in the golden API event, with the parts of its path and query as the function reads them."""
    asked, model = example(name), ROUTES[name].request
    assert model is not None
    facts = model.model_json_schema()["properties"]
    fields = {**(asked["body"] or {}), **asked["parameters"]}
    return {key: int(value) if facts[key].get("type") == "integer" else value for key, value in fields.items()}
