"""The reading room in other languages: who gets which, that nothing is left in English, and the choice."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from babel.messages import Message
from babel.messages.pofile import read_po
from jinja2 import Environment
from lxml import html
from lxml.html import HtmlElement
from room_archive import PAPER, STORY, fill
from web_archive import Answer, Serving, Site

from newskeep.web.language import BY_TAG, LANGUAGES, Language, ngettext, speaking
from newskeep.web.language.catalogs import FOLDER
from newskeep.web.language.choice import preferred
from newskeep.web.reading_room import humanize
from newskeep.web.templating import TEMPLATES
from storage.model import Reason

ROOT = Path(__file__).parents[2]
TRANSLATED = [each for each in LANGUAGES if each.tag != "en"]
_PLACE = re.compile(r"%\(\w+\)s|</?[a-z][^>]*>")
#: Attributes that are read out or shown.
_SHOWN = ("aria-label", "title", "placeholder", "alt")
_LETTERS = re.compile(r"[A-Za-z]{2,}")
#: What has one name in all languages.
_NAMES = re.compile(r"Newskeep|WARC|TimeMap|JSON|Atom|noarchive|example\.org|https://\S*|^en$|id=\"b·\"")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("languages") / "archive"
    fill(folder)
    with Serving(folder) as running:
        yield running


def _messages(locale: str) -> list[Message]:
    with (FOLDER / f"{locale}.po").open("rb") as file:
        return [message for message in read_po(file, locale) if message.id]


def _forms(message: Message) -> tuple[list[str], list[str]]:
    """A message's texts in English, and in the language of its catalog."""
    both = [list(map(str, text if isinstance(text, list | tuple) else [text])) for text in (message.id, message.string)]
    return both[0], both[1]


def test_catalogs_are_whole_and_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "messages", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("language", TRANSLATED, ids=lambda language: language.tag)
def test_translations_have_the_places_of_their_message(language: Language) -> None:
    for message in _messages(language.locale):
        english, forms = _forms(message)
        for form in forms:
            assert sorted(_PLACE.findall(form)) == sorted(_PLACE.findall(english[-1])), form
            assert form.strip() == form and "%" not in _PLACE.sub("", form), form
            # A sentence stays one.
            assert english[0][-1:] not in ".:" or form[-1:] in (".", ":", "。", "："), form


@pytest.mark.parametrize("path", sorted(path for folder in TEMPLATES for path in folder.glob("*.html")), ids=str)
def test_templates_have_no_words_of_their_own(path: Path) -> None:
    """What stands in a template outside of messages is markup alone."""
    tokens = Environment(trim_blocks=True, extensions=["jinja2.ext.i18n"]).lex(path.read_text())
    markup, marked, begun = "", 0, False
    for _, kind, value in tokens:
        if kind == "block_begin":
            begun = True
        elif begun and kind == "name":
            marked += {"trans": 1, "endtrans": -1}.get(value, 0)
            begun = False
        elif kind == "data" and not marked:
            markup += value
        elif kind == "variable_begin":
            markup += "·"
    if path.parent == TEMPLATES[-1]:
        # Shown where the room's own templates are missing.
        return
    page = html.fromstring(f"<div>{markup}</div>")
    assert not [text for text in _texts(page) if _LETTERS.search(_NAMES.sub("", text))]


def _pattern(message: str) -> re.Pattern[str]:
    return re.compile(".+".join(re.escape(part) for part in _PLACE.split(message)))


def _texts(page: HtmlElement) -> Iterator[str]:
    """The texts of a page in its own language, each as it stands, and what its attributes say."""
    language = page.get("lang")
    for element in page.iter():
        if not isinstance(element.tag, str) or any(
            each.get("lang", language) != language or each.tag in ("code", "script") for each in _line(element)
        ):
            continue
        yield from filter(None, (" ".join((text or "").split()) for text in (element.text, *_tails(element))))
        yield from filter(None, (element.get(name) for name in _SHOWN))


def _line(element: HtmlElement) -> Iterator[HtmlElement]:
    yield element
    yield from element.iterancestors()


def _tails(element: HtmlElement) -> Iterator[str | None]:
    return (child.tail for child in element)


