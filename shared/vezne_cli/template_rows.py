"""The rows of template.yaml that a function needs, copied from those of another function of the same provider.

The template is text here: its comments, its anchors and its flow style must stay. So a row is copied as a person would
copy it, and the names in it are replaced.
"""

import json
import re

from vezne.orders.record import operation_tag

from .catalogue import Function

_WIDTH = 120


def with_rows(template: str, model: Function, new: Function) -> str:
    """The template with the rows of a new function, each after that of the model.

    Raises ValueError if the template has rows of the new function already, or lacks one of the model's.
    """
    if re.search(rf"\b{new.logical_name}\b", template):
        raise ValueError(f"template.yaml has {new.logical_name} already")
    scope = _block(template, rf"        - \{{ScopeName: {re.escape(model.name)}, .*\n")
    told = json.dumps(new.summary, ensure_ascii=False) if re.search(r"[^\w '.-]", new.summary) else new.summary
    described = _after(template, scope, f"        - {{ScopeName: {new.name}, ScopeDescription: {told}}}\n")
    row = _block(described, rf"    {model.logical_name}: \{{(?:.*\n      )*?.*\}}\n(?= {{2,4}}\S)")
    mapped = _after(described, row, _renamed(row, model, new).replace(_tag(model), _tag(new)))
    aliased = _moved(mapped, model, new)
    function = _block(aliased, rf"  {model.logical_name}: \{{Type: AWS::Serverless::Function,.*\n(?:    .*\n)+\n")
    written = _after(aliased, function, _filled(_renamed(_referring(function), model, new)))
    return _listed(written, model, new)


def _moved(template: str, model: Function, new: Function) -> str:
    """The deployment role may move the new function's alias: two ARNs in a text, which is split at its blanks."""
    before, after = (f"${{{each.logical_name}.Arn}} ${{{each.logical_name}.Arn}}:live" for each in (model, new))
    line = _block(template, rf".*{re.escape(before)}.*\n")
    longer = line.replace(before, f"{before} {after}")
    if len(longer) > _WIDTH + 1:
        longer = line.replace(before, f"{before}\n{' ' * 9}{after}")
    return template.replace(line, longer, 1)


def _block(template: str, pattern: str) -> str:
    found = re.findall(pattern, template)
    if len(found) != 1:
        raise ValueError(f"template.yaml has {len(found)} places like {pattern!r}, not one")
    return str(found[0])


def _after(template: str, block: str, added: str) -> str:
    return template.replace(block, block + added, 1)


def _tag(function: Function) -> str:
    return f"op_{operation_tag(function.name)}*"


def _path(function: Function) -> str:
    """Its path as the template writes it: `{` starts a mapping in YAML, so a path with a parameter is quoted."""
    return f'"{function.path}"' if "{" in function.path else function.path


def _referring(block: str) -> str:
    """A block that means again (`*name`) what it would say a second time (`&name ...`)."""
    while said := re.search(r"&([\w-]+)\s+", block):
        depth = 0
        for mark in re.finditer(r"\"[^\"]*\"|[\[\]{},]", block[said.end() :]):
            if depth == 0 and mark[0] in "]},":
                block = f"{block[: said.start()]}*{said[1]}{block[said.end() + mark.start() :]}"
                break
            depth += (mark[0] in "[{") - (mark[0] in "]}")
    return block


def _filled(block: str) -> str:
    """A function whose properties go on in the same line as far as there is room."""
    lines: list[str] = []
    for line in block.splitlines():
        goes_on = line.startswith(" " * 5) or re.fullmatch(r"    \w+: \*[\w-]+,", line)
        if goes_on and lines and len(lines[-1]) + len(line.lstrip()) < _WIDTH:
            lines[-1] += f" {line.lstrip()}"
        else:
            lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def _renamed(block: str, model: Function, new: Function) -> str:
    named = block.replace(f"Path: {_path(model)}", f"Path: {_path(new)}").replace(
        f"Method: {model.method}", f"Method: {new.method}"
    )
    for old, given in (
        (model.logical_name, new.logical_name),
        (model.name, new.name),
        (model.folder, new.folder),
    ):
        named = re.sub(rf"(?<![\w.]){re.escape(old)}(?=Role|Logs|Errors|New|\b)", given, named)
    return "".join(_wrapped(line) for line in named.splitlines(keepends=True))


def _listed(template: str, model: Function, new: Function) -> str:
    """The lists with the new function behind the model: what clients may do, and the loops."""
    entries = [
        (rf"vezne/{re.escape(model.name)}(?=,)", f"vezne/{new.name}"),
        (rf"(?<=[\[ ]){model.logical_name}(?=[,\]])", new.logical_name),
    ]
    lines = template.splitlines(keepends=True)
    for pattern, entry in entries:
        lines = [
            _wrapped(re.sub(pattern, rf"\g<0>, {entry}", line)) if re.search(pattern, line) else line for line in lines
        ]
    return "".join(lines)


def _wrapped(line: str) -> str:
    """A line in flow style that has become too long, as two. It is broken where it is nested least."""
    depths: list[tuple[int, int]] = []
    open_at: list[int] = []
    for place, letter in enumerate(line[:_WIDTH]):
        if letter in "[{":
            open_at.append(place)
        elif letter in "]}" and open_at:
            open_at.pop()
        elif line.startswith(", ", place):
            depths.append((-len(open_at), place + 1))
    if len(line) <= _WIDTH + 1 or not depths:
        return line
    _, at = max(depths)
    start = len(line) - len(line.lstrip(" "))
    # Inside a bracket that starts the line, what follows is written under its first entry; else a step to the right.
    listed = re.match(r"- (?:&[\w-]+ )?\[", line[start:])
    deeper = line[start] in "[{" or listed
    indent = start + (listed.end() if listed else 1 if deeper else 0)
    if not deeper and line[start:].split(" ", 1)[0].endswith(":"):
        indent = start + 2
    return f"{line[:at]}\n{' ' * indent}{line[at + 1 :]}"
