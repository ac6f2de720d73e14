"""JSON schemas of requests and results, made from the pydantic models."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema
from vezne.api.label import LabelFields
from vezne.providers.models import RequestModel, ResultModel

from vezne_cli.document.provider_fields import REQUESTS, RESULTS, Wire

REFERENCE = "#/components/schemas/{model}"
# As vezne.platform.money.parse_amount reads it.
AMOUNT = {"type": "string", "pattern": r"^(0|[1-9][0-9]*)(\.[0-9]+)?$", "maxLength": 16}
DECIMAL = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?(E[+-]?[0-9]+)?$"}
FORMS = {"currency": {"pattern": "^[A-Z]{3}$"}}
RAW = "What the provider's answer carries beyond its public pages, under its own names; sensitive numbers are masked"


class _Exact(GenerateJsonSchema):
    """Amounts as the API takes and gives them, and no generated titles."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        return dict(DECIMAL) if self.mode == "serialization" else {"anyOf": [AMOUNT, {"type": "number", "minimum": 0}]}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def requests(models: list[type[RequestModel]]) -> dict[str, dict[str, Any]]:
    """Component name -> schema, nested models too. Optional fields are left out by callers, never null."""
    schemas = _generate(models, "validation")
    for name, schema in schemas.items():
        for field, generated in schema.get("properties", {}).items():
            content = {**_without_null(generated), **FORMS.get(field, {})}
            _describe(content, REQUESTS[name][field])
            schema["properties"][field] = content
    for model in models:
        if model.at_least_one_of:
            schemas[model.__name__] |= _one_or_more(model.at_least_one_of, schemas[model.__name__]["properties"])
    return schemas


def label() -> dict[str, dict[str, Any]]:
    """What a caller may write on every order for itself: field -> schema."""
    properties = _generate([LabelFields], "validation")[LabelFields.__name__]["properties"]
    properties["metadata"]["additionalProperties"] = False
    return {name: _without_null(content) for name, content in properties.items()}


def _one_or_more(names: tuple[str, ...], properties: dict[str, Any]) -> dict[str, Any]:
    """That one of the fields is there. In this form makers of types understand it, too: each choice has its field."""
    kept = ({key: value for key, value in properties[name].items() if key == "type"} for name in names)
    choices = [{"properties": {name: content}, "required": [name]} for name, content in zip(names, kept, strict=True)]
    return {"allOf": [{"anyOf": choices}]}


def results(models: list[type[ResultModel]]) -> dict[str, dict[str, Any]]:
    """Component name -> schema, nested models too. Each field names the provider's."""
    schemas = _generate(models, "serialization")
    fields = _provider_fields(models)
    for name, schema in schemas.items():
        for field, content in schema.get("properties", {}).items():
            content.pop("default", None)
            _describe(content, fields[name, field])
    return schemas


def _generate(models: list[Any], mode: Any) -> dict[str, dict[str, Any]]:
    _, definitions = models_json_schema(
        [(model, mode) for model in models], by_alias=False, ref_template=REFERENCE, schema_generator=_Exact
    )
    schemas: dict[str, dict[str, Any]] = definitions["$defs"]
    for schema in schemas.values():
        schema.pop("title", None)
        schema["description"] = " ".join(schema.get("description", "").split())
    return schemas


def _without_null(content: dict[str, Any]) -> dict[str, Any]:
    content.pop("default", None)
    choices = [choice for choice in content.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        return {**{key: value for key, value in content.items() if key != "anyOf"}, **choices[0]}
    return {**content, "anyOf": choices} if choices else content


def _describe(content: dict[str, Any], wire: Wire) -> None:
    provider = f"Provider field: {wire.field}." if wire.field else ""
    content["description"] = f"{wire.meaning}. {provider}".strip() if wire.meaning else provider
    if wire.field:
        content["x-provider-field"] = wire.field


def _provider_fields(models: list[type[ResultModel]]) -> dict[tuple[str, str], Wire]:
    known = {}
    for model in _with_nested(models):
        special = RESULTS.get(model.__name__, {})
        for name, field in model.model_fields.items():
            wire = special.get(name) or Wire(field.alias or name, "")
            known[model.__name__, name] = Wire(None, RAW) if name == "raw" else wire
    return known


def _with_nested(models: list[Any]) -> list[type[BaseModel]]:
    found: list[type[BaseModel]] = []
    waiting = list(models)
    while waiting:
        model = waiting.pop()
        if model in found:
            continue
        found.append(model)
        for field in model.model_fields.values():
            waiting += _models_in(field.annotation)
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]
