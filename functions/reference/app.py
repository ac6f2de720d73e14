"""The reference page with its viewer, the OpenAPI document, and a page about each problem: public, and cached.

It imports nothing of the layer, and reads only the files in its folder.
"""

import functools
import hashlib
import html
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# The files under /reference/ with their content types. swagger-ui-dist is in the bundle, not on another host.
FILES = {
    "swagger-ui-bundle.js": ("viewer/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": ("viewer/swagger-ui.css", "text/css; charset=utf-8"),
    "reference.js": ("reference.js", "text/javascript; charset=utf-8"),
    "reference.css": ("reference.css", "text/css; charset=utf-8"),
}
PAGE = "text/html; charset=utf-8"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "public, max-age=300",
}
WORDS = {
    "not_moved": "The money did not move.",
    "moved": "The money moved.",
    "unknown": "It is not known yet whether the money moved.",
    "same_key": "Send the same request again with the same key.",
    "new_key": "A further attempt is a new order with a new key.",
    "never": "Do not send it again as it is.",
}


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer a GET of one of the public routes."""
    parameters = event.get("pathParameters") or {}
    match event["resource"]:
        case "/reference":
            return _answer(event, _file("reference.html"), PAGE)
        case "/reference/{file}" if parameters.get("file") in FILES:
            name, kind = FILES[parameters["file"]]
            return _answer(event, _file(name), kind)
        case "/openapi.json":
            return _answer(event, _file("openapi.json"), "application/json")
        case "/problems":
            return _answer(event, _problem_list(), PAGE)
        case "/problems/{slug}" if parameters.get("slug") in _problems():
            return _answer(event, _problem_page(parameters["slug"]), PAGE)
    return _answer(event, _page("No such page", "<p>There is no page of that name.</p>", ".."), PAGE, 404)


def _answer(event: dict[str, Any], body: str, kind: str, status: int = 200) -> dict[str, Any]:
    """An answer that may be cached; 304 if the client already has it."""
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    headers = {**HEADERS, "Content-Type": kind, "ETag": tag}
    sent = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if status == 200 and tag in sent.get("if-none-match", ""):
        return {"statusCode": 304, "headers": headers, "body": ""}
    return {"statusCode": status, "headers": headers, "body": body}


@functools.cache
def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


@functools.cache
def _problems() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(_file("problems.json"))
    return found


def _problem_list() -> str:
    rows = "".join(
        f'<li><a href="problems/{slug}">{slug}</a> ({problem["status"]}): {html.escape(problem["title"])}</li>'
        for slug, problem in _problems().items()
    )
    return _page("Problems", f"<ul>{rows}</ul>", ".")


def _problem_page(slug: str) -> str:
    problem = _problems()[slug]
    money = " Or: ".join(WORDS[word] for word in problem["money"])
    retry = " Or: ".join(WORDS[word] for word in problem["retry"])
    body = (
        f"<p>HTTP {problem['status']}, <code>{slug}</code></p>"
        f"<h2>What happened to the money</h2><p><strong>{money}</strong> {html.escape(problem['happened'])}</p>"
        f"<h2>What to do</h2><p><strong>{retry}</strong> {html.escape(problem['do'])}</p>"
    )
    return _page(problem["title"], body, "..")


def _page(title: str, body: str, root: str) -> str:
    """A page. `root` is the relative path to the start of the API, which may be a stage."""
    name = html.escape(title)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{name} · Vezne</title><link rel="stylesheet" href="{root}/reference/reference.css"></head>'
        f'<body class="page"><main><h1>{name}</h1>{body}'
        f'<p><a href="{root}/reference">Reference</a> · <a href="{root}/problems">All problems</a></p>'
        "</main></body></html>"
    )
