"""The public pages: what is served, how it may be cached, what a browser lets them do, and nothing else."""

import hashlib
import json
from html.parser import HTMLParser
from typing import Any

import pytest
from vezne_cli.catalogue import load
from vezne_cli.document.document import DOCUMENT
from vezne_cli.document.refusals import PROBLEMS
from vezne_cli.processes import ROOT

REFERENCE = load(ROOT / "functions" / "reference" / "app.py")
SLUGS = list(json.loads(PROBLEMS.read_text()))
# swagger-ui-dist 5.35.0 (Apache-2.0), unchanged.
VIEWER = {
    "swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
    "swagger-ui.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
}


def get(resource: str, headers: dict[str, str] | None = None, **parameters: str) -> dict[str, Any]:
    event = {"resource": resource, "pathParameters": parameters or None, "headers": headers}
    answer: dict[str, Any] = REFERENCE.handler(event, None)
    return answer


class Links(HTMLParser):
    """Addresses a page loads or links to, and the text of its inline scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.addresses += [value for name in ("src", "href") if (value := found.get(name))]
        self.inline += [name for name in found if name == "style" or name.startswith("on")]
        if tag in ("script", "style") and "src" not in found:
            self.inline.append(tag)


def every_page() -> list[dict[str, Any]]:
    return [get("/reference"), get("/problems"), *(get("/problems/{slug}", slug=slug) for slug in SLUGS)]


def test_the_document_is_the_checked_in_one() -> None:
    answer = get("/openapi.json")
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["body"] == DOCUMENT.read_text()


def test_every_page_keeps_to_a_strict_policy_and_loads_nothing_from_elsewhere() -> None:
    for answer in every_page():
        assert answer["statusCode"] == 200
        policy = answer["headers"]["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert answer["headers"]["X-Content-Type-Options"] == "nosniff"
        links = Links(answer["body"])
        assert links.inline == []
        assert links.addresses
        for address in links.addresses:
            assert address == "data:," or (":" not in address and not address.startswith("/")), address


def test_the_page_loads_only_what_is_served() -> None:
    files = [it.removeprefix("reference/") for it in Links(get("/reference")["body"]).addresses if "reference/" in it]
    assert sorted(files) == sorted(REFERENCE.FILES)
    for file in files:
        answer = get("/reference/{file}", file=file)
        assert answer["statusCode"] == 200
        assert len(answer["body"]) > 100


@pytest.mark.parametrize("file", VIEWER)
def test_the_viewer_is_the_published_one_with_its_licence(file: str) -> None:
    viewer = ROOT / "functions" / "reference" / "viewer"
    assert hashlib.sha256((viewer / file).read_bytes()).hexdigest() == VIEWER[file]
    assert "Apache License" in (viewer / "LICENSE").read_text()


def test_what_has_not_changed_is_not_sent_again() -> None:
    first = get("/reference")
    assert first["headers"]["Cache-Control"] == "public, max-age=300"
    again = get("/reference", headers={"If-None-Match": first["headers"]["ETag"]})
    assert (again["statusCode"], again["body"]) == (304, "")
    other = get("/problems", headers={"if-none-match": first["headers"]["ETag"]})
    assert other["statusCode"] == 200


@pytest.mark.parametrize("slug", SLUGS)
def test_a_problem_has_a_short_page(slug: str) -> None:
    told = json.loads(PROBLEMS.read_text())[slug]
    page = get("/problems/{slug}", slug=slug)["body"]
    assert "What happened to the money" in page
    assert "What to do" in page
    for word in (*told["money"], *told["retry"]):
        assert REFERENCE.WORDS[word] in page
    assert f'href="problems/{slug}"' in get("/problems")["body"]


@pytest.mark.parametrize(
    ("resource", "parameters"),
    [
        ("/problems/{slug}", {"slug": "<script>"}),
        ("/reference/{file}", {"file": "app.py"}),
        ("/reference/{file}", {"file": "../app.py"}),
        ("/reference/{file}", {"file": "problems.json"}),
        ("/", {}),
    ],
)
def test_nothing_else_is_served(resource: str, parameters: dict[str, str]) -> None:
    answer = get(resource, **parameters)
    assert answer["statusCode"] == 404
    assert "<script>" not in answer["body"]
