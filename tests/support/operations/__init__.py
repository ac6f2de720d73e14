"""One module per operation, named as its folder in functions/, each with one EXAMPLE. No other list of them is kept."""

from importlib import import_module
from pathlib import Path

from tests.support.example import Example

EXAMPLES: tuple[Example, ...] = tuple(
    import_module(f"{__name__}.{path.stem}").EXAMPLE for path in sorted(Path(__file__).parent.glob("[a-z]*.py"))
)
# Those whose look-up can prove something.
PROVABLE = tuple(example for example in EXAMPLES if not example.never_proved)
OPERATIONS = tuple(example.operation for example in EXAMPLES)


def of(operation: str) -> Example:
    """The example of an operation."""
    (found,) = [example for example in EXAMPLES if example.operation == operation]
    return found
