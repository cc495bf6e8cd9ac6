"""What is a block and what is not: challenges, walls, waves, and the ordinary pages that resemble them."""

from __future__ import annotations

import pytest

from crawler.politeness.block_detection import BlockSign, RefusalWatch, backoff, recognise
from crawler.politeness.shown_page import LITTLE, ShownPage
from storage.http import HttpMessage

URL = "https://www.news.example/2026/11/22/bridge-opens"
ARTICLE = (
    '<html><head><title>The bridge opens</title><meta property="og:type" content="article"></head><body><article>'
    "<h1>The bridge opens</h1><p>A short notice of the town: the bridge opens on Monday.</p></article>{}</body></html>"
)
LONG = "<p>The town has waited for the bridge since spring, and now it is there at last.</p>" * 40


def answer(body: str = "", status: str = "200 OK", *fields: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/html; charset=utf-8", *fields, "", ""]
    return "\r\n".join(lines).encode() + body.encode()


def titled(title: str, rest: str = "") -> str:
    return f"<html><head><title>{title}</title></head><body>{rest}</body></html>"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (answer("", "403 Forbidden", "cf-mitigated: challenge"), "Cloudflare"),
        (answer(titled("Just a moment...", "<script>window._cf_chl_opt={}</script>"), "503 Unavailable"), "Cloudflare"),
        (answer(titled("Attention Required! | Cloudflare"), "403 Forbidden"), "Cloudflare"),
        (answer(titled("x", "<script src='https://ct.captcha-delivery.com/c.js'></script>"), "403 No"), "DataDome"),
        (answer(titled("Access denied", '<div id="px-captcha"></div>'), "403 Forbidden"), "HUMAN (PerimeterX)"),
        (answer(titled("", '<div id="sec-if-cpt-container"></div>')), "Akamai"),
        (answer('<html><script src="/_Incapsula_Resource?SWJIYLWA=1"></script></html>'), "Imperva"),
        (answer("", "405 Not Allowed", "x-amzn-waf-action: captcha"), "AWS WAF"),
        (answer("", "429 Too Many", "x-vercel-mitigated: challenge"), "Vercel"),
        (answer(titled("Sucuri WebSite Firewall - Access Denied"), "403 Forbidden"), "Sucuri"),
        (answer(titled("One step", '<form><div class="g-recaptcha"></div>Are you a human?</form>')), "captcha"),
    ],
)
def test_challenges(response: bytes, reason: str) -> None:
    assert recognise(response, URL) == BlockSign(f"a bot check: {reason}", certain=True)
    assert RefusalWatch().note(response, recognise(response, URL)) == f"a bot check: {reason}"


@pytest.mark.parametrize(
    ("url", "body", "reason"),
    [
        ("https://login.news.example/?next=x", titled("Welcome"), "a login wall: redirected to login.news.example"),
        ("https://www.news.example/account/signin", titled("x"), "a login wall: redirected to www.news.example"),
        ("https://consent.portal.example/collect", titled("x"), "a cookie wall: redirected to consent.portal.example"),
        (URL, titled("Log in - News", "<form><input type=password></form>"), "a login wall"),
    ],
)
def test_walls(url: str, body: str, reason: str) -> None:
    assert recognise(answer(body), url, URL) == BlockSign(reason, certain=False)


@pytest.mark.parametrize(
    "response",
    [
        answer(ARTICLE.format("")),
        # What protected sites carry on every page.
        answer(ARTICLE.format('<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script>')),
        answer(ARTICLE.format('<script src="/_Incapsula_Resource?x"></script><div class="g-recaptcha"></div>')),
        answer(titled("News", LONG + "<div class='h-captcha'></div><form><input type='password'></form>")),
        # About blocks.
        answer(titled("Just a moment...: how captchas work", f"<p>px-captcha, _cf_chl_opt</p>{LONG}")),
        answer(titled("Just a moment...", LONG)),
        answer(titled("Log in to a new life", f"<input type=password>{LONG}")),
        # A page that is forbidden, missing or broken by itself.
        answer(titled("403 Forbidden", "nginx"), "403 Forbidden"),
        answer(titled("Not here"), "404 Not Found"),
        answer("Service Unavailable", "503 Service Unavailable"),
        answer("cf-chl-", "200 OK").replace(b"text/html", b"text/plain"),
        # A form for readers, with a captcha.
        answer(titled("Write to us", '<div class="g-recaptcha"></div><input type=password>')),
        answer("<" * 100_000),
        answer("<!--" * 50_000),
        answer("<title" * 40_000 + "<input " * 40_000 + '"@type" : [ "' * 20_000),
        b"",
        b"\xff\x00 nonsense",
    ],
)
def test_what_is_no_block(response: bytes) -> None:
    assert recognise(response, URL, URL) is None


