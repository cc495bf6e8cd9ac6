"""Pages that were fetched as the AMP or print form of another page: whose article they are. Pure.

Until its text is read nobody knows whether such a page is what it was taken for. So it is marked in its record, and
judged wherever its text is made, now or by `reextract`.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from crawler.discovery.identity import identity, registered
from storage.articles import TWIN
from storage.errors import InvalidURL
from storage.model import Article
from storage.warc import TWIN_OF, Record

_PREFIX = "urn:twin:"
#: Between two addresses: no normalised one has a blank.
_BETWEEN = " "


def twin_uri(url: str, page: str) -> str:
    """What the text of `url` is made under, as the twin of `page`."""
    return f"{_PREFIX}{url}{_BETWEEN}{page}"


def twin_of(uri: str) -> tuple[str, str] | None:
    """The address of a twin and that of its page; `None` for every other address."""
    url, between, page = uri.removeprefix(_PREFIX).partition(_BETWEEN)
    return (url, page) if uri.startswith(_PREFIX) and between else None


def text_address(record: Record) -> str:
    """What the text of a record is made under: its address, or what says that it is a twin."""
    page = record.field(TWIN_OF)
    return twin_uri(record.url, page) if page else record.url


def as_page(article: Article, page: str) -> Article | None:
    """The article of a twin as that of its page; `None` where the twin does not call that page its own address.

    Its canonical link has to name the page, on the same registered domain; with another scheme is the same.
    """
    if article.canonical_url is None or article.sources.get("canonical_url") != "link canonical":
        return None
    try:
        named, wanted, own = identity(article.canonical_url), identity(page), identity(article.url)
    except InvalidURL:
        return None
    hosts = {registered(urlsplit(url).hostname or "") for url in (own, wanted)}
    if len(hosts) > 1 or named.partition(":")[2] != wanted.partition(":")[2]:
        return None
    made = article.extractor
    extractor = made and replace(made, method=f"{TWIN}{made.method}")
    return replace(article, url=page, extractor=extractor)
