"""The archive: the bucket in which reports of reconciliations are kept."""

import functools
import os
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from vezne.orders.store import StoreUnavailableError
from vezne.platform import aws


class S3Archive:
    """The bucket that ARCHIVE_BUCKET names. Raises StoreUnavailableError if it does not answer, or refuses."""

    def put(self, name: str, body: bytes | IO[bytes]) -> None:
        """Keep an object, in the place of an earlier one of the name."""
        self._call("put_object", Key=name, Body=body)

    def get(self, name: str) -> bytes:
        """An object."""
        found: bytes = self._call("get_object", Key=name)["Body"].read()
        return found

    def _call(self, method: str, **request: Any) -> Any:
        try:
            return getattr(_client(), method)(Bucket=os.environ["ARCHIVE_BUCKET"], **request)
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailableError(f"archive: {type(error).__name__}") from None


@functools.cache
def _client() -> Any:
    return aws.client("s3", connect_seconds=2, read_seconds=20)
