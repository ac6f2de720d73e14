"""Functions with settings that a test chooses."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from vezne_cli.stack import Stack


@contextmanager
def reconfigured(
    stack: Stack, operation: str, environment: Mapping[str, str | None] | None = None, timeout: int | None = None
) -> Iterator[None]:
    """Let the alias run a new version of the function, with other settings. None removes a variable."""
    functions, name = stack.aws("lambda"), stack.functions[operation]
    before = functions.get_function_configuration(FunctionName=name)
    version = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    variables = {**before["Environment"]["Variables"], **(environment or {})}
    functions.update_function_configuration(
        FunctionName=name,
        Timeout=timeout or before["Timeout"],
        Environment={"Variables": {key: value for key, value in variables.items() if value is not None}},
    )
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    other = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=other)
    try:
        yield
    finally:
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        functions.update_function_configuration(
            FunctionName=name, Timeout=before["Timeout"], Environment=before["Environment"]
        )
