"""Vezne's shared layer: everything a payment order needs between the API event and the provider's wire.

Imports point down only: entry -> operation -> inquiries -> idempotency | provider | credentials ->
models | problems | outcome -> signing | money | masking | telemetry | aws | startup | watch.
"""

from vezne import startup

startup.begin()
