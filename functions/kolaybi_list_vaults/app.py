"""List the vaults that a collection can go into: KolayBi GET /vaults, where `gateway_id` comes from."""

from vezne.api import handle_inquiry
from vezne.inquiry import Inquiry
from vezne.providers.http import Deadline
from vezne.providers.kolaybi import client as kolaybi
from vezne.providers.kolaybi.inquiry_models import VaultsRequest, VaultsResult
from vezne.providers.undocumented_fields import masked


class ListVaults(Inquiry[VaultsRequest, VaultsResult]):
    """GET /kolaybi/v1/vaults?currency=&type=."""

    name = "kolaybi.list_vaults"
    route = "GET /kolaybi/vaults"

    def ask(self, request: VaultsRequest, deadline: Deadline) -> VaultsResult:
        """The rows with the fields that are known, and beside them the answer as it came."""
        answer = kolaybi.vaults(request.model_dump(exclude_none=True), deadline)
        return VaultsResult.model_validate({"vaults": kolaybi.rows_if_known(answer), "raw": masked(answer)})


handler = handle_inquiry.handler(ListVaults())
