"""Read what is known of an operation: GET /operations/{operation_id}, for the client it belongs to only."""

from vezne.api import handle_operations

handler = handle_operations.handler()
