"""The clients find the same addresses as botocore's own, although they read less."""

import json
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.loaders import JSONFileLoader
from botocore.session import Session
from vezne.platform import aws

from tests.performance import descriptions

PARTITIONS = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text())["partitions"]
REGIONS = [region for partition in PARTITIONS for region in partition["regions"] if "global" not in region]
# botocore takes seconds to read its own description of S3, so S3 is tried in one region of each partition, and in the
# one that it treats in another way.
S3_REGIONS = {"us-east-1", *(next(iter(partition["regions"])) for partition in PARTITIONS)}

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "dynamodb": ("get_item", {"TableName": "records", "Key": {"id": {"S": "op_a"}}}),
    "secretsmanager": ("get_secret_value", {"SecretId": "paynet"}),
    "s3": ("get_object", {"Bucket": "archive", "Key": "reconciliations/paynet/2026-11-26.csv"}),
}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def where(client: Any, operation: str, arguments: dict[str, Any]) -> tuple[str, ...]:
    """Where a call of this client goes, and for what it is signed."""
    sent: list[Any] = []

    def stop(request: Any, **_arguments: Any) -> Any:
        sent.append(request)
        raise StopIteration

    client.meta.events.register("before-send", stop)
    with pytest.raises(StopIteration):
        getattr(client, operation)(**arguments)
    (request,) = sent
    scope = request.headers["Authorization"].decode().split("Credential=testing/")[1].split(",")[0].split("/", 1)[1]
    return request.method, request.url, scope, request.headers.get("X-Amz-Target"), request.body


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_is_called_as_botocore_calls_it(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", region)
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    plain, session = Session(), aws._session.__wrapped__()
    plain.set_default_client_config(aws.REGIONAL)
    calls = {name: call for name, call in CALLS.items() if name != "s3" or region in S3_REGIONS}
    for service, (operation, arguments) in calls.items():
        ours = where(session.create_client(service), operation, arguments)
        assert ours == where(plain.create_client(service), operation, arguments)
        assert f".{service}.{region}."[service != "s3" :] in ours[1]


def test_the_list_of_all_endpoints_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[str] = set()
    load = JSONFileLoader.load_file

    def noted(loader: JSONFileLoader, path: str) -> Any:
        content = load(loader, path)
        read.update([] if content is None else [Path(path).name])
        return content

    monkeypatch.setattr(JSONFileLoader, "load_file", noted)
    monkeypatch.setattr(aws, "_loader", aws._Loader)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    aws._session.__wrapped__().create_client("dynamodb")
    assert "partitions" in read
    assert "endpoints" not in read


@pytest.mark.parametrize("file", descriptions.described(), ids=lambda file: file.parts[-3])
def test_the_descriptions_are_botocores_own(file: Path) -> None:
    """After a newer botocore: `python -m tests.performance.descriptions`."""
    assert file.read_text() == descriptions.described()[file]


@pytest.mark.parametrize("service", aws.SERVICES)
def test_a_client_knows_the_calls_that_are_made_and_no_other(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    client = aws._session.__wrapped__().create_client(service)
    (calls,) = [calls for (name, _), calls in descriptions.CALLS.items() if name == service]
    assert set(client.meta.service_model.operation_names) == set(calls)
