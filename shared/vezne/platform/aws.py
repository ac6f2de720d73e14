"""AWS clients, from botocore: boto3 puts resources and an S3 transfer manager on top, which no function needs.

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

SERVICES = ("dynamodb", "secretsmanager")


class _Loader(Loader):
    """Loads the descriptions of our two services without searching the folders of the other four hundred."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002
        """Of each kind of description, botocore asks which services have one."""
        return list(SERVICES)

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """As botocore's, but for the old list of every service's endpoints: reading it is a twentieth of a cold start.

        The address of a service comes from its own rules; here botocore only looks up which partition a region belongs
        to. The far shorter list of partitions says that, too.
        """
        if name != "endpoints":
            return super().load_data_with_path(name)
        partitions, path = super().load_data_with_path("partitions")
        return {"version": 3, "partitions": [_without_services(one) for one in partitions["partitions"]]}, path


def _without_services(partition: dict[str, Any]) -> dict[str, Any]:
    """A partition of `partitions.json` in the form of `endpoints.json`, with what holds for every service."""
    suffix = {"dnsSuffix": partition["outputs"]["dnsSuffix"]}
    defaults = {"hostname": "{service}.{region}.{dnsSuffix}", "protocols": ["https"], "signatureVersions": ["v4"]}
    regions = {"regionRegex": partition["regionRegex"], "regions": partition["regions"]}
    return {"partition": partition["id"], "defaults": defaults, "services": {}, **suffix, **regions}


class _HttpSession(URLLib3Session):
    """botocore's HTTP with the context of this process, which knows the authorities already."""

    # A botocore that does not ask for the context below goes on reading a bundle. (The layer brings the one that does.)
    _shares_context = False

    def _get_ssl_context(self) -> ssl.SSLContext:
        self._shares_context = True
        return tls.context()

    def _setup_ssl_cert(self, conn: Any, url: str, verify: bool | str) -> None:
        super()._setup_ssl_cert(conn, url, verify)  # type: ignore[misc]
        # A bundle that somebody names (AWS_CA_BUNDLE) is read as ever.
        if self._shares_context and not isinstance(verify, str):
            conn.cert_reqs, conn.ca_certs = "CERT_REQUIRED", None


class _EndpointCreator(EndpointCreator):
    """Makes the clients' connections from the class above; botocore has no setting for it."""

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
        # Requests are built by this package alone, and AWS checks them too: checking each member here as well, and
        # putting together a description of this machine for each call, takes a quarter of the call's processor time.
        parameter_validation=False,
        user_agent=f"vezne botocore/{botocore.__version__}",
    )
    return _session().create_client(service, config=config)


def read_descriptions() -> None:
    """Read from disk what making the clients needs. It is the same for everybody and holds no credentials."""
    loader = _loader()
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
    # Before its own folder, botocore looks into ours for a service's calls; its endpoint rules stay botocore's.
    return _Loader(extra_search_paths=[str(Path(__file__).with_name("descriptions"))])
