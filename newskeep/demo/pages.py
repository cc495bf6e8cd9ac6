"""Whole pages of a paper: articles, front page, feed, news sitemap, robots.txt, and what a crawler stumbles over."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape
from string import Template

from newskeep.demo.columns import column, media
from newskeep.demo.papers import Paper, Source

MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True, slots=True)
class Page:
    """What the server answers; `headers` without Content-Length."""

    body: bytes
    content_type: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


def render(paper: Paper, base: str) -> dict[str, Page]:
    """Return every page of the paper by its path; `base` is its address without a slash at the end."""
    facts = paper.facts
    pages = {source.path: _article(paper, source, base) for source in paper.sources}
    pages[facts["front"]] = _html(_shell(paper, base, facts["front"], title=facts["slogan"], inner=_front(paper)))
    pages[facts["forbidden"]] = _html(
        _shell(paper, base, facts["forbidden"], title="404", inner="<p>Not for robots.</p>")
    )
    pages[facts["moved_from"]] = Page(b"", "text/html", 301, (("Location", facts["moved_to"]),))
    pages[facts["feed"]] = _xml(_feed(paper, base))
    pages[facts["sitemap"]] = _xml(_sitemap(paper, base))
    pages["/robots.txt"] = _robots(paper, base)
    for entry in paper.data("").iterdir():
        if media_type := MEDIA_TYPES.get(entry.name.rpartition(".")[2]):
            pages[f"/media/{entry.name}"] = Page(entry.read_bytes(), media_type)
    return pages


def missing(paper: Paper, base: str, path: str) -> Page:
    """The answer to a path that is not there."""
    return _html(_shell(paper, base, path, title="404", inner="<h1>404</h1>"), status=404)


def _html(text: str, status: int = 200) -> Page:
    return Page(text.encode(), "text/html; charset=utf-8", status)


def _xml(text: str) -> Page:
    return Page(text.encode(), "application/xml; charset=utf-8")


def _article(paper: Paper, source: Source, base: str) -> Page:
    inner = column(paper, source).html
    body = _shell(paper, base, source.path, title=source.title, inner=inner, source=source).encode(source.charset)
    content_type = f"text/html; charset={source.charset}"
    if source.encoding == "gzip":
        return Page(gzip.compress(body, mtime=0), content_type, headers=(("Content-Encoding", "gzip"),))
    return Page(body, content_type)


def _shell(paper: Paper, base: str, path: str, *, title: str, inner: str, source: Source | None = None) -> str:
    """Put a column into the paper's template; `source` is `None` for pages that are no articles."""
    facts = paper.facts
    consent, letter, imprint = (escape(line, quote=False) for line in facts["chrome"])
    others = [other for other in paper.sources if other is not source]
    turn = int(source.number) if source else 0
    return Template(paper.data("page.html").read_text("utf-8")).substitute(
        language=paper.language,
        locale=facts["locale"],
        charset=source.charset if source else "utf-8",
        name=paper.name,
        slogan=escape(facts["slogan"]),
        title=escape(title),
        description=escape(source.description if source else facts["slogan"]),
        url=base + path,
        feed=facts["feed"],
        section=source.section if source else "",
        kind="article" if source else "page",
        metas=_metas(paper, source, base) if source else '<meta property="og:type" content="website">',
        json_ld=_json_ld(paper, source, base) if source else "",
        column=inner,
        nav=_items(f'<a href="/s/{n}">{escape(name)}</a>' for n, name in enumerate(facts["sections"], 1)),
        most_read=_items(_link(other) for other in sorted(others, key=lambda other: other.title)[:7]),
        terms=_items(f'<a href="/t/{n}">{escape(term)}</a>' for n, term in enumerate(facts["terms"], 1)),
        cards="\n".join(_card(others[(turn + step) % len(others)]) for step in range(6)),
        partners=_items(map(escape, facts["partners"])),
        languages=_items(map(escape, facts.get("languages", ()))),
        prices="\n".join(f"<span>{rate['symbol']} {rate['price']}</span>" for rate in facts.get("rates", ())),
        consent=consent,
        letter=letter,
        imprint=imprint,
    )


