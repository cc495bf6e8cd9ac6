"""Saving in a real browser, which says by itself where each request comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from chromium import browser, needs_browser
from origin import Origin
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from web_archive import Serving, Site

pytestmark = [pytest.mark.long, needs_browser]

PAGE = b"<!doctype html><title>A bridge opens</title><article><p>The town has waited for it since spring.</p></article>"
HTML = [("Content-Type", "text/html")]


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    started = browser(tmp_path / "profile")
    try:
        yield started
    finally:
        started.quit()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "archive").mkdir()
    environ = {"NEWSKEEP_ALLOW_PRIVATE": "1", "NEWSKEEP_OPERATOR": "tests@example.org"}
    with Serving(tmp_path / "archive", **environ) as running:
        yield running


def test_by_the_box_and_by_the_bookmarklet_but_not_by_another_site(driver: webdriver.Chrome, site: Site) -> None:
    wait = WebDriverWait(driver, 120)
    with Origin() as origin:
        origin.reply("/page", PAGE, headers=HTML)
        form = (
            f'<form action="{site.app}/save" method="post"><button name="urls" value="{origin.url("/no")}">Win</button>'
        )
        origin.reply("/enemy", form.encode(), headers=HTML)
        driver.get(site.app)
        driver.find_element(By.ID, "save-now").send_keys(origin.url("/page"))
        driver.find_element(By.CSS_SELECTOR, ".save-now button").click()
        wait.until(lambda driver: driver.find_elements(By.LINK_TEXT, "A bridge opens"))

        driver.get(f"{site.app}/save")
        bookmarklet = str(driver.find_element(By.CLASS_NAME, "bookmarklet").get_attribute("href"))
        driver.get(origin.url("/page"))
        # As a browser runs one: escapes undone.
        driver.execute_script(unquote(bookmarklet.removeprefix("javascript:")))
        wait.until(lambda driver: driver.current_url.startswith(f"{site.app}/save?url="))
        assert driver.find_element(By.ID, "urls").get_attribute("value") == origin.url("/page")

        driver.get(origin.url("/enemy"))
        driver.find_element(By.TAG_NAME, "button").click()
        wait.until(lambda driver: "a page of another site asked for this" in driver.page_source)
        assert origin.logged("/no") == []
