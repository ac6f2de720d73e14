"""The peer: paynet.capture, written as the documentation of Powertools for AWS Lambda shows.

Event handler with validation, `@idempotent` on DynamoDB, parameters, parser, tracer, logger and metrics. It is measured
beside Vezne. tests/faults shows what it does to an order whose answer is lost.
"""

import os
from decimal import Decimal
from typing import Annotated, Any

import requests
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.exceptions import BadRequestError
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.parser import BaseModel, parse
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field

logger = Logger()
tracer = Tracer()
metrics = Metrics()
app = APIGatewayRestResolver(enable_validation=True)
session = requests.Session()
persistence = DynamoDBPersistenceLayer(table_name=os.environ["TABLE_NAME"])
config = IdempotencyConfig(
    event_key_jmespath='headers."Idempotency-Key"', payload_validation_jmespath="body", raise_on_no_idempotency_key=True
)


class CaptureRequest(BaseModel):
    xact_id: str
    amount: Annotated[Decimal, Field(gt=0, decimal_places=2)] | None = None


class CaptureResult(BaseModel):
    xact_id: str | None = None
    xact_date: str | None = None
    transaction_type: int | None = None
    pos_type: int | None = None
    is_tds: bool | None = None
    agent_id: str | None = None
    user_id: str | None = None
    email: str | None = None
    phone: str | None = None
    bank_id: str | None = None
    instalment: int | None = None
    ratio: Decimal | None = None
    card_no_masked: str | None = None
    card_holder: str | None = None
    amount: Decimal | None = None
    net_amount: Decimal | None = None
    comission: Decimal | None = None
    comission_tax: Decimal | None = None
    currency: str | None = None
    authorization_code: str | None = None
    reference_code: str | None = None
    order_id: str | None = None
    is_succeed: bool
    paynet_error_id: str | None = None
    paynet_error_message: str | None = None
    bank_error_id: str | None = None
    bank_error_message: str | None = None
    bank_error_short_desc: str | None = None
    bank_error_long_desc: str | None = None
    code: int | None = None
    message: str | None = None


@app.post("/paynet/captures")
@tracer.capture_method(capture_response=False)
def capture(request: CaptureRequest) -> CaptureResult:
    secret = parameters.get_secret(os.environ["SECRET_ID"], max_age=300, transform="json")
    body = {"xact_id": request.xact_id}
    if request.amount is not None:
        body["amount"] = str(int(request.amount * 100))
    response = session.post(
        f"{os.environ['PAYNET_URL']}/v1/transaction/capture",
        json=body,
        headers={"Authorization": f"Basic {secret['secret_key']}"},
        timeout=(3, 20),
    )
    response.raise_for_status()
    result = parse(event=response.json(), model=CaptureResult)
    if not result.is_succeed:
        raise BadRequestError(result.message or "declined")
    metrics.add_metric(name="OrderSucceeded", unit=MetricUnit.Count, value=1)
    logger.info("captured", extra={"xact_id": result.xact_id})
    return result


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@idempotent(config=config, persistence_store=persistence)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
