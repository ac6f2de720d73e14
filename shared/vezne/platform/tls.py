"""The one TLS context of a process: the certificate authorities are read once, for the providers and for AWS.

requests and botocore would each read them again for every new connection, at 13 ms of processor time.
"""

import ssl

from certifi import where
from urllib3.util.ssl_ import create_urllib3_context

from vezne.platform import startup


def _read_authorities() -> ssl.SSLContext:
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(where())
    return context


# It trusts the same authorities as requests and botocore, and verifies host names.
context = startup.meanwhile(_read_authorities)
