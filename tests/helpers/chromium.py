"""Debian's chromium, without a screen and without what it would ask of the net."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1000,700"),
    # Pages of its address bar, which nobody sees, loaded into each window.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
)

needs_browser = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="needs Debian's chromium and chromium-driver"
)


def browser(profile: Path) -> webdriver.Chrome:
    """Start a browser with a profile of its own; the caller's to quit. Its console is in the log "browser"."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.set_capability("unhandledPromptBehavior", "ignore")
    started = webdriver.Chrome(options, Service(str(DRIVER)))
    started.set_page_load_timeout(30)
    return started
