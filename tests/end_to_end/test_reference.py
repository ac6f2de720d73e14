"""The public pages through the API, and the reference in a real browser: read, tried, on a small screen."""

import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from vezne_cli.document.document import DOCUMENT
from vezne_cli.document.refusals import PROBLEMS
from vezne_cli.stack import Stack

from tests.end_to_end.browser import chromium, complaints

# Operation -> its heading in the reference.
TAGS = {
    it["operationId"]: it["tags"][0]
    for methods in json.loads(DOCUMENT.read_text())["paths"].values()
    for it in methods.values()
}
NAMES = set(TAGS)
WAIT_SECONDS = 60


def test_the_document_is_served_as_it_is_checked_in(stack: Stack) -> None:
    answer = stack.request("GET", "/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.content.decode() == DOCUMENT.read_text()
    again = stack.request("GET", "/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/reference", "/problems", "/problems/declined", "/reference/swagger-ui-bundle.js"])
def test_a_public_page_needs_no_token_and_is_cached(stack: Stack, path: str) -> None:
    answer = stack.request("GET", path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("slug", json.loads(PROBLEMS.read_text()))
def test_the_type_of_a_problem_leads_to_its_page(stack: Stack, slug: str) -> None:
    answer = stack.request("GET", f"/problems/{slug}")
    assert answer.status_code == 200
    assert "What happened to the money" in answer.text


# Who refuses the request, and where -> the problem, and the request.
REFUSED: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "an order": ("invalid-request", "POST", "/paynet/captures", {"key": "k", "body": {}}),
    "a provider": ("declined", "POST", "/paynet/captures", {"key": "declined", "body": {"reference_no": "declined"}}),
    "an inquiry": ("invalid-request", "GET", "/paynet/transactions?xact=1", {}),
    "an inquiry in a body": ("unsupported-media-type", "POST", "/walletgate/bill-inquiries", {}),
    "the status read": ("operation-not-found", "GET", "/operations/nonsense", {}),
    "the gateway, by its token": ("unauthorized", "POST", "/paynet/captures", {"token": None, "body": {}}),
    "the gateway, by its path": ("route-not-found", "POST", "/paynet/captures/refunds/all", {"body": {}}),
}


@pytest.mark.parametrize("refused_by", REFUSED)
def test_the_type_of_a_real_problem_leads_from_its_url_to_its_page(stack: Stack, token: str, refused_by: str) -> None:
    slug, method, path, request = REFUSED[refused_by]
    stack.sandbox.rule("paynet.capture", "refuse")
    refused = stack.request(method, path, **{"token": token, **request})
    assert refused.headers["content-type"] == "application/problem+json", refused.text
    page = stack.http.get(urljoin(str(refused.url), refused.json()["type"]))
    assert page.status_code == 200
    assert f"<code>{slug}</code>" in page.text


# ------------------------------------------------------------------ in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with chromium() as driver:
        yield driver


@pytest.fixture
def reference(browser: Chrome, stack: Stack) -> Chrome:
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    complaints(browser)
    browser.get(f"{stack.api_url}/reference")
    wait(browser, lambda driver: len(driver.find_elements(By.CSS_SELECTOR, ".opblock")) == len(NAMES))
    return browser


def wait(driver: Chrome, condition: object) -> None:
    WebDriverWait(driver, WAIT_SECONDS).until(condition)  # type: ignore[arg-type]


def appearing(driver: Chrome, selector: str) -> WebElement:
    """Wait until the viewer has drawn the element."""
    wait(driver, lambda driver: driver.find_elements(By.CSS_SELECTOR, selector))
    return driver.find_element(By.CSS_SELECTOR, selector)


def click(driver: Chrome, selector: str) -> None:
    element = appearing(driver, selector)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    driver.execute_script("arguments[0].click()", element)


def test_every_operation_is_shown_and_can_be_opened(reference: Chrome) -> None:
    shown = {it.text.strip() for it in reference.find_elements(By.CSS_SELECTOR, ".opblock-summary-operation-id")}
    assert shown == NAMES
    open_every_operation(reference)
    assert complaints(reference) == []


def open_every_operation(driver: Chrome) -> None:
    # One after the other: how long all of them take grows with what there is.
    for name in NAMES:
        click(driver, by(name))
        appearing(driver, f"{opblock(name)}.is-open .responses-wrapper")


def opblock(name: str) -> str:
    """The viewer's block of an operation."""
    return f".opblock:has(a[href='#/{TAGS[name]}/{name}'])"


def by(name: str) -> str:
    """The clickable heading of an operation."""
    return f"{opblock(name)} .opblock-summary-control"


def test_an_order_can_be_sent_with_a_token_typed_in(reference: Chrome, stack: Stack, token: str) -> None:
    reference_no = uuid.uuid4().hex
    click(reference, ".btn.authorize")
    appearing(reference, ".auth-container input").send_keys(token)
    click(reference, ".auth-btn-wrapper .authorize")
    click(reference, ".auth-btn-wrapper .btn-done")
    head = opblock("paynet.capture")
    click(reference, by("paynet.capture"))
    key = appearing(reference, f"{head} .parameters input[type=text]")
    body = appearing(reference, f"{head} textarea.body-param__text")
    for element, text in ((key, reference_no), (body, json.dumps({"reference_no": reference_no, "amount": "1.00"}))):
        element.send_keys(Keys.CONTROL, "a")
        element.send_keys(text)
    click(reference, f"{head} .execute")
    appearing(reference, f"{head} .live-responses-table .response-col_status")
    wait(reference, lambda driver: "200" in driver.find_element(By.CSS_SELECTOR, f"{head} .live-responses-table").text)
    (booking,) = stack.sandbox.bookings("paynet", reference_no)
    assert booking["amount"] == "1.00"
    assert complaints(reference) == []


def test_it_can_be_read_at_400_pixels(reference: Chrome) -> None:
    metrics = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    reference.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    open_every_operation(reference)
    assert reference.execute_script("return window.innerWidth") == 400
    assert reference.execute_script("return document.documentElement.scrollWidth") <= 400
    wide = reference.execute_script(
        "return [...document.querySelectorAll('.opblock-summary-path, .opblock-summary-operation-id, .parameter__name,"
        " .renderedMarkdown p, .info .title')].filter(it => it.getBoundingClientRect().right > 401)"
        ".map(it => it.className + ': ' + it.textContent)"
    )
    assert wide == []
    assert complaints(reference) == []


def test_a_problem_page_in_the_browser(browser: Chrome, stack: Stack) -> None:
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    complaints(browser)
    browser.get(f"{stack.api_url}/problems/gateway-timeout")
    assert "not known yet whether the money moved" in browser.find_element(By.TAG_NAME, "main").text
    click(browser, "a[href='../problems']")
    problems = len(json.loads(PROBLEMS.read_text()))
    wait(browser, lambda driver: len(driver.find_elements(By.CSS_SELECTOR, "li")) == problems)
    assert [it for it in complaints(browser) if "favicon" not in it] == []