def test_one_denial_of_akamai_is_no_ban() -> None:
    denied = answer(titled("Access Denied", "You don't have permission. Reference&#32;&#35;18&#46;2"), "403 Forbidden")
    assert recognise(denied, URL) == BlockSign("denied by Akamai", certain=False)
    watch = RefusalWatch()
    said = [watch.note(denied, recognise(denied, URL)) for _ in range(5)]
    assert said[:4] == [None] * 4
    assert said[4] == "5 of the last 5 answers refused us, mostly: denied by Akamai"


def test_wave_and_single_refusals() -> None:
    forbidden, fine = answer("no", "403 Forbidden"), answer(ARTICLE.format(""))
    watch = RefusalWatch()
    assert [watch.note(page, None) for page in [forbidden, fine, fine, forbidden] * 5] == [None] * 20
    said = [watch.note(forbidden, None) for _ in range(5)]
    assert said[0] is None
    assert said[-1] is not None
    assert "mostly: 403" in said[-1]
    wall = RefusalWatch()
    sign = recognise(answer("x"), "https://login.news.example/", URL)
    walls = [wall.note(answer("x"), sign) for _ in range(5)]
    assert walls[-1] == "5 of the last 5 answers refused us, mostly: a login wall: redirected to login.news.example"


def test_backoff_grows_and_ends() -> None:
    waits = [backoff(blocks) for blocks in range(12)]
    assert waits[1:4] == [3_600, 10_800, 32_400]
    assert waits == sorted(waits)
    assert waits[-1] == backoff(10**6) == 7 * 86_400


@pytest.mark.parametrize(("scripts", "text"), [(50_000, 40), (200_000, 0)])
def test_a_page_whose_text_comes_behind_much_script_is_no_challenge(scripts: int, text: int) -> None:
    captcha = b"<script src=https://www.google.com/recaptcha/api.js></script>"
    body = (
        captcha + b"<script>" + b"x = 1;" * scripts + b"</script>" + b"<p>The council has met on the bridge.</p>" * text
    )
    assert recognise(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body, "https://a.example/x") is None


@pytest.mark.parametrize(
    ("markup", "is_little"),
    [
        ("<p>{}</p>", False),
        # What is hidden ends where a browser says that it does.
        ("<script>{}</script>", True),
        ("<SCRIPT>{}</Script >", True),
        ("<script>{}</scripts>{}</script>", True),
        ("<script>{}", True),
        ("<!-- {} -->", True),
        ("<!-- {} --><p>{}</p>", False),
        ("<style>x</style><p>{}</p>", False),
        # Text in tags is none, whichever piece of the page they stand in.
        ('<p title="{}">x</p>', True),
        ("<i>x</i>" * 3_000 + "<p>{}</p>", False),
        ("<i></i>" * 3_000 + '<p title="{}">x</p>', True),
        ("<i>1</i>" * LITTLE, False),
        ("<i>1</i>" * (LITTLE - 1), True),
    ],
)
def test_little_text(markup: str, is_little: bool) -> None:
    page = ShownPage.of(HttpMessage.parse(answer(markup.replace("{}", "word " * 400))))
    assert page.is_little == is_little


@pytest.mark.parametrize(
    ("markup", "says_article"),
    [
        ('<meta property="og:type" content="article">', True),
        ("<META PROPERTY='OG:TYPE' CONTENT='Article'>", True),
        ('<meta property="og:type" content="website"><meta property="og:type" content="article">', True),
        ('{"@type": "Person"}, {"@type": ["NewsArticle"]}', True),
        ('{"@type": "Person"}', False),
        ('<p itemprop="name"></p><p itemprop="articleBody"></p>', True),
        ('<p itemprop="name"></p>', False),
        ("<articles><ARTICLE>", True),
        ("<articles>", False),
    ],
)
def test_what_says_that_it_is_an_article(markup: str, says_article: bool) -> None:
    assert ShownPage.of(HttpMessage.parse(answer(markup))).says_article == says_article
