"""Read what is known of an operation: GET /operations/{operation_id}, for the client it belongs to only."""

from vezne import reading

handler = reading.handler()
