"""List the vaults that a collection can go into: KolayBi GET /vaults, where `gateway_id` comes from."""

from vezne import entry
from vezne.inquiries import kolaybi
from vezne.inquiry import Inquiry
from vezne.models.kolaybi_inquiries import VaultsRequest, VaultsResult
from vezne.provider import Deadline


class ListVaults(Inquiry[VaultsRequest]):
    """GET /kolaybi/v1/vaults?currency=&type=."""

    name = "kolaybi.list_vaults"
    path = "/kolaybi/vaults"
    request_model = VaultsRequest
    result_model = VaultsResult

    def ask(self, request: VaultsRequest, deadline: Deadline) -> VaultsResult:
        """No field of the answer is public, so it is passed through."""
        return VaultsResult.model_validate(kolaybi.vaults(request.model_dump(exclude_none=True), deadline))


handler = entry.inquiry_handler(ListVaults())
