"""Where an operator's tool works: on the running local stack, or on a deployed one by its name."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
from vezne.platform.masking import mask_text

from .processes import STACK_FILE
from .suggestions import did_you_mean

# What the local stack is called, and where it says it is.
STACK_NAME = "vezne"
REGION = "eu-central-1"
# The stack's output that holds the archive bucket's name.
ARCHIVE_OUTPUT = "ArchiveBucket"


class OperatorError(Exception):
    """What the operator asked for cannot be done. The text says why, and holds nothing secret."""


def aws_environment(endpoint_url: str) -> dict[str, str]:
    """What an AWS client needs to speak to the emulator and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def connect(stack: str) -> dict[str, str]:
    """The outputs of the deployed stack, or of the local one if no name is given.

    From now on boto3 speaks to where it is, and the store to its table. What is written
    from here is kept for as long as the stack's functions keep it. Raises OperatorError.
    """
    if not stack:
        os.environ.update(aws_environment(local_stack()["aws_endpoint_url"]))
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
    name = stack or STACK_NAME
    try:
        stacks = boto3.client("cloudformation")
        deployed = stacks.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            raise OperatorError(_no_stack(name, stacks)) from None
        raise OperatorError(f"The stack {name} cannot be read: {error}") from None
    except NoRegionError:
        raise OperatorError(
            f"No region is set to look for the stack {name} in: set AWS_DEFAULT_REGION or AWS_PROFILE."
        ) from None
    except BotoCoreError as error:
        raise OperatorError(f"The stack {name} cannot be read: {error}") from None
    parameters = {it["ParameterKey"]: it["ParameterValue"] for it in deployed.get("Parameters", [])}
    # A stack of an earlier template has no such parameter.
    if "KeptDays" in parameters:
        os.environ["KEPT_DAYS"] = parameters["KeptDays"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in deployed.get("Outputs", [])}
    if "TableName" not in outputs:
        raise OperatorError(f"The stack {name} is not one of this bundle, or its deployment has not ended.")
    os.environ["TABLE_NAME"] = outputs["TableName"]
    return outputs


def _no_stack(name: str, stacks: Any) -> str:
    """That there is no such stack, and those there are, if one may ask for them."""
    where = f"in {stacks.meta.region_name} with these AWS rights (--stack, VEZNE_STACK; make: STACK=)"
    try:
        known = [
            stack["StackName"]
            for page in stacks.get_paginator("describe_stacks").paginate()
            for stack in page["Stacks"]
        ]
    except (BotoCoreError, ClientError):
        known = []
    return f"There is no stack {mask_text(name)} {where}{did_you_mean(name, known)}"


def aws_time(answer: Mapping[str, Any]) -> datetime:
    """AWS's own time in an answer that boto3 gave; this machine's clock may be wrong. Raises OperatorError."""
    told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return parsedate_to_datetime(told)
    except ValueError:
        raise OperatorError("AWS's answer does not tell the time, so nothing can be decided by it.") from None


def local_stack() -> dict[str, Any]:
    """What `vezne serve` says of itself. Raises OperatorError."""
    try:
        described: dict[str, Any] = json.loads(STACK_FILE.read_text())
    except FileNotFoundError:
        raise OperatorError(
            "No local stack is running: `vezne serve` starts one. A deployed one is named by --stack (make: STACK=)."
        ) from None
    return described