def _stamp(site: Site, url: str) -> str:
    return site.get(f"/article/{url}").headers["Location"]


def _pages(site: Site) -> Iterator[str]:
    yield from ("/", "/search", "/search?q=bridge", "/search?q=nowheretobefound", "/search?author=lind", "/sites")
    yield from ("/tags", "/doubts", "/doubts?site=nowhere.example", "/status", "/save", "/site/paper.example")
    yield from (_stamp(site, STORY), _stamp(site, f"{PAPER}/news/1"), f"/captures/{STORY}", f"/captures/2099/{STORY}")
    yield from (f"/beside/{STORY}", f"/beside/{PAPER}/report.pdf", f"/exchange/{STORY}", f"/captures/{PAPER}/nothing")
    yield from ("/captures/http://nowhere.example/", "/article/ftp://paper.example/", "/nothing/here")
    yield _stamp(site, STORY).replace("/article/", "/correct/")
    yield _stamp(site, STORY).replace("/article/", "/replay/")
    times = [capture["timestamp"] for capture in json.loads(site.get(f"/api/versions?url={STORY}").body)["versions"]]
    yield f"/compare/{times[0]}-{times[-1]}/{STORY}"


#: Whose pages are read each time. What the others lack their catalogs show.
READ = ("de", "zh-Hans")


@pytest.mark.parametrize(
    "language",
    [pytest.param(each, id=each.tag, marks=[] if each.tag in READ else pytest.mark.exhaustive) for each in TRANSLATED],
)
def test_no_page_has_a_message_in_english(site: Site, language: Language) -> None:
    tag = language.tag
    messages = [_forms(message) for message in _messages(language.locale)]
    english = [_pattern(one) for before, _ in messages for one in before if _LETTERS.search(_PLACE.sub("", one))]
    translated = [_pattern(one) for _, after in messages for one in after]
    for path in _pages(site):
        found = site.get(path, Accept="text/html", Accept_Language=tag)
        page = html.fromstring(found.body.decode())
        assert page.get("lang") == tag, path
        for text in _texts(page):
            is_english = any(pattern.fullmatch(text) for pattern in english)
            assert not is_english or any(pattern.fullmatch(text) for pattern in translated), (path, text)


