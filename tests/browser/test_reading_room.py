"""The reading room in a real browser: reading, comparing, searching, and what an enemy's pages do there: nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import prod
from urllib.parse import quote
from zoneinfo import ZoneInfo

import foreign_venvs
import pytest
from chromium import browser, needs_browser
from origin import Origin
from room_archive import FACTORS, GROUP, HERALD, PAPER, STORY, enemy_url, fill, payloads
from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from web_archive import Serving

pytestmark = [pytest.mark.long, needs_browser]
PHONE, DESK = 320, 1280
#: Any script but the room's own file, which the pages do without.
FOREIGN_SCRIPT = "script:not([src='/static/room.js'])"


@dataclass(frozen=True, slots=True)
class Room:
    """A browser before a running server; `listener` is what the enemy's pages call."""

    browser: webdriver.Chrome
    app: str
    originals: str
    listener: Origin

    def open(self, address: str) -> None:
        self.browser.get(address if address.startswith("http") else f"{self.app}{address}")

    def one(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def leave(self, act: Callable[[], object]) -> None:
        """Do what leads to another page, and wait until that is there: the driver may look before it has begun.

        The old page is told by a mark: asked for one of its elements while it goes, the driver has an error of its own.
        """
        self.browser.execute_script("window.left = true")
        act()
        WebDriverWait(self.browser, 120, ignored_exceptions=[WebDriverException]).until(
            lambda browser: browser.execute_script("return !window.left && document.readyState === 'complete'")
        )

    def ask(self, selector: str, words: str) -> None:
        """Type into a field and send its form."""
        self.leave(lambda: self.one(selector).send_keys(words, Keys.ENTER))

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def link(self, text: str) -> str:
        return str(self.browser.find_element(By.LINK_TEXT, text).get_attribute("href"))

    def wide(self, width: int) -> None:
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
        )

    def dark(self, is_dark: bool) -> None:
        feature = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("room")
    with Origin() as listener:
        fill(folder / "archive", listener.url("").rstrip("/"))
        with Serving(folder / "archive") as site:
            driver = browser(folder / "profile")
            try:
                yield Room(driver, site.app, site.originals, listener)
            finally:
                driver.quit()


@pytest.fixture(autouse=True)
def _at_a_desk(room: Room) -> None:
    room.wide(DESK)
    room.dark(False)


def test_from_the_front_page_to_an_article_by_its_filters(room: Room) -> None:
    room.open("/")
    assert [heading.text for heading in room.all("h1")] == ["Latest articles"]
    room.open("/search")
    room.one("#site").send_keys("herald.example")
    room.ask("#language", "da")
    found = room.all(".results h3 a")
    assert [link.text for link in found] == ["Rødgrød med fløde er årets ret"]
    assert room.one("#site").get_attribute("value") == "herald.example"
    room.leave(found[0].click)
    assert room.one("h1").text == "Rødgrød med fløde er årets ret"
    assert (room.one("h1").get_attribute("lang"), room.one(".text").get_attribute("lang")) == ("da", "da")


def test_search_marks_the_words_and_opens(room: Room) -> None:
    room.open("/")
    room.ask("#look", "ferry ministry")
    assert room.one("#q").get_attribute("value") == "ferry ministry"
    assert {mark.text.lower() for mark in room.all(".results mark")} >= {"ferry"}
    room.leave(room.one(".results h3 a").click)
    assert room.one("h1").text == "Harbour bridge: what we know"


def test_address_in_the_search_box_leads_to_its_captures(room: Room) -> None:
    room.open("/")
    room.ask("#look", STORY)
    assert room.one("h1").text == "Captures"
    assert [row.text.split("\n")[1] for row in room.all(".rows li")] == [
        *["200 OK"] * 3,
        "410 Gone",
        "200 OK",
        "304 Not Modified",
    ]


def test_removed_blocks_are_shown_in_their_place_with_the_keyboard_alone(room: Room) -> None:
    room.open(f"/article/{STORY}")
    removed = room.all(".removed")
    assert removed and not any(block.is_displayed() for block in removed)
    room.one("#show-removed").send_keys(Keys.SPACE)
    assert all(block.is_displayed() for block in removed)
    assert room.one(".toggle").value_of_css_property("outline-style") == "solid"
    assert removed[1].text == (
        "Removed: repeated on 14 articles of paper.example\nRead also: Ferries will run until the bridge opens"
    )
    before, after = (
        removed[1].find_element(By.XPATH, f"{side}-sibling::*[1]").text for side in ("preceding", "following")
    )
    assert before.startswith("Work is to begin next autumn") and after == "What it costs"


