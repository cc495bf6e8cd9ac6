"""The HTML of a simulated site: articles in two designs and their twins, front page, sections, archives, the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from html import escape
from random import Random

import world_text
from world_sites import SECTIONS, Article, Site

FRONT, SECTION = 25, 15
FEED = "/feeds/latest"
#: Linked on every front page like an article, and forbidden by robots.txt.
PRIVATE = "/private/2026/11/02/the-story-that-robots-must-not-read-10001"
#: Hours at which the front page of a site with editions changes.
EDITIONS = (0, 6, 11, 15, 19)
#: Pages of any site that are no articles.
OTHERS = ("/about", "/contact", "/privacy", "/newsletter", "/weather", "/jobs", "/login", "/search?q=mill", "/video/")


def article_page(site: Site, article: Article, form: str, at: datetime) -> str:
    if form == "amp":
        return _amp(site, article, at)
    if form == "print":
        return _printed(site, article, at)
    if site.redesigned(at):
        return _redesigned(site, article, at)
    paragraphs = "\n".join(f"<p>{escape(text, quote=False)}</p>" for text in article.text(at))
    published = article.published.isoformat()
    inner = f"""<article class="story"><header><p class="kicker">{article.section.title()}</p>
<h1>{escape(article.headline(at), quote=False)}</h1>
<p class="byline">By <a rel="author" href="/author/{world_text.slug(article.author)}">{article.author}</a>,
<time datetime="{published}">{article.published:%d %B %Y, %H:%M}</time></p></header>
<figure><img src="/img/{article.number}.png" alt="" width="640" height="320"></figure>
<div class="body">{paragraphs}</div>
<p class="tags">Topics: {_tags(article)}</p>{_print_link(article)}</article>"""
    return shell(site, article.headline(at), inner, at, _article_head(site, article, at))


def front_page(site: Site, at: datetime, seen: str, extra: str = "") -> str:
    """Return the front page; `seen` is what a fresh session id is made of, `extra` stands at its end."""
    shown = _edition(at) if site.character.editions else at
    articles = [article for article in site.newest(shown, FRONT) if article.there(at)]
    cards = "\n".join(_card(site, article, at, seen, "front") for article in articles)
    secret = f'<div class="card"><h2><a href="{PRIVATE}">The story that robots must not read</a></h2></div>'
    inner = f'<main class="front"><h1>{site.title}</h1>{cards}{secret}{extra}</main>'
    return shell(site, site.title, inner, at, _front_head(site))


def section_page(site: Site, section: str, page: int, at: datetime, seen: str) -> str:
    """Return a page of a section; the last one has no link to a next."""
    found = site.newest(at, SECTION * (page + 1) + 1, section)[SECTION * page :]
    cards = "\n".join(_card(site, article, at, seen, section) for article in found[:SECTION])
    more = (
        f'<a class="next" rel="next" href="/section/{section}?page={page + 2}">Older</a>'
        if len(found) > SECTION
        else ""
    )
    return shell(site, f"{section.title()} – {site.title}", f"<main><h1>{section.title()}</h1>{cards}{more}</main>", at)


def archive_page(site: Site, day: datetime, at: datetime) -> str:
    """Return the list of a day's articles, with links to the day before and after."""
    found = [each for each in site.articles(min(at, day + timedelta(days=1)), day) if each.there(at)]
    items = "".join(f'<li><a href="{each.path}">{escape(each.headline(at))}</a></li>' for each in found)
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    links = f'<a href="/archive/{before:%Y/%m/%d}">Before</a> <a href="/archive/{after:%Y/%m/%d}">After</a>'
    return shell(site, f"{day:%d %B %Y}", f"<main><h1>{day:%d %B %Y}</h1><ul>{items}</ul>{links}</main>", at)


def other_page(site: Site, path: str, at: datetime) -> str:
    random = Random(f"{site.name}{path}")
    text = f"About {path.strip('/')}. " + " ".join(world_text.sentence(random) for _ in range(2))
    return shell(site, path.strip("/").title(), f"<main><h1>{escape(path)}</h1><p>{escape(text)}</p></main>", at)


def list_page(site: Site, name: str, at: datetime) -> str:
    """Return the page of a tag or an author: some links to articles."""
    articles = [each for each in site.newest(at, 60) if name in (world_text.slug(each.author), *_tag_names(each))][:10]
    cards = "\n".join(_card(site, article, at, "", "tag") for article in articles)
    return shell(site, name.title(), f"<main><h1>{name.title()}</h1>{cards}</main>", at)


def wall_page(site: Site, at: datetime) -> str:
    """Return what a site shows instead of an article to those who are not logged in."""
    form = '<form action="/login" method="post"><input name="user"><input type="password" name="password"></form>'
    return shell(site, "Log in", f"<main><h1>Log in to read on</h1><p>Please log in to continue.</p>{form}</main>", at)


CHALLENGE = """<!DOCTYPE html><html><head><title>Just a moment...</title><meta name="robots" content="noindex,nofollow">
</head><body><h1>Checking your browser before you go on</h1><p>Please enable JavaScript and cookies to continue.</p>
<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script></body></html>"""


def _article_head(site: Site, article: Article, at: datetime) -> str:
    address = site.base + article.path
    published, modified = article.published.isoformat(), article.modified(at).isoformat()
    facts = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "mainEntityOfPage": address,
        "headline": article.headline(at),
        "datePublished": published,
        "dateModified": modified,
        "author": [{"@type": "Person", "name": article.author}],
        "articleSection": article.section,
    }
    amp = f'<link rel="amphtml" href="{article.twins["amp"]}">' if "amp" in article.twins else ""
    robots = '<meta name="robots" content="noarchive">' if article.noarchive == "meta" else ""
    return f"""<link rel="canonical" href="{address}">{amp}{robots}
<meta property="og:type" content="article"><meta property="og:title" content="{escape(article.headline(at))}">
<meta property="og:url" content="{address}"><meta property="article:published_time" content="{published}">
<meta property="article:modified_time" content="{modified}">
<script type="application/ld+json">{json.dumps(facts, ensure_ascii=False).replace("<", "&lt;")}</script>"""


