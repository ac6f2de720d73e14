"""The emulator's Cognito in this process. boto3 checks each request and reads each answer as usual."""

import asyncio
import json
from email.utils import formatdate
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber
from vezne_cli import emulated_secrets


def cognito() -> Any:
    """A boto3 client of this Cognito."""
    client = boto3.client(
        "cognito-idp", region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    # It replaces moto's own, whose Cognito needs a package that we do not have.
    client.meta.events.unregister("before-send", botocore_stubber)
    client.meta.events.register("before-send", _answer)
    return client


def _answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    action = request.headers["X-Amz-Target"]
    action = (action.decode() if isinstance(action, bytes) else action).rpartition(".")[2]
    status, headers, body = asyncio.run(emulated_secrets.dispatch(action, json.loads(request.body or b"{}")))
    return AWSResponse(request.url, status, {**headers, "date": formatdate(usegmt=True)}, MockRawResponse(body))
