"""Why a page has no text, and pages of few words that have."""

from __future__ import annotations

import pytest

from crawler.extraction import extract
from crawler.extraction.textless import cause_of
from storage.model import Article, Extractor

URL = "https://www.news.example/2026/11/22/bridge-opens"
PARAGRAPH = (
    "<p>The bridge over the river opened on Monday morning, two years later than the council had promised, and a few "
    "hundred people walked over it before the first bus came.</p>"
)
SCRIPT = "<script src=/app.js></script>"


def page(body: str, head: str = "") -> str:
    return f"<!doctype html><html><head><title>The bridge opens</title>{head}</head><body>{body}</body></html>"


def cause(html: str) -> str | None:
    content = html.encode()
    return cause_of(extract(content, URL), content, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "html",
    [
        page(f"<div id=root></div>{SCRIPT}"),
        page(f'<div id="__next"></div>{SCRIPT}', '<meta property="og:type" content="article">'),
        page(f"<noscript>You need to enable JavaScript to run this app.</noscript><div id='app'> </div>{SCRIPT}"),
        page(f"<app-root></app-root>{SCRIPT}"),
        page(f"<town-app></town-app>{SCRIPT}"),
        page(f"<div id=root></div><footer><p>© 2026 The Town News. All rights reserved.</p></footer>{SCRIPT}"),
        page(f"<p>Please enable JavaScript to view this page.</p>{SCRIPT}"),
        page(f"<p>Bitte aktivieren Sie JavaScript, um diese Seite zu sehen.</p>{SCRIPT}"),
        page(f"<p>Veuillez activer JavaScript pour lire cette page.</p>{SCRIPT}"),
        page(f"<p>このページを見るにはJavaScriptを有効にしてください。</p>{SCRIPT}"),
        page(f"<div class=spinner></div>{SCRIPT}"),
        page(f"<div class=content></div><noscript>JavaScript is required.</noscript>{SCRIPT}"),
    ],
)
def test_what_needs_scripts(html: str) -> None:
    assert cause(html) == "needs scripts"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (page("<video src=a.mp4></video>"), "a video"),
        (page('<iframe src="https://www.youtube.com/embed/x"></iframe>' + SCRIPT), "a video"),
        (page("<div class=player></div>", '<meta property="og:type" content="video.other">'), "a video"),
        (page('<script type="application/ld+json">{"@type":"VideoObject","name":"x"}</script>'), "a video"),
        (page("".join(f"<figure><img src={n}.jpg></figure>" for n in range(4))), "a picture series"),
        (page("".join(f"<img src={n}.jpg>" for n in range(3)) + SCRIPT), "a picture series"),
        (page("", '<script type="application/ld+json">{"@type":"ImageGallery"}</script>'), "a picture series"),
        (page(""), "empty"),
        ("", "empty"),
    ],
)
def test_other_pages_without_text(html: str, expected: str) -> None:
    assert cause(html) == expected


@pytest.mark.parametrize(
    "body",
    [
        "<nav><a href=/a>Home</a><a href=/b>News</a></nav>",
        "<nav>Menu of our site</nav>",
        "<div role=navigation><a href=/a>Home</a> <a href=/b>News</a></div>",
        "<nav><ul><li><a href=/a>Home</a></li><li><a href=/b>News and weather from the region</a></li></ul></nav>",
        f"<nav>{''.join(f'<a href=/{n}>Section number {n} of the paper</a>' for n in range(40))}</nav>",
        "<button>Load more</button>",
        "<div><button>Accept all cookies</button><button>Reject</button></div>",
        "<div role=button>Show all comments</div>",
        "<a class=btn href=/x>Weiterlesen</a>",
        "<form><label>Search the archive</label><input></form>",
        "<select><option>Deutsch</option><option>English</option></select>",
        "<div role=dialog><button>Close</button></div>",
        "<div>Loading...</div>",
        "<footer>© 2026 The Town News. All rights reserved.</footer>",
        "<nav>Home</nav><h1>The bridge</h1>",
        "<nav>首页 新闻 体育</nav><button>登录</button>",
    ],
)
def test_labels_are_no_text(body: str) -> None:
    article = extract(page(body).encode(), URL)
    assert not article.text
    assert article.confidence is None
    assert cause(page(body)) == "nothing but links and labels"


@pytest.mark.parametrize(
    "html",
    [
        page(f"<article><h1>The bridge opens</h1>{PARAGRAPH * 4}</article>"),
        # Few words that are a sentence, words without one, and a site that puts its articles into a dialog.
        page("<nav><a href=/a>Home</a></nav><p>It opened on Monday.</p>"),
        page("<nav><a href=/a>首页</a></nav><div>大桥于周一上午通车。</div>"),
        page(f"<nav><a href=/a>Home</a></nav><pre>{'of river, of rain' * 8}</pre>"),
        page(f"<div role=dialog>{PARAGRAPH * 4}</div>"),
        # Text is text beside a film, pictures, and a frame for comments.
        page(f"<article><h1>The bridge opens</h1>{PARAGRAPH * 4}<video src=a></video></article>{SCRIPT}"),
        page(f"<article><h1>The bridge opens</h1>{PARAGRAPH * 3}</article><div id=root></div>{SCRIPT}"),
        page(f"<article>{PARAGRAPH * 4}<p>Enable JavaScript to see the comments.</p></article>{SCRIPT}"),
        # A few words are few, and there.
        page("<article><h1>The bridge opens</h1><p>It opened on Monday, in the rain.</p></article>"),
        page(f"<article><h1>JavaScript is 31</h1><p>It opened on Monday, in the rain.</p></article>{SCRIPT}"),
        page(
            f"<article><h1>Film</h1><p>The opening of the bridge as a film.</p><video src=a></video></article>{SCRIPT}"
        ),
    ],
)
def test_pages_with_text(html: str) -> None:
    assert cause(html) is None


def test_what_the_extractor_says() -> None:
    def made(method: str) -> Article:
        return Article(URL, extractor=Extractor("newskeep", "1", method=method))

    assert cause_of(made("failed: ValueError: no"), b"<p>x</p>") == "failed"
    assert cause_of(made("nothing: 1,000,000 elements"), b"<p>x</p>") == "too large"
    assert cause_of(made("nothing: no markup"), b"") == "empty"
    assert cause_of(made("nothing found"), b"<nav><a href=/a>Sport</a></nav>") == "nothing but links and labels"


def test_a_heading_that_stands_in_the_menu_as_well_is_text() -> None:
    menu = "<nav><a href=#a>Ropes</a><a href=#b>Boats</a></nav>"
    head = '<script type="application/ld+json">{"@type":"Product","name":"x"}</script>'
    text = extract(page(f"{menu}<main><h2>Ropes</h2>{PARAGRAPH}<h2>Boats</h2>{PARAGRAPH}</main>", head), URL).text
    assert text.splitlines()[0] == "Ropes"
    assert "Boats" in text.splitlines()


@pytest.mark.parametrize("part", ["<", "<noscript>", "<div id=root>", "<p", "<!--", "enable ", "<a-b-", "<script>"])
def test_what_is_made_to_take_long_ends(part: str) -> None:
    assert cause_of(Article(URL), (part * (300_000 // len(part))).encode()) is not None
