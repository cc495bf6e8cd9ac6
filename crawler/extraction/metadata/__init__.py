"""What a page says of its article: title, authors, dates, language and so on, and where each was found.

Order of belief: JSON-LD, `<meta>`, the visible page; for the title, what the page shows to people who share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from lxml.etree import _Element

from crawler.extraction.metadata import bylines, language, names, titles
from crawler.extraction.metadata.html_metadata import HtmlMetadata, absolute, host_of, path_of
from crawler.extraction.metadata.page_dates import dated_address, page_dates
from crawler.extraction.metadata.page_kind import Kind, page_kind
from crawler.extraction.metadata.plain_heading import plain_heading
from crawler.html import dates, jsonld
from crawler.html.jsonld import Node, many, plain


@dataclass(frozen=True, slots=True)
class Metadata:
    """The fields of `storage.model.Article` that a page states, and what it is."""

    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    modified: str | None = None
    language: str | None = None
    section: str | None = None
    topics: tuple[str, ...] = ()
    image: str | None = None
    description: str | None = None
    canonical_url: str | None = None
    paywalled: bool | None = None
    #: Field -> where it was found: {"title": "meta og:title", "published": "json-ld datePublished"}.
    sources: Mapping[str, str] = field(default_factory=dict)
    #: Field -> what another source said: {"authors": "json-ld: Example News"}.
    doubts: Mapping[str, str] = field(default_factory=dict)
    #: What the page says it is, or else looks like; `None` where neither tells. No field of the article: two pages that
    #: state the same are equal.
    kind: Kind | None = field(default=None, compare=False)

    def completed(self, other: Metadata, source: str) -> Metadata:
        """Return this with what another says that has seen `source` as well, and this does not or not as well.

        A title that stood in <title> alone has the site's name in it, a date in the address no time; the language is
        the other's, who has seen the text.
        """
        taken = [name for name in ("title", "authors", "published", "modified") if not getattr(self, name)]
        if self.sources.get("title") == "title":
            taken.append("title")
        if self.published and other.published and dates.detail(other.published) > dates.detail(self.published):
            taken.append("published")
        values = {name: getattr(other, name) for name in taken if getattr(other, name)}
        sources = {**self.sources, **dict.fromkeys(values, source)}
        return replace(self, **values, language=other.language or self.language, sources=sources)


def metadata(
    tree: _Element,
    url: str = "",
    text: str = "",
    *,
    nodes: list[Node] | None = None,
    now: datetime | None = None,
    looks_like: Kind | None = "article",
) -> Metadata:
    """Return what the page says of its article; never raises for what a page holds.

    `text` is the article's text, to check the language against; `nodes` the page's JSON-LD, if it has been read
    already; `now` (aware) the time no article can be younger than, the present if it is left out. What it `looks_like`
    counts where it does not say what it is; as an article only with a date.
    """
    page = HtmlMetadata(tree, url, jsonld.nodes(tree) if nodes is None else nodes, now or datetime.now(UTC))
    if (line := plain_heading(page)) is not None:
        page.headings.append(line)
    found = _Found()
    sections = [text for _, text in _sections(page)]
    found.put("title", titles.choose(_titles(page), page.site_names, [text for _, text in page.headings], sections))
    heading = page.headline(found.values.get("title", ""))
    _language(page, text, found)
    _authors(page, heading, text, found)
    _dates(page, heading, found)
    found.put("section", _first(_sections(page)))
    found.put("topics", _topics(page))
    found.put("image", _first(_images(page)))
    found.put("description", _first(_descriptions(page)))
    found.put("canonical_url", _first(_canonicals(page)))
    found.put("paywalled", _paywall(page))
    kind = page_kind(page, heading)
    if kind is None and (looks_like != "article" or "published" in found.values):
        kind = looks_like
    return Metadata(**found.values, sources=found.sources, doubts=found.doubts, kind=kind)


class _Found:
    """The fields found so far."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.doubts: dict[str, str] = {}

    def put(self, name: str, found: tuple[str, Any] | None) -> None:
        """Note a field and its source."""
        if found is not None:
            self.sources[name], self.values[name] = found


def _first(found: Iterator[tuple[str, str]]) -> tuple[str, str] | None:
    return next(((source, value) for source, value in found if value), None)


def _titles(page: HtmlMetadata) -> dict[str, str]:
    found = dict(page.from_article("headline"))
    for name in ("og:title", "twitter:title", "title", "dc.title"):
        found |= {f"meta {name}": plain(text) for text in page.meta.get(name, ())[:1]}
    found["title"] = plain(page.html_title)
    headings = [("logo" if page.is_logo(heading) else str(heading.tag), text) for heading, text in page.headings]
    found["h1"] = titles.heading_of(headings, found.values(), page.site_names)
    return found


