"""The demo's papers: what `papers()` says of a page is what the server serves, and the traps are in it."""

import gzip
import http.client
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from lxml import html

from newskeep.demo import DemoArticle, DemoSite, Paper, papers

ARTICLES = [
    pytest.param(paper.key, article, id=f"{paper.key}-{article.number}")
    for paper in papers()
    for article in paper.articles
]


@pytest.fixture(scope="module")
def site() -> Iterator[DemoSite]:
    with DemoSite() as running:
        yield running


def get(url: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    parts = urlsplit(url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=240)
    try:
        connection.request("GET", parts.path, headers=headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def url_of(site: DemoSite, key: str, path: str) -> str:
    return next(each.base + path for each in site.sites if each.paper.key == key)


def page_of(site: DemoSite, key: str, article: DemoArticle) -> tuple[str, bytes]:
    response, body = get(url_of(site, key, article.path))
    assert response.status == 200
    if response.headers["Content-Encoding"] == "gzip":
        body = gzip.decompress(body)
    charset = response.headers.get_content_charset()
    assert charset
    return body.decode(charset), body


def lines_of(page: str) -> list[str]:
    """Every visible line of a page: text runs between block tags, in page order."""
    body = re.sub(r"(?s)<(head|script|style|svg).*?</\1>", "", page)
    flat = re.sub(r"</?(?:a|b|strong)\b[^>]*>", "", body).replace("\n", " ")
    return [
        " ".join("".join(map(str, html.fromstring(f"<p>{run}</p>").itertext())).split())
        for run in re.split(r"<[^>]+>", flat)
        if run.strip()
    ]


@pytest.mark.parametrize(("key", "article"), ARTICLES)
def test_page_holds_every_line_and_the_paragraphs_in_order(site: DemoSite, key: str, article: DemoArticle) -> None:
    page, body = page_of(site, key, article)
    lines = lines_of(page)
    assert set(article.boilerplate) <= set(lines)
    assert set(article.neutral) <= set(lines)
    places = iter(lines)
    assert all(paragraph in places for paragraph in article.paragraphs)
    assert 15_000 <= len(body) <= 40_000
    assert 150 <= sum(len(paragraph.split()) for paragraph in article.paragraphs) <= 600


@pytest.mark.parametrize(("key", "article"), ARTICLES)
def test_no_line_is_both_article_and_boilerplate(key: str, article: DemoArticle) -> None:
    assert not set(article.paragraphs) & set(article.boilerplate)
    assert not {*article.paragraphs, *article.boilerplate} & set(article.neutral), key
    assert len(set(article.paragraphs)) == len(article.paragraphs)


@pytest.mark.parametrize(("key", "article"), ARTICLES)
def test_metadata_of_the_page(site: DemoSite, key: str, article: DemoArticle) -> None:
    tree = html.fromstring(page_of(site, key, article)[1])
    assert tree.get("lang") == article.language
    assert tree.xpath("string(//meta[@property='article:published_time']/@content)") == article.published
    assert datetime.fromisoformat(article.published).utcoffset() is not None
    assert tree.xpath("string(//meta[@property='og:title']/@content)") == article.title
    for script in tree.iter("script"):
        if script.get("type") != "application/ld+json":
            continue
        facts = json.loads(script.text or "")
        assert (facts["headline"], facts["datePublished"]) == (article.title, article.published)


@pytest.mark.parametrize("paper", papers(), ids=lambda paper: paper.key)
def test_template_text_repeats_and_article_text_does_not(paper: Paper) -> None:
    """What only the pages of a site together can tell: furniture stands on three or more, text on two at most."""
    shared = Counter(line for article in paper.articles for line in set(article.boilerplate))
    text = Counter(line for article in paper.articles for line in article.paragraphs)
    assert len(paper.articles) >= 12
    assert max(text.values()) == 2  # a series' introduction, a quotation used twice
    assert not set(shared) & set(text)
    sentences = [line for line in shared if len(line.split()) >= 15 and not line.startswith("Læs også:")]
    assert len(sentences) >= 8
    assert all(shared[line] >= 3 for line in sentences)


def test_some_pages_have_no_json_ld_and_one_names_only_the_paper(site: DemoSite) -> None:
    for each in site.sites:
        kinds = Counter[str]()
        for article in each.paper.articles:
            found = re.search(r'"author": (\[|\{)', page_of(site, each.paper.key, article)[0])
            kinds[found[1] if found else ""] += 1
        assert kinds[""] >= 2
        assert kinds["{"] == 1


def test_windows_1252_and_gzip_pages(site: DemoSite) -> None:
    kabel = site.sites[0]
    headers = [get(kabel.base + article.path)[0].headers for article in kabel.paper.articles]
    charsets = Counter(header.get_content_charset() for header in headers)
    assert charsets == {"utf-8": 11, "windows-1252": 1}
    assert [header["Content-Encoding"] for header in headers].count("gzip") == 1


def test_list_has_every_article_once_and_the_odd_ones(site: DemoSite) -> None:
    articles = [site.article(url) for url in site.urls]
    listed = Counter(article for article in articles if article)
    assert listed == Counter(article for each in site.sites for article in each.paper.articles)
    assert max(listed.values()) == 1
    assert {url for url, article in zip(site.urls, articles, strict=True) if not article} == {
        *site.missing,
        *site.forbidden,
    }
    statuses = Counter(get(url)[0].status for url in site.urls)
    assert statuses == {200: 22 + len(site.forbidden), 301: 2, 404: 2}


def test_old_address_leads_to_the_article(site: DemoSite) -> None:
    for each in site.sites:
        old = each.base + each.paper.facts["moved_from"]
        response, _ = get(old)
        assert response.status == 301
        assert site.article(each.base + response.headers["Location"]) == site.article(old) is not None
    assert site.article("http://127.0.0.9/artikel/4101/x") is None


def test_robots_feed_and_sitemap(site: DemoSite) -> None:
    for each, forbidden, sitemap, feed in zip(site.sites, site.forbidden, site.sitemaps, site.feeds, strict=True):
        robots = get(each.base + "/robots.txt")[1].decode()
        (rule,) = re.findall(r"Disallow: (\S+)", robots)
        assert urlsplit(forbidden).path.startswith(rule)
        assert f"Sitemap: {sitemap}" in robots
        expected = {each.base + article.path for article in each.paper.articles}
        assert {item.findtext("link") for item in ElementTree.fromstring(get(feed)[1]).iter("item")} == expected
        locations = ElementTree.fromstring(get(sitemap)[1]).iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
        assert {location.text for location in locations} == expected


def test_front_pages_link_all_articles(site: DemoSite) -> None:
    for each, front in zip(site.sites, site.fronts, strict=True):
        column = get(front)[1].decode()
        assert all(f'<a href="{article.path}">' in column for article in each.paper.articles)


def test_unchanged_pages_answer_304(site: DemoSite) -> None:
    url = site.fronts[0]
    first, body = get(url)
    again, nothing = get(url, **{"If-None-Match": first.headers["ETag"]})
    assert (first.status, again.status, nothing) == (200, 304, b"")
    assert get(url, **{"If-None-Match": '"other"'})[1] == body


def test_pictures_are_there(site: DemoSite) -> None:
    kinds = set()
    for each in site.sites:
        for article in each.paper.articles:
            (picture,) = re.findall(r'<img src="([^"]+)"', page_of(site, each.paper.key, article)[0]) or [None]
            if picture:
                response, body = get(each.base + picture)
                assert (response.status, bool(body)) == (200, True)
                kinds.add(response.headers["Content-Type"])
    assert kinds == {"image/png", "image/svg+xml"}


def test_another_day_turns_the_furniture_and_leaves_the_articles() -> None:
    for today, tomorrow in zip(papers(), papers(day=1), strict=True):
        for before, after in zip(today.articles, tomorrow.articles, strict=True):
            assert before.paragraphs == after.paragraphs
            assert before.boilerplate != after.boilerplate


def test_server_is_silent(site: DemoSite, capfd: pytest.CaptureFixture[str]) -> None:
    get(site.missing[0])
    get(site.fronts[0])
    assert capfd.readouterr() == ("", "")
