"""Tell which subscriber numbers a biller wants: walletgate "Get Product Detail By Product Id"."""

from vezne.api import handle_inquiry
from vezne.inquiry import Inquiry
from vezne.providers.http import Deadline
from vezne.providers.walletgate import client as walletgate
from vezne.providers.walletgate.inquiry_models import ProductRequest, ProductResult


class ProductDetail(Inquiry[ProductRequest, ProductResult]):
    """POST /v1/InvoicePayment/GetProductDetailByProductId."""

    name = "walletgate.product_detail"
    route = "GET /walletgate/products/{product_oid}"

    def ask(self, request: ProductRequest, deadline: Deadline) -> ProductResult:
        """The names of the answer's fields are not public, so the answer is passed through."""
        return ProductResult.model_validate(walletgate.product_detail(request.product_oid, deadline))


handler = handle_inquiry.handler(ProductDetail())
