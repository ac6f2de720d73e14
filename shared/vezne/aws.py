"""AWS clients, from botocore: boto3 puts resources and an S3 transfer manager on top, which no function needs.

All clients come from one session, so that settings, credentials and endpoints are read once.
"""

import functools
from typing import Any

import botocore
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

SERVICES = ("dynamodb", "secretsmanager")


class _Loader(Loader):
    """Loads the descriptions of our two services without searching the folders of the other four hundred."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002
        """Of each kind of description, botocore asks which services have one."""
        return list(SERVICES)


def client(service: str, *, connect_seconds: float, read_seconds: float) -> Any:
    """A client of one of SERVICES, which tries twice. It is safe to share between threads."""
    config = Config(
        connect_timeout=connect_seconds,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": 2},
        # Requests are built by this package alone, and AWS checks them too: checking each member here as well, and
        # putting together a description of this machine for each call, takes a quarter of the call's processor time.
        parameter_validation=False,
        user_agent=f"vezne botocore/{botocore.__version__}",
    )
    return _session().create_client(service, config=config)


def read_descriptions() -> None:
    """Read from disk what making the clients needs. It is the same for everybody and holds no credentials."""
    loader = _loader()
    loader.load_data_with_path("endpoints")
    loader.load_data("partitions")
    for service in SERVICES:
        loader.load_service_model(service, "service-2")
        loader.load_service_model(service, "endpoint-rule-set-1")


@functools.cache
def _session() -> Session:
    session = Session()
    session.register_component("data_loader", _loader())
    return session


@functools.cache
def _loader() -> Loader:
    return _Loader()