def test_language_is_what_the_browser_asks_for(site: Site) -> None:
    for asked, tag in (
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("en;q=0.5, da;q=0.8", "da"),
        ("pt,fr;q=0.3", "fr"),
        ("de;q=0, *", "en"),
        ("en;q=0,*;q=0.1", "de"),
        ("zh-CN", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("zh-TW,zh-Hant;q=0.9,fr;q=0.1", "fr"),
        ("zh-TW,en;q=0.1", "en"),
        ("zh-TW,zh;q=0,tlh", "en"),
        ("zh-HK", "zh-Hans"),
        ("zh-TW,zh-Hant;q=0.9,tlh", "zh-Hans"),
        ("zh-TW;q=0", "en"),
        ("DE-de", "de"),
        ("", "en"),
        ("*", "en"),
        ("tlh", "en"),
        ("de;q=2, es;q=0.1", "es"),
        ("\x00;;;,,q=1", "en"),
        ("es;q=0.5," * 10_000, "es"),
    ):
        assert preferred(asked).tag == tag, asked
    found = site.get("/", Accept_Language="es-MX,en;q=0.1")
    assert (found.headers["Content-Language"], found.headers["Vary"]) == ("es", "Accept-Language, Cookie")
    assert "Set-Cookie" not in found.headers
    assert "<h1>Últimos artículos</h1>" in found.body.decode()
    # Errors too, as pages; not where programs read them.
    assert "<h1>No encontrado</h1>" in site.get("/x", Accept="text/html", Accept_Language="es").body.decode()
    assert site.get("/x", Accept_Language="es").body == b"there is nothing at this address\n"
    assert site.get("/api/counts", Accept_Language="es").body == site.get("/api/counts").body
    assert site.get("/feeds/new.atom", Accept_Language="de").body == site.get("/feeds/new.atom").body


def _choose(site: Site, **fields: str) -> Answer:
    return _post(site, urlencode(fields), {"Sec-Fetch-Site": "same-origin"})


def _post(site: Site, body: str, headers: dict[str, str]) -> Answer:
    with closing(http.client.HTTPConnection(site.app.partition("://")[2], timeout=240)) as connection:
        connection.request("POST", "/language", body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def test_choice_is_kept_and_leads_back(site: Site) -> None:
    path = f"/captures/{STORY}"
    page = html.document_fromstring(site.get(path).body.decode())
    [form] = [form for form in page.iter("form") if form.get("action") == "/language"]
    assert [field.get("value") for field in form.iter("input")] == [path]
    assert [button.get("value") for button in form.iter("button")] == list(BY_TAG)
    found = _choose(site, language="da", page=path)
    assert (found.status, found.headers["Location"]) == (303, f"{site.app}{path}")
    cookie = found.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    again = site.get(path, Cookie=cookie.partition(";")[0], Accept_Language="fr")
    assert again.headers["Content-Language"] == "da" and "Set-Cookie" not in again.headers
    # What nobody offered counts as nothing.
    for cookie in ("newskeep-language=../../etc", "newskeep-language=tlh", "newskeep-language"):
        assert site.get("/", Cookie=cookie).headers["Content-Language"] == "en"


def test_choice_leads_nowhere_else(site: Site) -> None:
    for page in ("https://evil.example/", "evil.example", "javascript:alert(1)", "@evil.example/", ".evil.example/",
                 ":80@evil.example", "", "/x\r\nSet-Cookie: a=b", "/\u2215evil.example"):  # fmt: skip
        found = _choose(site, language="de", page=page)
        assert found.status == 400 or found.headers["Location"] == f"{site.app}/", page
    # A path of ours, whatever it looks like.
    for page in ("//evil.example/", "/\\evil.example", "/@evil.example"):
        assert _choose(site, language="de", page=page).headers["Location"].startswith(f"{site.app}/")
    assert _choose(site, language="tlh", page="/").status == 400
    assert _choose(site, page="/").status == 400
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": site.originals}, {}):
        assert _post(site, "language=de&page=/", headers).status == 403
    assert site.get("/language").status == 405


def test_dates_and_numbers_are_as_the_language_writes_them() -> None:
    moment = datetime(2026, 3, 1, 5, 7, 9, tzinfo=UTC)
    told = {}
    for language in LANGUAGES:
        with speaking(language):
            told[language.tag] = (
                humanize.minute(moment),
                humanize.count(1_234_567, "word").replace("\u202f", " "),
                humanize.size(1_234).replace("\xa0", " ").replace("\u202f", " "),
            )
    assert told == {
        "en": ("1 March 2026, 05:07", "1,234,567 words", "1.2 kB"),
        "de": ("1. März 2026, 05:07", "1.234.567 Wörter", "1,2 kB"),
        "da": ("1. marts 2026 05.07", "1.234.567 ord", "1,2 kB"),
        "fr": ("1 mars 2026, 05:07", "1 234 567 mots", "1,2 ko"),
        "es": ("1 de marzo de 2026, 5:07", "1.234.567 palabras", "1,2 kB"),
        "zh-Hans": ("2026年3月1日 05:07", "1,234,567 词", "1.2 kB"),
    }


def test_counts_take_their_form() -> None:
    with speaking(BY_TAG["fr"]):
        assert [humanize.count(number, "article").replace("\u202f", " ") for number in (0, 1, 2, 1_000_000)] == [
            "0 article", "1 article", "2 articles", "1 000 000 d’articles",
        ]  # fmt: skip
    with speaking(BY_TAG["de"]):
        assert humanize.reason(Reason("repeated", "on 1,400 articles of x.example"))[0] == (
            "wiederholt (1.400 Artikel von x.example)"
        )
        assert ngettext("%(num)s nothing", "%(num)s nothings", 2) == "%(num)s nothings"
    assert humanize.count(2, "article") == "2 articles"


def test_a_wheel_has_every_catalog() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["newskeep.web"]
    packed = {file for pattern in patterns for file in (ROOT / "newskeep" / "web").glob(pattern)}
    assert {FOLDER / f"{language.locale}.po" for language in TRANSLATED} <= packed
