"""List the vaults that a collection can go into: KolayBi GET /vaults, where `gateway_id` comes from."""

from vezne import inquiry
from vezne.inquiries import kolaybi
from vezne.models.kolaybi_inquiries import VaultsRequest, VaultsResult
from vezne.provider import Deadline


class ListVaults(inquiry.Inquiry[VaultsRequest]):
    """GET /kolaybi/v1/vaults?currency=&type=."""

    name = "kolaybi.list_vaults"
    path = "/kolaybi/vaults"
    request_model = VaultsRequest
    result_model = VaultsResult

    def ask(self, request: VaultsRequest, deadline: Deadline) -> VaultsResult:
        """No field of the answer is public, so it is passed through."""
        return VaultsResult.model_validate(kolaybi.vaults(request.model_dump(exclude_none=True), deadline))


handler = inquiry.handler(ListVaults())
