"""A headless Chromium, from the distribution's packages chromium and chromium-driver."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.end_to_end.lacking import lacking

PROGRAMS = ("chromium", "chromedriver")


def require_chromium() -> None:
    """Skip the test, or let it fail, if there is no Chromium."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        lacking("BROWSER", f"no {' and no '.join(missing)} here (.ci/run installs them on Debian, as root)")


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A browser with an empty profile that records its console."""
    require_chromium()
    options = ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(str(shutil.which("chromedriver"))))
    try:
        yield driver
    finally:
        driver.quit()


def complaints(driver: Chrome) -> list[str]:
    """The errors and warnings in the console since the last call, with breaches of the policy."""
    entries: list[dict[str, Any]] = driver.get_log("browser")
    return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]