def test_article_reads_as_an_article(room: Room) -> None:
    room.open(f"/article/{STORY}")
    text = room.one(".text")
    assert [row.text for row in text.find_elements(By.CSS_SELECTOR, "tr")][1] == "Foundations 120 164"
    assert len(text.find_elements(By.CSS_SELECTOR, "ul li")) == 3
    assert text.find_element(By.CSS_SELECTOR, "blockquote").text.startswith("A bridge is cheaper")
    assert "from json-ld author" in room.one(".fields").text and "But: byline: Mette Kjær" in room.one(".fields").text
    assert [link.text for link in room.all(".copies a")] == ["Council approves the harbour bridge"]


def test_versions_are_compared_word_by_word(room: Room) -> None:
    room.open(f"/article/{STORY}")
    assert [item.get_attribute("aria-current") for item in room.all(".versions li")] == [None, None, "true"]
    assert "410 Gone" in room.all(".versions li")[1].text
    room.leave(room.all(".versions .diff")[0].click)
    gone, new = (
        [room.browser.execute_script("return arguments[0].textContent", each) for each in room.all(f".text {tag}")]
        for tag in ("del", "ins")
    )
    assert " [gone: 31] " in gone and " [new: 30] " in new
    room.one("#after").send_keys("3")
    room.leave(room.one("form[action='/compare'] button").click)
    assert "what we know" in room.one("h1").text


def test_verify_says_what_was_checked(room: Room) -> None:
    room.open(f"/article/{STORY}")
    room.browser.execute_script("arguments[0].click()", room.one("form[method=post] button"))
    WebDriverWait(room.browser, 120).until(lambda browser: "as it was written" in browser.title or room.all(".checks"))
    assert room.one("h1").text == "It is as it was written"
    assert len(room.all(".checks .good")) >= 5 and not room.all(".checks .bad")


def test_it_has_no_script_but_the_one_file(room: Room) -> None:
    for address in ("/", f"/article/{STORY}", "/search"):
        room.open(address)
        assert not room.all(f"{FOREIGN_SCRIPT}, [onclick], [style], style")


