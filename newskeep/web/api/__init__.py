"""The JSON API: captures, articles and their versions, sites, search. `save` writes; `document` describes it."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from newskeep import fields
from newskeep.rights import SiteTerms
from newskeep.site_hosts import parse_words
from newskeep.web.addresses import Origins
from newskeep.web.api import save
from newskeep.web.api.check import checks
from newskeep.web.api.cursor import article_cursor, parse_article_cursor
from newskeep.web.api.document import document
from newskeep.web.cdx.query import parse_resume_key, resume_key
from newskeep.web.params import Params
from newskeep.web.withheld import is_withheld, mind
from storage.archive import Archive
from storage.articles import to_json
from storage.index import ORDERS, ArticleEntry, Filters, Hit
from storage.model import Capture
from storage.urls import normalize, timestamp14
from storage.versions import Version

#: Items of a page.
PAGE, PAGE_MAX = 50, 500
#: Articles that are read to find those of an author: the index does not know authors.
_READ_MAX = 300
_MATCHES = ("exact", "prefix", "host", "domain")


def routes() -> list[BaseRoute]:
    return [
        Route("/api/counts", _counts),
        Route("/api/captures", _captures),
        Route("/api/articles", _articles),
        Route("/api/article", _article),
        Route("/api/versions", _versions),
        Route("/api/sites", _sites),
        Route("/api/search", _search),
        Route("/api/tags", _tags),
        Route("/api/verify", _verify),
        *save.routes(),
        Route("/openapi.json", _openapi),
    ]


def _counts(request: Request) -> Response:
    counts = _archive(request).index.counts()
    return JSONResponse(
        {"warcs": counts.warcs, "bytes": counts.bytes, "captures": counts.captures, "articles": counts.articles}
    )


def _captures(request: Request) -> Response:
    params, origins = Params(request), Origins.of(request)
    url = normalize(params.required("url"))
    after = params.text("after", most=12_000)
    size = params.integer("limit", 1, PAGE_MAX) or PAGE
    found = list(
        _archive(request).index.captures(
            url,
            match=params.choice("match", _MATCHES) or "exact",  # type: ignore[arg-type]
            since=params.time("from", pad="start"),
            until=params.time("to", pad="end"),
            tag=params.tag(),
            limit=size + 1,
            after=parse_resume_key(after) if after else None,
        )
    )
    following = resume_key(found[size - 1]) if len(found) > size else None
    return JSONResponse(
        {"captures": [_capture(origins, each) for each in found[:size]], "next": _next(request, origins, following)}
    )


def _capture(origins: Origins, capture: Capture) -> dict[str, Any]:
    links = {"memento": origins.memento(capture), "original": origins.memento(capture, "id_")}
    return {**fields.of_capture(capture), "links": links}


def _articles(request: Request) -> Response:
    params, origins, archive = Params(request), Origins.of(request), _archive(request)
    after = params.text("after", most=100)
    author = params.text("author", most=200)
    size = params.integer("limit", 1, PAGE_MAX) or PAGE
    entries = archive.index.articles(
        site=params.site(),
        language=params.text("language", most=35),
        since=params.time("from", pad="start"),
        until=params.time("to", pad="end"),
        tag=params.tag(),
        after=parse_article_cursor(after) if after else None,
        limit=size + 1 if author is None else _READ_MAX + 1,
    )
    found: list[ArticleEntry] = []
    last: ArticleEntry | None = None
    more = False
    for number, entry in enumerate(entries):
        if len(found) == size or number == _READ_MAX:
            more = True
            break
        last = entry
        if author is None or archive.is_by(entry, author):
            found.append(entry)
    following = article_cursor(last) if more and last else None
    return JSONResponse(
        {"articles": [_entry(origins, each) for each in found], "next": _next(request, origins, following)}
    )


def _entry(origins: Origins, entry: ArticleEntry) -> dict[str, Any]:
    query = urlencode({"url": entry.url, "at": timestamp14(entry.timestamp)})
    return {
        **fields.of_article(entry),
        "links": {"article": f"{origins.app}/api/article?{query}", "page": origins.article(entry.url, entry.timestamp)},
    }


def _article(request: Request) -> Response:
    params = Params(request)
    url, at = normalize(params.required("url")), params.time("at", pad="start")
    archive = _archive(request)
    article = archive.article(url, at)
    mind(request, article)
    said = fields.of_annotations(archive, article.url, article.timestamp) if article.timestamp else {}
    if article.timestamp:
        article = replace(article, rights=(*article.rights, *SiteTerms(archive).of(article.url, article.timestamp)))
    return JSONResponse({**to_json(article), **said})


def _versions(request: Request) -> Response:
    found = _archive(request).versions(normalize(Params(request).required("url")))
    return JSONResponse({"versions": [_version(each) for each in found]})


def _version(version: Version) -> dict[str, Any]:
    return {**fields.of_version(version), "removals": [fields.of_removal(each) for each in version.removals]}


def _sites(request: Request) -> Response:
    params, origins = Params(request), Origins.of(request)
    size = params.integer("limit", 1, PAGE_MAX) or PAGE
    after = params.text("after", most=300) or ""
    found = list(islice(_archive(request).index.sites(after), size + 1))
    following = found[size - 1] if len(found) > size else None
    sites = [
        {"site": site, "links": {"articles": f"{origins.app}/api/articles?{urlencode({'site': site})}"}}
        for site in found
    ]
    return JSONResponse({"sites": sites[:size], "next": _next(request, origins, following)})


def _tags(request: Request) -> Response:
    origins = Origins.of(request)
    tags = [
        {**asdict(each), "links": {"articles": f"{origins.app}/api/articles?{urlencode({'tag': each.tag})}"}}
        for each in _archive(request).index.tags()
    ]
    return JSONResponse({"tags": tags})


def _search(request: Request) -> Response:
    params, origins, archive = Params(request), Origins.of(request), _archive(request)
    size = params.integer("limit", 1, PAGE_MAX) or PAGE
    wanted = parse_words(request.app.state.options.config, params.required("q", most=1_000))
    filters = Filters(
        site=params.site(),
        language=params.text("language", most=35),
        author=params.text("author", most=200),
        tag=params.tag(),
        since=params.time("from", pad="start"),
        until=params.time("to", pad="end"),
    )
    order, after = params.choice("order", ORDERS) or "date", params.integer("after", 0, 10**12 - 1)
    found = list(archive.search(wanted, **asdict(filters), order=order, before=after, limit=size + 1))
    following = str(found[size - 1].key) if len(found) > size else None
    total = archive.index.total(wanted, filters)
    return JSONResponse(
        {
            "articles": [_hit(origins, each, is_withheld(request, each.article)) for each in found[:size]],
            "total": total.count,
            "total_is_exact": total.exact,
            "next": _next(request, origins, following),
        }
    )


def _hit(origins: Origins, hit: Hit, withheld: bool) -> dict[str, Any]:
    """A hit; of one that is `withheld` no words of its text."""
    return {
        **_entry(origins, hit.article),
        "authors": list(hit.authors),
        "snippet": "" if withheld else hit.snippet,
        "marks": [] if withheld else [list(each) for each in hit.marks],
        "title_marks": [list(each) for each in hit.title_marks],
    }


def _verify(request: Request) -> Response:
    params, archive, origins = Params(request), _archive(request), Origins.of(request)
    capture = archive.find(normalize(params.required("url")), params.time("at", pad="start"))
    found = checks(archive, capture)
    return JSONResponse(
        {"sound": all(each["sound"] for each in found), "capture": _capture(origins, capture), "checks": found}
    )


def _openapi(request: Request) -> Response:
    return JSONResponse(document(Origins.of(request).app))


def _archive(request: Request) -> Archive:
    archive: Archive = request.app.state.archive
    return archive


def _next(request: Request, origins: Origins, after: str | None) -> str | None:
    """The address of the page behind this one."""
    if after is None:
        return None
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    return f"{origins.app}{request.scope['path']}?{urlencode([*kept, ('after', after)])}"