def _authors(page: HtmlMetadata, heading: _Element | None, text: str, found: _Found) -> None:
    """What the page states; unless that is nobody but an organisation, and the visible byline names persons."""
    stated = _stated(page)
    if stated and names.persons(stated[1], page.site_names):
        found.put("authors", stated)
        return
    read = partial(dates.printed, now=page.now, locale=_locale(page, found))
    byline = bylines.visible(page.tree, heading, read, page.site_names) or bylines.unmarked(
        heading, text, read, page.site_names, {text for _, text in page.headings}
    )
    if byline and stated:
        found.doubts["authors"] = f"{stated[0]}: {', '.join(stated[1])}"
    if byline:
        found.put("authors", ("byline", byline))
    elif stated or (marked := bylines.credited(page.tree, heading)):
        found.put("authors", stated or ("byline", marked))


def _stated(page: HtmlMetadata) -> tuple[str, tuple[str, ...]] | None:
    """The first credits with a person; else the first that are not the site's own name; else the first.

    The site's own name beside a person is the publisher again and is left out; an agency's is a credit and stays.
    """
    groups = [(source, people) for source, texts in _stated_authors(page) if (people := names.people(texts))]
    foreign = [
        (source, others)
        for source, people in groups
        if (others := tuple(name for name in people if not names.is_own(name, page.site_names)))
    ]
    persons = (group for group in foreign if names.persons(group[1]))
    return next(persons, None) or next(iter(foreign), None) or next(iter(groups), None)


def _stated_authors(page: HtmlMetadata) -> Iterator[tuple[str, list[str]]]:
    for name in ("author", "creator"):
        nodes = [page.resolve(node) for node in many(page.article.get(name))]
        yield (
            f"json-ld {name}",
            [plain(text) for node in nodes for text in many(node.get("name")) if isinstance(text, str)],
        )
    for name in _AUTHOR_METAS:
        # The tenth "author" of a page is a photographer's.
        yield f"meta {name}", [plain(text) for text in page.meta.get(name, ())[:3]]


_AUTHOR_METAS = (
    *("article:author", "author", "articleauthor", "og:article:author", "dc.creator", "dcterms.creator", "byl"),
    *("sailthru.author", "dcsext.author", "article:author_name", "cxenseparse:author", "parsely-author", "authors"),
)
_PUBLISHED_METAS = (
    *("article:published_time", "og:article:published_time", "article:published", "datepublished", "parsely-pub-date"),
    *(
        "date",
        "pubdate",
        "publishdate",
        "publish-date",
        "publish_date",
        "publication_date",
        "dc.date.issued",
        "dc.date",
    ),
    *(
        "dcterms.created",
        "dcterms.date",
        "sailthru.date",
        "cxenseparse:recs:publishtime",
        "article.published",
        "og:pubdate",
    ),
    *(
        "article:post_date",
        "originalpublicationdate",
        "datecreated",
        "published_time",
        "ptime",
        "weibo:article:create_at",
    ),
)
_MODIFIED_METAS = (
    *("article:modified_time", "og:updated_time", "datemodified", "last-modified", "lastmod", "dcterms.modified"),
    *("article:modified", "modified_time", "revised", "dc.date.modified", "og:article:modified_time"),
)


def _dates(page: HtmlMetadata, heading: _Element | None, found: _Found) -> None:
    locale = _locale(page, found)
    read = partial(_date, now=page.now, locale=locale)
    declared = [*page.from_article("datePublished", "dateCreated"), *page.sourced(*_PUBLISHED_METAS)]
    published = read(declared)
    modified = read([*page.from_article("dateModified"), *page.sourced(*_MODIFIED_METAS)])
    if not (published and modified and dates.detail(published[1]) == 2):
        shown = page_dates(page.tree, heading, page.now, locale)
        fallback = [*page.from_web_page("datePublished"), *shown.published, *dated_address(page.url)]
        published = read([published, *fallback] if published else fallback)
        modified = modified or read([*shown.modified, *page.from_web_page("dateModified")])
    found.put("published", published)
    found.put("modified", modified)


def _locale(page: HtmlMetadata, found: _Found) -> str:
    """The language that was found, with the country of the page's host: how it writes dates."""
    return language.with_country(found.values.get("language", ""), host_of(page.url))


def _date(candidates: Iterable[tuple[str, str]], now: datetime, locale: str) -> tuple[str, str] | None:
    """The first date; or one of the same day that says more."""
    best: tuple[str, str] | None = None
    for source, text in candidates:
        value = dates.iso(text, now, locale)
        if value is None:
            continue
        if best is None or (value[:10] == best[1][:10] and dates.detail(value) > dates.detail(best[1])):
            best = source, value
        if best and dates.detail(best[1]) == 2:
            break
    return best


