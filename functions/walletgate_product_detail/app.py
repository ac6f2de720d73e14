"""Tell which subscriber numbers a biller wants: walletgate "Get Product Detail By Product Id"."""

from vezne import inquiry
from vezne.inquiries import walletgate
from vezne.models.walletgate_inquiries import ProductRequest, ProductResult
from vezne.provider import Deadline


class ProductDetail(inquiry.Inquiry[ProductRequest]):
    """POST /v1/InvoicePayment/GetProductDetailByProductId."""

    name = "walletgate.product_detail"
    path = "/walletgate/products/{product_oid}"
    request_model = ProductRequest
    result_model = ProductResult

    def ask(self, request: ProductRequest, deadline: Deadline) -> ProductResult:
        """The names of the answer's fields are not public, so it is passed through."""
        return ProductResult.model_validate(walletgate.product_detail(request.product_oid, deadline))


handler = inquiry.handler(ProductDetail())
