"""AWS clients, from botocore. boto3 adds resources and an S3 transfer manager, which no function needs.

All clients come from one session, so that settings, credentials and endpoints are read once.
"""

import functools
import ssl
from pathlib import Path
from typing import Any

import botocore
import botocore.args
from botocore.config import Config
from botocore.endpoint import Endpoint, EndpointCreator
from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader
from botocore.session import Session

from vezne.platform import tls

# What every function may call, and what reconciliations call besides.
SERVICES_OF_ALL = ("dynamodb", "secretsmanager")
SERVICES = (*SERVICES_OF_ALL, "s3")


# In us-east-1, botocore calls an S3 of no region unless it is told otherwise.
REGIONAL = Config(s3={"us_east_1_regional_endpoint": "regional"})


class _Loader(Loader):
    """Loads the descriptions of our services without searching the folders of the other four hundred."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002
        """Return the services that have a description of this kind: all of ours."""
        return list(SERVICES)

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """Load as botocore does, but not the old list of all endpoints: reading it takes 5 % of a cold start.

        The address of a service comes from its own rules. botocore uses the old list only to find the partition of a
        region. The list of partitions says that, too, and is far shorter.
        """
        if name != "endpoints":
            return super().load_data_with_path(name)
        partitions, path = super().load_data_with_path("partitions")
        return {"version": 3, "partitions": [_without_services(one) for one in partitions["partitions"]]}, path


def _without_services(partition: dict[str, Any]) -> dict[str, Any]:
    """A partition of `partitions.json` in the form of `endpoints.json`, with the settings of every service."""
    suffix = {"dnsSuffix": partition["outputs"]["dnsSuffix"]}
    defaults = {"hostname": "{service}.{region}.{dnsSuffix}", "protocols": ["https"], "signatureVersions": ["v4"]}
    regions = {"regionRegex": partition["regionRegex"], "regions": partition["regions"]}
    return {"partition": partition["id"], "defaults": defaults, "services": {}, **suffix, **regions}


class _HttpSession(URLLib3Session):
    """botocore's HTTP with the TLS context of this process, which has read the certificate authorities already."""

    # An older botocore does not ask for the context below and reads a bundle. The botocore of the layer asks for it.
    _shares_context = False

    def _get_ssl_context(self) -> ssl.SSLContext:
        self._shares_context = True
        return tls.context()

    def _setup_ssl_cert(self, conn: Any, url: str, verify: bool | str) -> None:
        super()._setup_ssl_cert(conn, url, verify)  # type: ignore[misc]
        # A bundle that AWS_CA_BUNDLE names is still read.
        if self._shares_context and not isinstance(verify, str):
            conn.cert_reqs, conn.ca_certs = "CERT_REQUIRED", None


class _EndpointCreator(EndpointCreator):
    """Makes the connections of the clients with the class above. botocore has no setting for it."""

    def create_endpoint(self, *arguments: Any, **named: Any) -> Endpoint:
        made: Endpoint = super().create_endpoint(*arguments, **{**named, "http_session_cls": _HttpSession})
        return made


botocore.args.EndpointCreator = _EndpointCreator  # type: ignore[misc]


def client(service: str, *, connect_seconds: float, read_seconds: float) -> Any:
    """A client of one of SERVICES, which tries twice. It is safe to share between threads."""
    config = Config(
        connect_timeout=connect_seconds,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": 2},
        # Only this package builds requests, and AWS checks them. To check each member here as well, and to describe
        # this machine, takes a quarter of a call's processor time.
        parameter_validation=False,
        user_agent=f"vezne botocore/{botocore.__version__}",
    )
    return _session().create_client(service, config=config)


def read_descriptions() -> None:
    """Read from disk what the clients are made from. It holds no credentials and is the same in every copy."""
    loader = _loader()
    loader.load_data("partitions")
    for service in SERVICES_OF_ALL:
        loader.load_service_model(service, "service-2")
        loader.load_service_model(service, "endpoint-rule-set-1")


@functools.cache
def _session() -> Session:
    session = Session()
    session.register_component("data_loader", _loader())
    session.set_default_client_config(REGIONAL)
    return session


@functools.cache
def _loader() -> Loader:
    # botocore looks for the calls of a service in our folder first. The endpoint rules are botocore's own.
    return _Loader(extra_search_paths=[str(Path(__file__).with_name("descriptions"))])