def _front_head(site: Site) -> str:
    kind = {None: "", "atom": "application/atom+xml", "json": "application/feed+json"}.get(
        site.character.feed, "application/rss+xml"
    )
    feed = f'<link rel="alternate" type="{kind}" title="{site.title}" href="{FEED}">' if kind else ""
    return f'{feed}<meta property="og:type" content="website"><link rel="canonical" href="{site.base}/">'


def shell(site: Site, title: str, inner: str, at: datetime, head: str = "") -> str:
    look = "b7" if site.redesigned(at) else "a"
    sections = SECTIONS if site.character.sections else ()
    nav = _items(f'<a href="/section/{name}">{name.title()}</a>' for name in sections)
    others = _items(f'<a href="{path}">{path.strip("/").title()}</a>' for path in OTHERS)
    aside = _sidebar(site, at) if site.character.sidebar else ""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>{head}
<link rel="stylesheet" href="/style.css"></head>
<body class="{look}"><header class="top"><a href="/">{site.title}</a>
<nav><ul><li><a href="/">Front page</a></li>{nav}</ul></nav></header>
{inner}
{aside}
<footer><p>{site.title} is printed on recycled paper. All rights reserved by the publisher.</p>
<ul>{others}</ul><p><a href="https://social.example/{site.name}">Follow us</a>
<a href="mailto:desk@{site.name}.example">Write to us</a> <a href="javascript:void(0)">Top</a></p>
</footer></body></html>"""


def _sidebar(site: Site, at: datetime) -> str:
    articles = [each for each in site.newest(at - timedelta(hours=1), 30) if each.there(at)]
    chosen = Random(f"{site.name}{at:%Y%m%d%H}").sample(articles, min(5, len(articles)))
    links = _items(f'<a href="{each.path}">{escape(each.title, quote=False)}</a>' for each in chosen)
    return f'<aside class="most"><h3>Most read</h3><ol>{links}</ol></aside>'


def link(site: Site, article: Article, seen: str, source: str) -> str:
    """Return the address that a page of this site links to an article by."""
    twins = site.character.twins
    path = article.twins.get("short", article.path)
    if source in SECTIONS and article.number % 2:
        path = article.twins.get("second", path)
    if "session" in twins:
        return f"{path}?PHPSESSID={Random(seen + path).getrandbits(64):016x}"
    if "tracking" in twins:
        return f"{path}?utm_source={source}&amp;utm_medium=web&amp;utm_campaign=c{article.number % 7}"
    return path


def _card(site: Site, article: Article, at: datetime, seen: str, source: str) -> str:
    teaser = article.text(article.published)[0][:110].rsplit(" ", 1)[0]
    headline = escape(article.headline(at), quote=False)
    return f"""<div class="card"><h2><a href="{link(site, article, seen, source)}">{headline}</a></h2>
<p>{escape(teaser, quote=False)} …</p></div>"""


def _items(inner: Iterable[str]) -> str:
    return "".join(f"<li>{each}</li>" for each in inner)


def _tag_names(article: Article) -> tuple[str, str]:
    return article.section, world_text.slug(article.title.split()[0])


def _tags(article: Article) -> str:
    return ", ".join(f'<a href="/tag/{name}">{name}</a>' for name in _tag_names(article))


def _print_link(article: Article) -> str:
    return f'<p><a rel="nofollow" href="{article.twins["print"]}">Print</a></p>' if "print" in article.twins else ""


def _amp(site: Site, article: Article, at: datetime) -> str:
    paragraphs = "\n".join(f"<p>{escape(text, quote=False)}</p>" for text in article.text(at))
    headline = escape(article.headline(at), quote=False)
    return f"""<!DOCTYPE html><html amp lang="en"><head><meta charset="utf-8"><title>{headline}</title>
<link rel="canonical" href="{site.base}{article.path}"></head>
<body><article><h1>{headline}</h1>{paragraphs}</article></body></html>"""


def _printed(site: Site, article: Article, at: datetime) -> str:
    text = "<br><br>".join(escape(each, quote=False) for each in article.text(at))
    headline = escape(article.headline(at), quote=False)
    return f"""<html><head><title>{headline}</title><link rel="canonical" href="{site.base}{article.path}">
<meta name="robots" content="noindex"></head><body onload="print()"><h2>{headline}</h2>
<div>{text}</div></body></html>"""


def _redesigned(site: Site, article: Article, at: datetime) -> str:
    """The new design shows a teaser and leaves text and date to a script."""
    teaser = escape(article.text(at)[0][:120], quote=False)
    data = json.dumps([text[::-1] for text in article.text(at)])
    inner = f"""<div class="x9-root"><div class="x9-h"><h1>{escape(article.headline(at), quote=False)}</h1></div>
<div class="x9-t">{teaser} …</div><div id="app"></div>
<script>window.__state={data.replace("<", "&lt;")}</script></div>"""
    return shell(site, article.headline(at), inner, at, f'<link rel="canonical" href="{site.base}{article.path}">')


def _edition(at: datetime) -> datetime:
    hour = max(hour for hour in EDITIONS if hour <= at.hour)
    return at.replace(hour=hour, minute=0, second=0, microsecond=0)