def _language(page: HtmlMetadata, text: str, found: _Found) -> None:
    root = page.tree.getroottree().getroot()
    declared = [
        (
            "html lang",
            root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or root.get("xml:lang"),
        ),
        *page.from_article("inLanguage"),
        *page.sourced("og:locale", "content-language", "language", "dc.language"),
    ]
    tags = [(source, tag) for source, text_ in declared if (tag := language.tag(text_))]
    best = tags[0] if tags else None
    detected = language.detect(text)
    if best and not (detected and language.agree(best[1], detected)):
        # A declaration is doubted on good grounds only.
        detected = language.detect(text, enough=3_000)
    if detected and (best is None or not language.agree(best[1], detected)):
        if best:
            found.doubts["language"] = f"{best[0]}: {best[1]}"
        best = next((each for each in tags if language.agree(each[1], detected)), ("text", detected))
    found.put("language", best)


def _sections(page: HtmlMetadata) -> Iterator[tuple[str, str]]:
    yield from page.from_article("articleSection")
    yield from page.sourced("article:section", "section", "parsely-section", "cxenseparse:section")
    for node in page.nodes:
        if node.get("@type") == "BreadcrumbList":
            steps = [_step(step) for step in many(node.get("itemListElement")) if isinstance(step, dict)]
            # Home, section, perhaps the article itself.
            yield "json-ld BreadcrumbList", next(iter(steps[1:-1] or steps[1:2]), "")


def _step(step: Node) -> str:
    item = step.get("item")
    name = step.get("name") or (item.get("name") if isinstance(item, dict) else None)
    return plain(name) if isinstance(name, str) else ""


def _topics(page: HtmlMetadata) -> tuple[str, tuple[str, ...]] | None:
    groups: list[tuple[str, list[str]]] = [("json-ld keywords", [text for _, text in page.from_article("keywords")])]
    groups += [
        (f"meta {name}", page.metas(name)) for name in ("article:tag", "news_keywords", "keywords", "parsely-tags")
    ]
    for source, texts in groups:
        words = [" ".join(word.split()) for text in texts for word in plain(text).replace(";", ",").split(",")]
        topics = tuple({word.casefold(): word for word in words if word and len(word) <= 80}.values())
        if topics:
            return source, topics
    return None


def _images(page: HtmlMetadata) -> Iterator[tuple[str, str]]:
    candidates = [*page.sourced("og:image:secure_url", "og:image", "og:image:url")]
    for value in many(page.article.get("image")):
        node = page.resolve(value) if isinstance(value, dict) else {"url": value}
        candidates.append(("json-ld image", str(node.get("url") or node.get("contentUrl") or "")))
    candidates += [*page.sourced("twitter:image", "twitter:image:src", "thumbnail")]
    yield from ((source, address) for source, text in candidates if (address := absolute(page.url, text)))


def _descriptions(page: HtmlMetadata) -> Iterator[tuple[str, str]]:
    yield from ((source, " ".join(plain(text).split())) for source, text in page.sourced("og:description"))
    yield from ((source, " ".join(text.split())) for source, text in page.from_article("description"))
    for source, text in page.sourced("description", "twitter:description", "dc.description"):
        yield source, " ".join(plain(text).split())


def _canonicals(page: HtmlMetadata) -> Iterator[tuple[str, str]]:
    candidates = [("link canonical", href) for href in page.canonicals]
    candidates += [*page.sourced("og:url"), *page.from_article("url")]
    for source, text in candidates:
        address = absolute(page.url, text)
        # Every page of a badly built site names the front page.
        if address and (path_of(address) or not path_of(page.url)):
            yield source, address


def _paywall(page: HtmlMetadata) -> tuple[str, bool] | None:
    """Whether the article, or a part of it, is for subscribers."""
    flags = [page.article.get("isAccessibleForFree")]
    flags += [part.get("isAccessibleForFree") for part in many(page.article.get("hasPart")) if isinstance(part, dict)]
    said = {str(flag).strip().lower().rsplit("/", 1)[-1] for flag in flags if flag is not None}
    if said & {"false", "no", "0"}:
        return "json-ld isAccessibleForFree", True
    tier = next(iter(page.metas("article:content_tier", "og:article:content_tier")), "").lower()
    if tier in ("locked", "metered"):
        return "meta article:content_tier", True
    if said & {"true", "yes", "1"}:
        return "json-ld isAccessibleForFree", False
    return ("meta article:content_tier", False) if tier == "free" else None
