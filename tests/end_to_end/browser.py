"""A headless Chromium, installed from the distribution's packages where that can be done."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

PROGRAMS = ("chromium", "chromedriver")


def require_chromium() -> None:
    """Install Chromium if this is a container of root's with apt; else skip, and say what is missing."""
    if all(map(shutil.which, PROGRAMS)):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-q"], ["install", "-q", "-y", "chromium", "chromium-driver"]):
            subprocess.run(["apt-get", *arguments], env=environment, capture_output=True, check=False, timeout=280)
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        pytest.skip(f"no {' and no '.join(missing)} here, and none could be installed with apt")


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A browser with an empty profile that writes down its console."""
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
    """What the console has of errors and warnings since the last look, a breach of the policy among them."""
    entries: list[dict[str, Any]] = driver.get_log("browser")
    return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]
