"""MiniStack as the local stack starts it: `python -m tests.stack.emulator`.

AWS tells the policies which items of a table a call touches (the condition key `dynamodb:LeadingKeys`). MiniStack
1.5.33 does not, and a `ForAllValues` condition about a key that is absent holds, so every fence around a function's own
records would stand open. Here they are told, and the deployed roles refuse on this machine, too.
"""

import json
from typing import Any

from ministack import app
from ministack.core import iam_actions

# The partition key of our table, the only one whose policies ask for it.
PARTITION_KEY = "id"

_context_without_keys = iam_actions.dynamodb_service_context


def leading_keys(request: dict[str, Any]) -> list[str]:
    """The partition key of each item that a parsed DynamoDB request names, all items of a transaction included.

    Nothing for the calls that name no item of the table: a query of the index, and what no function may do at all.
    """
    parts = [part for item in request.get("TransactItems") or [] for part in item.values()] or [request]
    keys = [part.get("Key") or part.get("Item") or {} for part in parts]
    return [key[PARTITION_KEY]["S"] for key in keys if PARTITION_KEY in key]


def _context(body: bytes) -> dict[str, Any]:
    context: dict[str, Any] = _context_without_keys(body)
    keys = leading_keys(json.loads(body or b"{}"))
    return {**context, "dynamodb:LeadingKeys": keys} if keys else context


def main() -> None:
    """Start MiniStack, which takes its settings from the environment."""
    iam_actions.dynamodb_service_context = _context
    app.main()


if __name__ == "__main__":
    main()
