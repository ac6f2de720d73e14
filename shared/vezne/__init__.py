"""Vezne's shared layer: everything a payment order needs between the API event and the provider's wire.

Imports point down only: entry -> operation -> inquiries -> idempotency | provider | credentials ->
models | problems | outcome -> signing | money | masking | telemetry | aws | watch -> tls -> startup.
"""

import warnings

from vezne import startup

# requests says so once at its import. There is none in the layer, and no answer's encoding is guessed.
warnings.filterwarnings("ignore", "Unable to find acceptable character detection dependency")
startup.begin()
