"""The cancelling of a whole pre-authorisation (page "Ön Otorizasyon İptal").

Assumptions, since the page does not say:
- the pre-authorisation is found by its own ``xact_id``. The answer names no transaction;
- one that is cancelled already, or captured in part and not given back, is refused with ``code`` 1, ``is_succeed``
  false and the Paynet error fields;
- after it nothing is left to capture.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vezne_sandbox.paynet import capture
from vezne_sandbox.paynet.pre_authorisations import PRE_AUTHORISATION_REVERSAL_TYPE
from vezne_sandbox.paynet.reverse_capture import CANCELLED_ALREADY
from vezne_sandbox.wire import Call, Reply, json_reply

if TYPE_CHECKING:
    from vezne_sandbox.paynet import Paynet
    from vezne_sandbox.provider import ReplyFields

CAPTURED = {"paynet_error_id": "1", "paynet_error_message": "Ön provizyon finansallaştırılmış"}


class Reversal(capture.Capture):
    """The cancelling of a pre-authorisation. Its row has the fields of a capture's, its answer has three."""

    transaction_type = PRE_AUTHORISATION_REVERSAL_TYPE

    def obstacle(self) -> Reply | None:
        if self._target.reversal is not None:
            return self._failed(CANCELLED_ALREADY)
        return self._failed(CAPTURED) if self._target.remaining() < self._target.amount else None

    def record(self) -> None:
        super().record()
        self._target.reversal = self.booking

    def answer(self, fields: ReplyFields) -> Reply:
        return json_reply(
            {"object_name": "transaction_preauth_reversed_request", "code": 0, "message": "Başarılı İşlem"}
        )


def reverse_preauthorisation(provider: Paynet, call: Call) -> Reversal:
    """Find the pre-authorisation that is to be cancelled."""
    fields = provider.authorized_fields(call, frozenset({"xact_id"}))
    return Reversal(provider, call, fields, provider.pre_authorisation(fields))


REVERSE_PREAUTHORISATION = replace(
    capture.CAPTURE,
    name="paynet.reverse_preauthorisation",
    path="/v1/transaction/preauth_reversal",
    handle=reverse_preauthorisation,
    faults=frozenset({"odd_refusal"}),
    paid_once=True,
)
