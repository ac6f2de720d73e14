"""List the vaults that a collection can go into: KolayBi GET /vaults, where `gateway_id` comes from."""

from vezne.api import handle_inquiry
from vezne.inquiry import Inquiry
from vezne.providers.http import Deadline
from vezne.providers.kolaybi import client as kolaybi
from vezne.providers.kolaybi.inquiry_models import VaultsRequest, VaultsResult


class ListVaults(Inquiry[VaultsRequest, VaultsResult]):
    """GET /kolaybi/v1/vaults?currency=&type=."""

    name = "kolaybi.list_vaults"
    route = "GET /kolaybi/vaults"

    def ask(self, request: VaultsRequest, deadline: Deadline) -> VaultsResult:
        """No field of the answer is public, so it is passed through."""
        return VaultsResult.model_validate(kolaybi.vaults(request.model_dump(exclude_none=True), deadline))


handler = handle_inquiry.handler(ListVaults())
