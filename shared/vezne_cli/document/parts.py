"""Schemas and headers that several parts of the document have."""

from vezne.orders import record

OPERATION_ID = {"type": "string", "pattern": f"^{record.OPERATION_ID}$"}
TIME = {"type": "string", "format": "date-time"}
SETTLED_BY = {
    "enum": [record.ANSWER, record.LOOK_UP, record.OPERATOR, record.RECONCILIATION],
    "description": "How a final outcome was found out: by the answer to the order, by a look-up, by a person's"
    " decision, or by the provider's own list of a day; absent where an earlier version did not note it",
}
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait"}}
REPLAYED = {
    "Idempotent-Replayed": {
        "schema": {"const": "true"},
        "description": "Present if an earlier request with this key was answered with this outcome",
    }
}
