"""template.yaml as it is written, and with its loops expanded, as CloudFormation does it before anything else.

`vezne template` writes the expanded one to a file, for tools that do not know the loops. Without it, checkov would see
only a third of the resources.
"""

import json
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from .processes import ROOT

SERVERLESS = "AWS::Serverless-2016-10-31"

Template = dict[str, Any]


def source(folder: Path = ROOT) -> Template:
    """The template of a folder as it is written: the project's, or what `sam build` has made of it."""
    template: Template = yaml_parse((folder / "template.yaml").read_text())
    return template


def expanded(template: Template) -> Template:
    """The template without its loops; what is left is for SAM. Raises ValueError for a wrong loop.

    It shares no part with the one given, and no part of it is shared by two places.
    """
    # Only here, and not at the start of every tool that reads the template: it loads much of MiniStack.
    from ministack.services.cloudformation.language_extensions import apply

    plain = json.loads(json.dumps(template, default=str))
    # The loops run over lists that are written out, so no parameter decides about them.
    made: Template = {**apply(plain, {}), "Transform": SERVERLESS}
    return made


def write_expanded(file: Path) -> None:
    """Write the project's template without its loops, as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(expanded(source()), indent=1))
