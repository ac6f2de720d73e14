"""Vezne's shared layer: everything a payment order needs between the API event and the provider's wire.

Imports point down only: entry -> operation -> inquiries -> idempotency | provider | credentials ->
models | problems | outcome -> signing | money | masking | telemetry | aws | watch -> tls -> startup.
"""

import os
import warnings

from vezne import startup

# requests says so once at its import. There is none in the layer, and no answer's encoding is guessed.
warnings.filterwarnings("ignore", "Unable to find acceptable character detection dependency")
# No other package has a say in how orders are validated, and pydantic need not look through all of them for one.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
startup.begin()
