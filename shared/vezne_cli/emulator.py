"""MiniStack as the local stack starts it: `python -m vezne_cli.emulator`.

AWS does five things with our template and tools that MiniStack 1.5.33 does not do. They are done here, so that they are
tested on this machine, too:

- AWS tells the policies which items of a table a call touches, and which attributes (the condition keys
  `dynamodb:LeadingKeys`, `dynamodb:Attributes`, `dynamodb:ReturnValues`). A `ForAllValues` condition about a key that
  is absent holds, so every fence around a function's own records would stand open.
- A pipe applies its filters and its input template. Else the outbox would tell everybody everything.
- A topic hands its messages over to a Firehose stream that subscribes, by the filter. (MiniStack then writes each as an
  object of its own: it has no buffer, no compression and no delimiter.)
- An app client may have two secrets, both of which get tokens (AddUserPoolClientSecret, ListUserPoolClientSecrets,
  DeleteUserPoolClientSecret). So a secret is rotated without a moment at which none works.
- A custom domain may have any name. MiniStack never takes a name without a dot for one, `localhost` included.
"""

import base64
import json
import re
from typing import Any

from ministack import app
from ministack.core import iam_actions
from ministack.services import apigateway_v1, eventbridge, firehose, pipes, sns
from ministack.services.cloudformation import provisioners

from vezne_cli import emulated_secrets

# The partition key of our table, the only one whose policies ask for it.
PARTITION_KEY = "id"
# A name in an expression: not a value (":v"), and not a part of a path ("a.b").
_WORD = re.compile(r"(?<![\w.:#])#?[A-Za-z_]\w*")
_NO_ATTRIBUTES = {
    "SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN", "ATTRIBUTE_EXISTS", "ATTRIBUTE_NOT_EXISTS",
    "ATTRIBUTE_TYPE", "BEGINS_WITH", "CONTAINS", "SIZE", "IF_NOT_EXISTS", "LIST_APPEND",
}  # fmt: skip

_context_without_keys = iam_actions.dynamodb_service_context
_pipe_handlers = provisioners._RESOURCE_HANDLERS["AWS::Pipes::Pipe"]
_create_whole_pipe = _pipe_handlers["create"]
_publish_whole = pipes._publish_record_to_sns
_fan_out_whole = sns._fanout
# The properties of each pipe in its template.
_properties: dict[str, Any] = {}
_answer_decoded = app._handle_execute_api_request
_dotted_domain = app._resolve_custom_domain_request


def leading_keys(request: dict[str, Any]) -> list[str]:
    """The partition key of each item that a parsed DynamoDB request names, all items of a transaction included.

    Empty for calls that name no item: a query of the index, and calls that no function may make.
    """
    keys = [part.get("Key") or part.get("Item") or {} for part in _parts(request)]
    return [key[PARTITION_KEY]["S"] for key in keys if PARTITION_KEY in key]


def attributes(request: dict[str, Any]) -> list[str]:
    """The attributes of the first level that a parsed DynamoDB request names, those of its conditions included."""
    found: set[str] = set()
    for part in _parts(request):
        found |= (part.get("Key") or {}).keys() | (part.get("Item") or {}).keys()
        other_names = part.get("ExpressionAttributeNames") or {}
        for name, expression in part.items():
            if name.endswith("Expression"):
                words = [word for word in _WORD.findall(expression) if word.upper() not in _NO_ATTRIBUTES]
                found |= {other_names.get(word, word) for word in words}
    return sorted(found)


def _parts(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for item in request.get("TransactItems") or [] for part in item.values()] or [request]


def _context(body: bytes) -> dict[str, Any]:
    context: dict[str, Any] = _context_without_keys(body)
    request = json.loads(body or b"{}")
    keys, named = leading_keys(request), attributes(request)
    context |= {"dynamodb:LeadingKeys": keys} if keys else {}
    context |= {"dynamodb:Attributes": named} if named else {}
    return {**context, "dynamodb:ReturnValues": request.get("ReturnValues", "NONE")}


def piped(properties: dict[str, Any], record: dict[str, Any]) -> dict[str, Any] | None:
    """What a pipe with these properties makes of a record of its source; None if its filters keep it back.

    In the input template, an unquoted path stands for its value as JSON, quotes included.
    """
    filters = properties["SourceParameters"]["FilterCriteria"]["Filters"]
    seen = eventbridge._EventView(record, None)
    if not any(eventbridge._matches_pattern_view(one["Pattern"], seen) for one in filters):
        return None

    def value(path: re.Match[str]) -> str:
        found: Any = record
        for part in path[1].split("."):
            found = found[part]
        return json.dumps(found)

    template = properties["TargetParameters"]["InputTemplate"]
    message: dict[str, Any] = json.loads(re.sub(r"<\$\.([\w.]+)>", value, template))
    return message


def _create_pipe(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
    name, attributes = _create_whole_pipe(logical_id, properties, stack_name)
    _properties[name] = properties
    return name, attributes


def _publish(topic: str, pipe: dict[str, Any], record: dict[str, Any]) -> None:
    message = piped(_properties[pipe["Name"]], record)
    if message is not None:
        _publish_whole(topic, pipe, message)


def _fan_out(topic: str, message_id: str, message: str, *other: Any, **more: Any) -> None:
    _fan_out_whole(topic, message_id, message, *other, **more)
    for one in sns._topic_by_arn_any_scope(topic)["subscriptions"]:
        if one["protocol"] == "firehose" and sns._matches_filter_policy(one, {}, message):
            data = base64.b64encode(message.encode()).decode()
            stream = one["endpoint"].rpartition("/")[2]
            firehose._put_record({"DeliveryStreamName": stream, "Record": {"Data": data}})


async def _answer_encoded(
    host: str, path: str, *request: Any, raw_path: str | None = None, raw_query_string: str | None = None
) -> Any:
    """A request of an API, all of which are REST APIs here."""
    return await _answer_decoded(host, raw_path or path, *request, raw_path=raw_path, raw_query_string=raw_query_string)


def _custom_domain(host: str, path: str) -> Any:
    """API, stage and rest of the path behind a custom domain of an API; None for every other address."""
    name = host.partition(":")[0].lower()
    return apigateway_v1.resolve_base_path_mapping(name, path) if name == "localhost" else _dotted_domain(host, path)


def main() -> None:
    """Start MiniStack, which takes its settings from the environment."""
    iam_actions.dynamodb_service_context = _context
    _pipe_handlers["create"] = _create_pipe
    pipes._publish_record_to_sns = _publish
    sns._fanout = _fan_out
    app._handle_execute_api_request = _answer_encoded
    app._resolve_custom_domain_request = _custom_domain
    emulated_secrets.install()
    app.main()


if __name__ == "__main__":
    main()
