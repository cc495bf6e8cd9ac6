"""A replayed page in a real browser: its pictures, styles and script are there, and nothing leaves for its origin."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from chromium import browser, needs_browser
from origin import Origin
from replay_page import ENEMY, Replaying, Shown
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import frame_to_be_available_and_switch_to_it
from selenium.webdriver.support.wait import WebDriverWait
from web_archive import answer, write

from storage import open_archive

pytest_plugins = ["replay_page"]

pytestmark = [pytest.mark.long, needs_browser]
ENEMY_URL = "http://enemy.example/page"
#: Goes on to the enemy's page while it still loads: its picture never comes.
LEAVING_URL = "http://enemy.example/leaving"
LEAVING = "<!doctype html><title>Leaving</title><script>location.replace('{to}')</script><p>Away</p><img src=/none>"
ENEMY_TIME = datetime(2026, 3, 1, 6, 0, tzinfo=UTC) + timedelta(hours=5)
_STAMP = f"{ENEMY_TIME:%Y%m%d%H%M%S}"


@dataclass(frozen=True, slots=True)
class Replay:
    """A browser before a running replay; `listener` is where the page came from, and where the enemy wants to."""

    browser: webdriver.Chrome
    address: str
    app: str
    listener: Origin

    def script(self, text: str) -> object:
        return self.browser.execute_script(f"return {text}")

    def enter(self) -> None:
        """Wait for the frame below the banner, and look into it."""
        self.browser.switch_to.default_content()
        WebDriverWait(self.browser, 120).until(frame_to_be_available_and_switch_to_it((By.ID, "archived")))


@pytest.fixture(scope="module")
def replay(shown: Shown, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    folder = tmp_path_factory.mktemp("browser")
    # Whoever asks the origin again is seen.
    with Origin(port=shown.origin.port) as listener:
        serving = Replaying(shown.folder)
        with serving as site:
            page = ENEMY.replace("{to}", listener.url("").rstrip("/")).replace("{app}", site.app)
            enemy = [
                (ENEMY_URL, ENEMY_TIME, answer(page.replace("{stamp}", _STAMP).encode())),
                (LEAVING_URL, ENEMY_TIME, answer(LEAVING.replace("{to}", ENEMY_URL).encode())),
            ]
            with open_archive(str(shown.folder)) as archive:
                archive.deliver(write(folder / "made", 7, enemy))
            driver = browser(folder / "profile")
            try:
                yield Replay(driver, serving.replay, site.app, listener)
            finally:
                driver.quit()


def test_page_shows_with_pictures_styles_and_script(replay: Replay, shown: Shown) -> None:
    # A tab of its own: it is led under the banner.
    replay.browser.get(f"{replay.address}/web/2999/{shown.url}")
    assert replay.browser.current_url.startswith(f"{replay.app}/replay/2")
    replay.enter()
    WebDriverWait(replay.browser, 120).until(lambda browser: browser.find_elements(By.CSS_SELECTOR, "h1"))
    assert replay.browser.find_element(By.CSS_SELECTOR, "h1").text == "The bridge is open"
    widths = replay.script("[...document.images].map(image => [image.id, image.naturalWidth])")
    assert widths == [["plain", 16], ["sharp", 16], ["whole", 16]]
    style = "getComputedStyle(document.querySelector('h1'))"
    assert replay.script(f"{style}.color") == "rgb(1, 2, 3)"
    # From the style that the style imports.
    assert replay.script(f"{style}.textDecorationLine") == "underline"
    WebDriverWait(replay.browser, 120).until(lambda _: "/css/town.woff2" in str(replay.script(_LOADED)))
    loaded = replay.script(_LOADED)
    assert isinstance(loaded, list)
    assert {"/pictures/back.png", "/css/town.woff2", "/css/more.css"} <= {
        name.partition(shown.origin.netloc)[2] for name, status in loaded if status == 200
    }
    assert all(name.startswith(replay.address) for name, _ in loaded if not name.startswith("data:"))
    assert replay.browser.find_element(By.ID, "made").text == "made by a script of /page"
    assert replay.browser.get_cookies() == []
    if picture := os.environ.get("NEWSKEEP_TEST_SCREENSHOT"):
        replay.browser.save_screenshot(picture)
    assert replay.listener.log == []


_LOADED = "performance.getEntriesByType('resource').map(each => [each.name, each.responseStatus])"


@pytest.mark.parametrize("modifier", ["", "id_"], ids=["rewritten", "as it was"])
def test_hostile_page_reaches_nothing(replay: Replay, modifier: str) -> None:
    replay.browser.get(f"{replay.address}/web/{_STAMP}{modifier}/{ENEMY_URL}")
    if not modifier:
        replay.enter()
    WebDriverWait(replay.browser, 120).until(lambda _: replay.script("document.title") == "done")
    told = json.loads(replay.browser.find_element(By.ID, "told").text)
    assert (told["app"], told["service"]) == ("refused" if modifier else 404, "refused")
    assert replay.listener.log == []


def test_banner_says_what_is_below_and_when_that_is_another_page(replay: Replay, shown: Shown) -> None:
    replay.browser.get(f"{replay.app}/replay/2999/{shown.url}")
    followed = replay.browser.find_element(By.ID, "followed")
    assert shown.url in replay.browser.find_element(By.CSS_SELECTOR, ".banner .url").text
    replay.enter()
    WebDriverWait(replay.browser, 120).until(lambda browser: browser.find_elements(By.LINK_TEXT, "Elsewhere"))
    link = replay.browser.find_element(By.LINK_TEXT, "Elsewhere")
    replay.browser.switch_to.default_content()
    assert not followed.is_displayed()
    replay.enter()
    link.click()
    replay.browser.switch_to.default_content()
    WebDriverWait(replay.browser, 120).until(lambda _: followed.is_displayed())
    assert "another page" in followed.text


def test_page_that_goes_on_before_it_has_loaded_is_said_to_be_another(replay: Replay) -> None:
    replay.browser.get(f"{replay.app}/replay/{_STAMP}/{LEAVING_URL}")
    followed = replay.browser.find_element(By.ID, "followed")
    WebDriverWait(replay.browser, 120).until(lambda _: followed.is_displayed())
    replay.browser.get(f"{replay.app}/replay/{_STAMP}/{ENEMY_URL}")
    replay.enter()
    WebDriverWait(replay.browser, 120).until(lambda _: replay.script("document.title") == "done")
    replay.browser.switch_to.default_content()
    assert not replay.browser.find_element(By.ID, "followed").is_displayed()


#: What an archived page tries so that its banner goes.
ATTACKS = (
    "top.location = '{app}/'",
    "top.document.querySelector('.banner').remove()",
    "top.document.title = 'mine'",
    "window.open('{app}/', '_top')",
    "document.documentElement.requestFullscreen()",
    "parent.postMessage('close', '*')",
)


def test_page_cannot_take_its_banner_away(replay: Replay) -> None:
    replay.browser.get(f"{replay.app}/replay/{_STAMP}/{ENEMY_URL}")
    where = replay.browser.current_url
    replay.enter()
    WebDriverWait(replay.browser, 120).until(lambda _: replay.script("document.title") == "done")
    for attack in ATTACKS:
        command = attack.replace("{app}", replay.app)
        code = f"try {{ {command} }} catch (error) {{ return String(error) }}"
        # As the page's own scripts say it, wombat's names for `top` and `parent` left out.
        replay.browser.execute_script(f"return new Function({json.dumps(code)})()")
        replay.browser.switch_to.default_content()
        assert replay.browser.current_url == where, attack
        assert replay.browser.find_element(By.CSS_SELECTOR, ".banner .url").is_displayed(), attack
        assert replay.script("document.fullscreenElement") is None, attack
        assert replay.browser.title.startswith("Archived page"), attack
        # The same page as before: one that was loaded anew would not have done its work.
        replay.enter()
        assert replay.script("document.title") == "done", attack


def test_link_to_a_tab_of_its_own_leads_under_a_banner(replay: Replay, shown: Shown) -> None:
    replay.browser.get(f"{replay.app}/replay/2999/{shown.url}")
    first, before = replay.browser.current_window_handle, set(replay.browser.window_handles)
    replay.enter()
    WebDriverWait(replay.browser, 120).until(lambda browser: browser.find_elements(By.LINK_TEXT, "Elsewhere"))
    replay.browser.execute_script("document.querySelector('a').href = location.href")
    replay.browser.execute_script("document.querySelector('a').target = '_blank'")
    replay.browser.find_element(By.LINK_TEXT, "Elsewhere").click()
    WebDriverWait(replay.browser, 120).until(lambda browser: set(browser.window_handles) - before)
    replay.browser.switch_to.window((set(replay.browser.window_handles) - before).pop())
    try:
        WebDriverWait(replay.browser, 120).until(lambda browser: browser.find_elements(By.CSS_SELECTOR, ".banner"))
        assert replay.browser.current_url.startswith(f"{replay.app}/replay/")
        replay.enter()
        WebDriverWait(replay.browser, 120).until(lambda browser: browser.find_elements(By.CSS_SELECTOR, "h1"))
        assert replay.browser.find_element(By.CSS_SELECTOR, "h1").text == "The bridge is open"
    finally:
        replay.browser.close()
        replay.browser.switch_to.window(first)
