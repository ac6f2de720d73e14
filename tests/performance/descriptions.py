"""The parts of botocore's service descriptions that the functions need: `python -m tests.performance.descriptions`.

botocore describes each service in full, with its documentation. To read that of DynamoDB and to make its methods takes
a twentieth of a cold start. This program keeps the calls that a function makes, with all that they
refer to.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore

BUILT_IN = Path(botocore.__file__).parent / "data"
KEPT = Path(__file__).parents[2] / "shared" / "vezne" / "platform" / "descriptions"
# Service -> its version, and the calls that the functions make.
CALLS = {
    ("dynamodb", "2012-08-10"): ("DeleteItem", "GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem"),
    ("secretsmanager", "2017-10-17"): ("GetSecretValue", "PutSecretValue"),
    ("s3", "2006-03-01"): ("GetObject", "PutObject"),
}


def described() -> dict[Path, str]:
    """The files that must exist, with their contents."""
    return {
        KEPT / service / version / "service-2.json": json.dumps(_cut(service, version, calls), indent=1) + "\n"
        for (service, version), calls in CALLS.items()
    }


def _cut(service: str, version: str, calls: tuple[str, ...]) -> dict[str, Any]:
    whole = json.loads(gzip.decompress((BUILT_IN / service / version / "service-2.json.gz").read_bytes()))
    operations = {name: whole["operations"][name] for name in calls}
    shapes: dict[str, Any] = {}
    wanted = list(_shapes_in(operations))
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = whole["shapes"][name]
            wanted += _shapes_in(shapes[name])
    kept = {"operations": operations, "shapes": dict(sorted(shapes.items()))}
    cut: dict[str, Any] = _undocumented({**whole, **kept})
    # botocore reads this text of a client's own settings, and only this one.
    for setting in cut.get("clientContextParams", {}).values():
        setting["documentation"] = ""
    return cut


def _shapes_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _shapes_in(inner)


def _undocumented(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            name: _undocumented(value)
            for name, value in part.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [_undocumented(inner) for inner in part] if isinstance(part, list) else part


def main() -> None:
    """Write the files."""
    for file, content in described().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


if __name__ == "__main__":
    main()
