"""The rules of functions/ that import-linter cannot see, because each function is a lone app.py and no package."""

import ast
import re
import sys
from pathlib import Path

import pytest
from vezne_cli.catalogue import FUNCTIONS, ROUTES, read_function
from vezne_cli.template import expanded, source

ROOT = Path(__file__).parents[2]
# The reference serves the files beside it, and nothing of the layer.
REFERENCE = ROOT / "functions" / "reference"
FOLDERS = [ROOT / "functions" / function.folder for function in ROUTES.values()]


def imported(tree: ast.Module) -> set[str]:
    """The top-level names of everything a module imports, inside functions too."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_function_is_one_short_file(folder: Path) -> None:
    files = [path.name for path in folder.iterdir() if path.name != "__pycache__"]
    assert files == ["app.py"]
    assert len((folder / "app.py").read_text().splitlines()) <= 120


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_function_imports_the_layer_and_nothing_else(folder: Path) -> None:
    names = imported(ast.parse((folder / "app.py").read_text()))
    assert "vezne" in names
    assert names - {"vezne"} <= sys.stdlib_module_names


def test_the_reference_imports_the_standard_library_only() -> None:
    assert imported(ast.parse((REFERENCE / "app.py").read_text())) <= sys.stdlib_module_names


def test_every_function_is_deployed_under_the_route_it_declares() -> None:
    deployed = {
        it["Properties"]["CodeUri"].split("/")[1]: it["Properties"]
        for it in expanded(source())["Resources"].values()
        if it["Type"] == "AWS::Serverless::Function"
    }
    assert deployed.keys() == {function.folder for function in FUNCTIONS.values()}
    for function in ROUTES.values():
        properties = deployed[function.folder]
        assert properties["Description"] == function.name
        (route,) = [
            it["Properties"]
            for it in properties["Events"].values()
            if it["Type"] == "Api"
            and it["Properties"]["Path"] != "/operations"
            and not it["Properties"]["Path"].startswith(("/health", "/reconciliations"))
        ]
        assert f"{route['Method'].upper()} {route['Path']}" == function.route
        assert route["Auth"]["AuthorizationScopes"] == [function.scope]


def test_an_inquiry_is_got_and_an_order_is_posted() -> None:
    for function in ROUTES.values():
        assert function.method in (("post",) if function.is_order else ("get", "post"))
        assert re.fullmatch(r"(GET|POST) /[a-z0-9/{}_-]+", function.route)


def test_a_function_declares_one_operation_under_the_name_of_its_folder(tmp_path: Path) -> None:
    app = tmp_path / "paynet_other" / "app.py"
    app.parent.mkdir()
    app.write_text((ROOT / "functions" / "paynet_check" / "app.py").read_text())
    with pytest.raises(ValueError, match=r"declares paynet\.check: folder and name must be the same words"):
        read_function(app)
    app.write_text('"""Nothing."""\n')
    with pytest.raises(ValueError, match="one Operation or one Inquiry, not 0"):
        read_function(app)
