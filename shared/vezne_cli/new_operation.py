"""`make new-operation`: what a further operation of a known provider needs, as files to fill in.

Names, secret, tag and rights come from the catalogue and from the rows of a function that the provider has already. No
file is overwritten, and nothing is written unless all can be.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from vezne_sandbox.sandbox import PROVIDERS as SANDBOXES

from . import catalogue
from .connection import OperatorError
from .documents import PROVIDERS as PROVIDER_FOLDERS, title
from .processes import ROOT
from .suggestions import did_you_mean
from .template_rows import with_rows

_SKELETON = Path(__file__).with_name("skeleton")
_NAME = re.compile(r"[a-z][a-z0-9]*\.[a-z][a-z0-9]*(_[a-z0-9]+)*")
_ROUTE = re.compile(r"(POST|GET) (/[a-z0-9-]+|/\{[a-z_]+\})+")


class NotMadeError(OperatorError):
    """No operation can be made of what was asked for. Nothing was written."""


@dataclass(frozen=True)
class _New:
    """The new function, and the one of the same kind and provider whose rows and events are copied."""

    function: catalogue.Function
    provider: catalogue.Provider
    model: catalogue.Function

    @property
    def kind(self) -> str:
        """What its skeleton is called."""
        return "order" if self.model.is_order else "inquiry"

    @property
    def verb(self) -> str:
        """The second part of its name."""
        return self.function.name.partition(".")[2]

    @property
    def words(self) -> str:
        """The verb as the classes are called."""
        return catalogue.capitalized(self.verb)

    def filled(self, skeleton: str) -> str:
        """A file of skeleton/ with the names of this function."""
        names = {
            "scope": self.function.name,
            "route": self.function.route,
            "folder": self.function.folder,
            "provider": self.provider.name,
            "provider_class": SANDBOXES[self.provider.name].__name__,
            "title": title(ROOT / PROVIDER_FOLDERS / self.provider.name / "README.md"),
            "summary": self.function.summary,
            "credentials": self.provider.credentials.__name__,
            "verb": self.verb,
            "verb_class": self.words,
            "constant": self.verb.upper(),
            "look_up": next((each.name for each in self.provider.inquiries.values()), ""),
        }
        return Template((_SKELETON / f"{skeleton}.txt").read_text()).substitute(names)


def new_operation(
    name: str, *, inquiry: bool = False, route: str = "", summary: str = "", root: Path = ROOT
) -> list[str]:
    """Write the skeleton of an operation. Returns the files written or changed, from the root.

    Raises NotMadeError if the name is taken, or of another form, or its provider is not known.
    """
    new = _checked(name, inquiry=inquiry, route=route, summary=summary)
    added = {**_code(new), **_events(new, root)}
    standing = [path for path in added if (root / path).exists()]
    if standing:
        raise NotMadeError(f"{standing[0]} is there already. Nothing was written.")
    texts = {**added, **_changed(new, root)}
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return sorted(texts)


def _checked(name: str, *, inquiry: bool, route: str, summary: str) -> _New:
    if not _NAME.fullmatch(name):
        raise NotMadeError("A name is <provider>.<verb> in lower case, words joined by _, like paynet.reverse_capture.")
    if name in catalogue.FUNCTIONS:
        raise NotMadeError(f"{name} is there already: functions/{catalogue.FUNCTIONS[name].folder}.")
    known, _, verb = name.partition(".")
    provider = catalogue.PROVIDERS.get(known)
    if provider is None:
        raise NotMadeError(
            f"There is no provider {known}{did_you_mean(known, catalogue.PROVIDERS)} A new one starts with its folder "
            "in shared/vezne/providers, its sandbox, its secret and its parameters in template.yaml."
        )
    models = provider.inquiries if inquiry else provider.orders
    if not models:
        raise NotMadeError(f"{known} has no {'inquiry' if inquiry else 'order'} yet whose rows could be copied.")
    method = "GET" if inquiry else "POST"
    given = route or f"{method} /{known}/{verb.replace('_', '-')}"
    if not _ROUTE.fullmatch(given) or not given.startswith((f"{method} /{known}/", f"POST /{known}/")):
        raise NotMadeError(f"A route is a method and a path, like {method} /{known}/things/{{thing_id}}.")
    if any(given == each.route for each in catalogue.FUNCTIONS.values()):
        raise NotMadeError(f"{given} is the route of another function.")
    told = summary or verb.replace("_", " ").capitalize()
    function = catalogue.Function(name.replace(".", "_"), name, given, None, told, "")
    return _New(function, provider, next(iter(models.values())))


def _code(new: _New) -> dict[str, str]:
    added = {
        f"functions/{new.function.folder}/app.py": new.filled(f"{new.kind}.app"),
        f"shared/vezne_sandbox/{new.provider.name}/{new.verb}.py": new.filled(f"{new.kind}.sandbox"),
        f"tests/contract/test_{new.function.folder}.py": new.filled("contract"),
    }
    if new.kind == "order":
        added[f"tests/support/operations/{new.function.folder}.py"] = new.filled("example")
    return added


def _events(new: _New, root: Path) -> dict[str, str]:
    """The golden events of the model under the new names, with an empty request."""
    made = {}
    for path in sorted((root / "events").glob(f"{new.model.folder}.*.json")):
        event = json.loads(_renamed(path.read_text(), new))
        if path.name.endswith(".api.json"):
            _asked_for(event, new)
        elif path.name.endswith(".standing_order.json"):
            event["standing_order"]["request"] = {"order_no": "R-1"}
        kind = path.name.removeprefix(new.model.folder)
        made[f"events/{new.function.folder}{kind}"] = json.dumps(event, indent=2, ensure_ascii=False) + "\n"
    return made


def _renamed(text: str, new: _New) -> str:
    pairs = [(new.model.name, new.function.name), (new.model.folder, new.function.folder)]
    pairs.append((new.model.folder.replace("_", "-"), new.function.folder.replace("_", "-")))
    for old, given in pairs:
        text = text.replace(old, given)
    return text


def _asked_for(event: dict[str, Any], new: _New) -> None:
    path = new.function.path
    parameters = dict.fromkeys(re.findall(r"\{(\w+)\}", path), "R-1")
    filled = re.sub(r"\{\w+\}", "R-1", path)
    method, context = new.function.method.upper(), event["requestContext"]
    event |= {"resource": path, "path": filled, "httpMethod": method, "pathParameters": parameters or None}
    context |= {"resourcePath": path, "path": f"/{context['stage']}{filled}", "httpMethod": method}
    rest = {} if "order_no" in parameters else {"order_no": "R-1"}
    if new.function.method == "get":
        event |= {
            "queryStringParameters": rest,
            "multiValueQueryStringParameters": {name: [rest[name]] for name in rest},
        }
    else:
        event["body"] = json.dumps(rest)


def _changed(new: _New, root: Path) -> dict[str, str]:
    """The files that are there already, with what the new function needs in them."""
    models = f"shared/vezne/providers/{new.provider.name}/{'models' if new.kind == 'order' else 'inquiry_models'}.py"
    client, fields = "shared/vezne_client/calls.py", "shared/vezne_cli/document/provider_fields.py"
    return {
        "template.yaml": with_rows((root / "template.yaml").read_text(), new.model, new.function),
        models: _with_imports((root / models).read_text()) + new.filled("models"),
        fields: _with_fields((root / fields).read_text(), new),
        client: _with_call((root / client).read_text(), new),
    }


def _with_imports(source: str) -> str:
    """Models with the import of what the skeleton uses."""
    origin = "from vezne.providers.models import "
    if origin in source:
        return _importing(source, origin, "RequestModel", "RequiredText", "ResultModel")
    # Behind the last of them: ruff, which the make target runs, puts it in its order.
    last = list(re.finditer(r"^from vezne\..*\n", source, re.MULTILINE))[-1].end()
    return f"{source[:last]}{origin}RequestModel, RequiredText, ResultModel\n{source[last:]}"


def _importing(source: str, origin: str, *more: str) -> str:
    """Code whose import from `origin`, in one line or in several, has these names, too."""
    (listed,) = re.findall(rf"^{re.escape(origin)}(\([^)]*\)|.*)\n", source, re.MULTILINE)
    names = sorted({*re.findall(r"\w+", listed), *more})
    written = origin + ", ".join(names)
    if len(written) > 120:
        written = f"{origin}(\n" + "".join(f"    {name},\n" for name in names) + ")"
    return source.replace(origin + listed, written)


def _with_fields(source: str, new: _New) -> str:
    """The document's fields with those of the new request."""
    row = f'    "{new.words}Request": {{"order_no": Wire("order_no", "What it means")}},\n'
    return re.sub(r"(?m)^(REQUESTS: .* = \{\n)", lambda found: found[0] + row, source)


def _with_call(source: str, new: _New) -> str:
    """The client's calls with the new one, behind the last of its kind."""
    kind, module = ("OrderCall", "models") if new.kind == "order" else ("InquiryCall", "inquiry_models")
    words = new.words
    path = new.function.path
    in_body = ", in_body=True" if new.kind == "inquiry" and new.function.method == "post" else ""
    call = f'{new.verb.upper()} = {kind}("{new.function.name}", "{path}", {words}Request, {words}Result{in_body})\n'
    if len(call) > 121:
        call = call.replace("(", "(\n    ", 1).replace(")\n", "\n)\n")
    last = re.findall(rf"^[A-Z_]+ = {kind}\((?:.*|\n(?:    .*\n)+)\)\n", source, re.MULTILINE)[-1]
    origin = f"from vezne.providers.{new.provider.name}.{module} import "
    exported = re.sub(r"(__all__ = \[\n)", rf'\1    "{new.verb.upper()}",\n', source)
    return _importing(exported.replace(last, last + call), origin, f"{words}Request", f"{words}Result")