@pytest.mark.parametrize("address", ["/", "/search", f"/article/{STORY}", f"/captures/{STORY}", f"/exchange/{STORY}"])
def test_nothing_is_wider_than_a_phone(room: Room, address: str) -> None:
    room.wide(PHONE)
    room.open(address)
    wide = room.browser.execute_script(
        "return [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .unseen, .skip') "
        "&& e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert wide == []


def test_keyboard_goes_past_the_masthead(room: Room) -> None:
    room.open("/")
    body = room.one("body")
    body.send_keys(Keys.TAB)
    skip = room.browser.switch_to.active_element
    assert skip.text == "Skip to the content" and skip.rect["x"] >= 0
    skip.send_keys(Keys.ENTER)
    assert room.browser.switch_to.active_element.get_attribute("id") == "content"
    room.browser.switch_to.active_element.send_keys(Keys.TAB)
    assert room.browser.switch_to.active_element.tag_name == "a"


#: Every kind of page; "{diff}" and the like are found on the way.
_KINDS = {
    "front": "/",
    "search": "/search?q=harbour",
    "sites": "/sites",
    "doubts": "/doubts",
    "site": "/site/paper.example",
    "article": f"/article/{STORY}",
    "right to left": f"/article/{HERALD}/ar/1",
    "captures": f"/captures/{STORY}",
    "beside": f"/beside/{STORY}",
    "banner": f"/replay/{STORY}",
    "exchange": f"/exchange/{STORY}",
    "missing": f"/captures/{PAPER}/nothing",
    "error": "/nothing-here",
    "enemy": f"/article/{enemy_url(3)}",
}
#: By the same templates.
_NEAR = {"nothing found": "/search?site=nowhere.example", "doubtful": f"/article/{PAPER}/news/1"}


#: Of many alike a dozen stays: the newest articles are in other languages, of an enemy, doubtful, and a long one.
_SHORTEN = """
for (const entry of [...document.querySelectorAll("article.entry")].slice(12)) (entry.closest("li") || entry).remove();
for (const day of document.querySelectorAll("section.day")) day.querySelector("article") || day.remove();
for (const many of document.querySelectorAll(".bars, .numbers tbody"))
  [...many.children].slice(12).forEach(each => each.remove());
"""
_RUN_AXE = """
const [only, done] = arguments;
const options = {iframes: false, resultTypes: ["violations"], ...(only && {runOnly: only})};
const told = violation => [violation.id, violation.nodes.slice(0, 3).map(node => node.html.slice(0, 150))];
axe.run(document, options).then(result => done(result.violations.map(told)));
"""


@pytest.mark.parametrize(
    "addresses", [pytest.param(_KINDS, id="kinds"), pytest.param(_NEAR, id="near", marks=pytest.mark.exhaustive)]
)
def test_axe_finds_nothing_in_light_and_dark(room: Room, addresses: Mapping[str, str]) -> None:
    # The package drives another browser; only its file is wanted.
    # axe-core, as a package brings it whose dependencies are a browser's driver that we do not need.
    (script,) = foreign_venvs.environment("axe", ["axe-playwright-python==0.1.8"], "--no-deps").rglob("axe.min.js")
    axe = script.read_text(encoding="utf-8")
    room.open(f"/article/{STORY}")
    kinds = {**addresses, "compare": str(room.all(".versions .diff")[0].get_attribute("href"))}
    found = []
    for name, address in kinds.items():
        room.open(address)
        if name in ("article", "enemy"):
            room.one("#show-removed").send_keys(Keys.SPACE)
        room.browser.execute_script(_SHORTEN)
        room.browser.execute_script(axe)
        for is_dark in (False, True):
            room.dark(is_dark)
            # Nothing but contrast depends on the scheme.
            only = ["color-contrast"] if is_dark else None
            told = room.browser.execute_async_script(_RUN_AXE, only)
            found += [(name, "dark" if is_dark else "light", *each) for each in told]
    assert found == []


def test_payloads_are_text_wherever_they_stand(room: Room) -> None:
    """No element of theirs, no script, no request: in titles, authors, blocks, reasons, heads, reports, problems."""
    number = len(payloads("")) // GROUP
    addresses = ["/", "/doubts", "/sites", "/site/enemy.example", "/search?q=fetch", f"/captures/{enemy_url(0)}"]
    for url in map(enemy_url, range(number)):
        addresses += [f"/article/{url}", f"/exchange/{url}", f"/compare/2000-2099/{url}"]
    room.browser.get_log("browser")
    seen = 0
    for each in addresses:
        room.open(each)
        pwned, shown, strange, worked = room.browser.execute_script(
            "return [document.querySelectorAll(arguments[0] + ', [data-pwned], base, body iframe, meta[http-equiv], "
            "[onerror], [onload], [onfocus], [onmouseover]').length, document.body.innerText.includes('data-pwned'), "
            "[...document.querySelectorAll('[href], [src], [action]')].map(e => e.href || e.src || e.action).filter("
            "a => !String(a.baseVal ?? a).startsWith('http')), document.body.innerText.includes(arguments[1])]",
            FOREIGN_SCRIPT,
            str(prod(FACTORS)),
        )
        assert room.browser.current_url.startswith(room.app)
        assert (each, pwned, strange, worked) == (each, 0, [], False)
        seen += shown
    # They were there, as text.
    assert seen > 3 * number - 1
    refused = [line for line in room.browser.get_log("browser") if "Content Security Policy" in line["message"]]
    # Nothing even tried.
    assert refused == []
    assert room.listener.log == []


def test_payloads_in_addresses_are_text(room: Room) -> None:
    bad = payloads("http://127.0.0.1:9")
    short = quote('"><b data-pwned>')
    for payload in map(quote, (bad[1], bad[2], bad[5])):
        for address, heading in (
            (f"/search?q={payload}&site={payload}&author={payload}&language={short}", "Search"),
            (f"/search?from={short}", "Bad Request"),
            (f"/article/http://nowhere.example/{payload}", "Not in the archive"),
            (f"/article/x:{payload}", "Bad Request"),
            (f"/{payload}", "Not Found"),
        ):
            room.open(address)
            assert room.one("h1").text == heading
            assert not room.all(f"[data-pwned], {FOREIGN_SCRIPT}, base, [onerror], [onload], [onfocus], [onmouseover]")


@pytest.mark.parametrize("how", ["beside", "alone"])
def test_hostile_page_reaches_nothing(room: Room, how: str) -> None:
    """Cookies, frames, workers, refresh, forms, windows: in its frame and by itself."""
    url = enemy_url(0)
    room.open("/")
    # A reader's own cookie, which an archived page would like to have.
    room.browser.add_cookie({"name": "reader", "value": "secret"})
    room.open(f"/beside/{url}")
    title, windows = room.browser.title, room.browser.window_handles
    if how == "beside":
        room.browser.switch_to.frame(room.one("iframe"))
    else:
        room.open(str(room.one("iframe").get_attribute("src")))
    assert room.one("#shown").text == "Innocent page"
    assert room.one("html").get_attribute("data-ran") is None
    here = room.browser.execute_script("return [location.origin === self.origin, self.origin]")
    assert here == [False, "null"]
    # By itself, a link that a reader follows leads where it says; nothing else does.
    for selector in ("#send", "#js", "#pop", "#ping", *(("#top",) if how == "beside" else ())):
        for element in room.all(selector):
            room.browser.execute_script("arguments[0].click()", element)
    # A page of our own, in a window of its own: what the clicks began would have been there before it.
    with Origin() as later:
        room.browser.switch_to.new_window("tab")
        room.open(later.url())
        assert later.logged("/")
        room.browser.close()
    room.browser.switch_to.window(windows[0])
    if how == "beside":
        assert room.browser.title == title
        assert room.browser.current_url.startswith(f"{room.app}/beside/")
    assert room.browser.window_handles == windows
    with pytest.raises(NoAlertPresentException):
        _ = room.browser.switch_to.alert.text
    workers = (
        room.browser.execute_script(
            "return navigator.serviceWorker ? navigator.serviceWorker.getRegistrations().then(r => r.length) : 0"
        )
        if how == "beside"
        else 0
    )
    assert workers == 0
    assert [each.path for each in room.listener.log] == []


def test_a_block_is_kept_and_taken_back_by_its_button(room: Room) -> None:
    def buttons(words: str) -> list[WebElement]:
        beside = f"//button[contains(concat(' ', @class, ' '), ' fix ') and contains(.., {words!r})]"
        return room.browser.find_elements(By.XPATH, beside)

    room.open(f"/article/{STORY}")
    room.leave(lambda: room.open(room.link("Correct the text")))
    for verdict, then in (("Keep", "Undo"), ("Undo", "Keep")):
        (button,) = buttons("Subscribe to our morning letter")
        assert button.text.startswith(verdict)
        room.leave(button.click)
        (button,) = buttons("Subscribe to our morning letter")
        assert button.text.startswith(then)
    room.wide(PHONE)
    assert room.browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


#: Of each time on the page: the moment, what is shown, what a pointer is shown, and the day it stands under.
_TIMES = """return [...document.querySelectorAll(arguments[0])].map(time => [
  time.dateTime, time.innerText, time.title, time.closest("[data-day]")?.dataset.day])"""


def test_times_are_in_the_zone_of_the_reader(room: Room) -> None:
    """And in UTC, as the server writes them, for who is there or has no scripts."""
    utc = {}
    for zone in ("UTC", "Australia/Adelaide", "America/St_Johns"):
        room.browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": zone})
        # The same address again: the driver may still see the page in the zone before.
        room.leave(lambda: room.open(f"/captures/{STORY}"))
        times = room.browser.execute_script(_TIMES, ".rows time")
        assert len(times) >= 6
        if zone == "UTC":
            utc = {moment: text for moment, text, _, _ in times}
            assert "Times are in UTC." in room.one(".foot").text and all(text.endswith(" UTC") for text in utc.values())
            continue
        assert zone in room.one("#zone").text
        for moment, text, title, _ in times:
            there = datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
            assert text.startswith(f"{there.day} {there:%B %Y}, {there:%H:%M:%S} ") and "GMT" in text
            assert title == utc[moment]
        # Under the heading of another day the day stands too.
        room.open("/")
        for moment, text, _, day in room.browser.execute_script(_TIMES, "[data-day] time"):
            there = datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
            is_other = f"{there:%Y-%m-%d}" != day
            assert text == (f"{there.day} {there:%B %Y}, " if is_other else "") + f"{there:%H:%M}"
    room.browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


def test_a_citation_is_copied_by_its_button(room: Room) -> None:
    room.open(f"/article/{STORY}")
    room.one(".cite summary").click()
    [text] = [each for each in room.all(".cite pre") if each.text.startswith("@misc")]
    button = room.one(f'[data-copies="{text.get_attribute("id")}"]')
    room.browser.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    button.click()
    WebDriverWait(room.browser, 120).until(lambda _: button.text == "Copied")
    copied = room.browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied == text.get_attribute("textContent")


def test_a_language_is_chosen_at_the_foot(room: Room) -> None:
    room.open(f"/captures/{STORY}")
    where = room.browser.current_url
    room.leave(room.one('.languages [value="da"]').click)
    assert (room.browser.current_url, room.one("h1").text) == (where, "Kopier")
    room.open("/sites")
    assert room.one("html").get_attribute("lang") == "da"
    room.leave(room.one('.languages [value="en"]').click)
    room.browser.delete_all_cookies()