def _items(inner: Iterable[str]) -> str:
    return "\n".join(f"<li>{each}</li>" for each in inner)


def _link(source: Source) -> str:
    return f'<a href="{source.path}">{escape(source.title, quote=False)}</a>'


def _card(source: Source) -> str:
    teaser = source.description[:90].rsplit(" ", 1)[0] + " …"
    return f'<div class="item"><h4>{_link(source)}</h4><p>{escape(teaser, quote=False)}</p></div>'


def _front(paper: Paper) -> str:
    newest = sorted(paper.sources, key=lambda source: source.published, reverse=True)
    return "<h1>{}</h1>\n{}".format(escape(paper.name), "\n".join(_card(source) for source in newest))


def _metas(paper: Paper, source: Source, base: str) -> str:
    facts = [
        ("property", "og:type", "article"),
        ("property", "og:image", base + media(paper, source)),
        ("property", "article:published_time", source.published),
        ("property", "article:section", source.section),
        *(("property", "article:tag", topic) for topic in source.topics),
    ]
    if source.modified:
        facts.append(("property", "article:modified_time", source.modified))
    if source.json_ld == "none":
        facts += [("name", "author", author) for author in source.authors]
    return "\n".join(f'<meta {kind}="{name}" content="{escape(value)}">' for kind, name, value in facts)


def _json_ld(paper: Paper, source: Source, base: str) -> str:
    if source.json_ld == "none":
        return ""
    publisher = {"@type": "Organization", "name": paper.name, "url": base + paper.facts["front"]}
    people = [{"@type": "Person", "name": author} for author in source.authors]
    facts = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "mainEntityOfPage": base + source.path,
        "headline": source.title,
        "description": source.description,
        "datePublished": source.published,
        "dateModified": source.modified or source.published,
        "author": publisher if source.json_ld == "organisation" else people,
        "publisher": publisher,
        "articleSection": source.section,
        "keywords": list(source.topics),
        "inLanguage": paper.language,
    }
    text = json.dumps(facts, ensure_ascii=source.charset != "utf-8").replace("<", "\\u003c")
    return f'<script type="application/ld+json">{text}</script>'


def _feed(paper: Paper, base: str) -> str:
    items = "\n".join(
        f"<item><title>{escape(source.title)}</title><link>{base}{source.path}</link>"
        f'<guid isPermaLink="true">{base}{source.path}</guid><description>{escape(source.description)}</description>'
        f"<pubDate>{format_datetime(datetime.fromisoformat(source.published))}</pubDate></item>"
        for source in reversed(paper.sources)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{paper.name}</title><link>{base}{paper.facts['front']}</link>"
        f"<description>{escape(paper.facts['slogan'])}</description><language>{paper.language}</language>\n"
        f"{items}\n</channel></rss>\n"
    )


def _sitemap(paper: Paper, base: str) -> str:
    entries = "\n".join(
        f"<url><loc>{base}{source.path}</loc><news:news><news:publication><news:name>{paper.name}</news:name>"
        f"<news:language>{paper.language}</news:language></news:publication>"
        f"<news:publication_date>{source.published}</news:publication_date>"
        f"<news:title>{escape(source.title)}</news:title></news:news></url>"
        for source in paper.sources
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        f'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">\n{entries}\n</urlset>\n'
    )


def _robots(paper: Paper, base: str) -> Page:
    folder = paper.facts["forbidden"].rpartition("/")[0]
    text = f"User-agent: *\nDisallow: {folder}/\n\nSitemap: {base}{paper.facts['sitemap']}\n"
    return Page(text.encode(), "text/plain; charset=utf-8")
