"""The rules of functions/ that import-linter cannot see, because each function is a lone app.py and no package."""

import ast
import sys
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
# The reference serves the files beside it, and nothing of the layer.
REFERENCE = ROOT / "functions" / "reference"
FUNCTIONS = sorted(
    path
    for path in (ROOT / "functions").iterdir()
    if path.is_dir() and path not in (REFERENCE, ROOT / "functions" / "__pycache__")
)


def imported(tree: ast.Module) -> set[str]:
    """The top-level names of everything a module imports, inside functions too."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("folder", FUNCTIONS, ids=lambda folder: folder.name)
def test_a_function_is_one_short_file(folder: Path) -> None:
    files = [path.name for path in folder.iterdir() if path.name != "__pycache__"]
    assert files == ["app.py"]
    assert len((folder / "app.py").read_text().splitlines()) <= 120


@pytest.mark.parametrize("folder", FUNCTIONS, ids=lambda folder: folder.name)
def test_a_function_imports_the_layer_and_nothing_else(folder: Path) -> None:
    names = imported(ast.parse((folder / "app.py").read_text()))
    assert "vezne" in names
    assert names - {"vezne"} <= sys.stdlib_module_names


def test_the_reference_imports_the_standard_library_only() -> None:
    assert imported(ast.parse((REFERENCE / "app.py").read_text())) <= sys.stdlib_module_names


def test_every_function_is_deployed_under_the_route_it_declares() -> None:
    resources = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]
    deployed = {
        it["Properties"]["CodeUri"].split("/")[1]: it["Properties"]
        for it in resources.values()
        if it["Type"] == "AWS::Serverless::Function" and it["Properties"]["CodeUri"] != "functions/reference/"
    }
    assert deployed.keys() == {folder.name for folder in FUNCTIONS}
    for name, properties in deployed.items():
        declared = {
            target.id: node.value.value
            for node in ast.walk(ast.parse((ROOT / "functions" / name / "app.py").read_text()))
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        if name == "get_operation":
            continue
        assert declared["name"] == properties["Description"]
        (route,) = [it["Properties"] for it in properties["Events"].values() if it["Type"] == "Api"]
        assert declared["path"] == route["Path"]
        reads = "handle_inquiry.handler(" in (ROOT / "functions" / name / "app.py").read_text()
        assert route["Method"] == ("get" if reads and not declared.get("in_body") else "post")
