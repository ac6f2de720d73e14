"""Vezne's shared layer: everything a payment order needs between the API event and the provider's wire.

Imports point down only: functions -> api -> orders -> operation, inquiry -> providers -> platform. What an order is
called and kept as (orders.record, orders.outcome, orders.evidence) stands below the providers, which speak of it.
"""

import warnings

from vezne.platform import startup

# requests says so once at its import. There is none in the layer, and no answer's encoding is guessed.
warnings.filterwarnings("ignore", "Unable to find acceptable character detection dependency")
startup.begin()
