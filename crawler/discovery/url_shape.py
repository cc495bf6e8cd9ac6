"""What an address alone tells: whether it looks like one article's, on sites nobody has described.

Signs that hold across news sites and languages: a date in the path, a slug of several words, a long number or other id;
against them names of lists (tag, author, search), of services (login, imprint), media files and traps.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

from crawler.discovery.links import Likelihood
from crawler.discovery.traps import trap_reason
from crawler.discovery.vocabulary import ARTICLES, LISTS, SERVICE, SERVICE_PAGES, SHARED, WEAK_LISTS

_PAGE_ENDING = re.compile(
    r"\.(?:[spxgd]?html?|php\d?|aspx?|jsp|jhtml|cfm|cms|ece|do|story|amp|stm|story)$", re.IGNORECASE
)
_FILE = re.compile(
    r"\.(?:jpe?g|png|gif|webp|avif|svg|ico|bmp|tiff?|mp[34]|m4[av]|webm|ogg|wav|mov|avi|m3u8|pdf|docx?|xlsx?|pptx?|epub|"
    r"zip|gz|rar|7z|exe|apk|dmg|css|js|mjs|json|xml|rss|atom|rdf|txt|csv|ics|woff2?|ttf|eot|vcf)$",
    re.IGNORECASE,
)
# 2026/11/21, 2026/11, 2026/nov/21, 2026-11-21, 20261121, 21-11-2026, within a path.
_MONTH = "(?:0?[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DATE = re.compile(
    rf"(?<![\d])(?:(?:19|20)\d\d[/_.-]{_MONTH}(?:[/_.-](?:0?[1-9]|[12]\d|3[01]))?|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|"
    rf"(?:0?[1-9]|[12]\d|3[01])[/_.-](?:0?[1-9]|1[0-2])[/_.-](?:19|20)\d\d)(?![\d])",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[-_+.,~ –—]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_NUMBER = re.compile(r"\d+")
# Scripts that write without spaces: so many characters are a headline.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
# An id of letters and digits ("c4ng3y2xq01o"), a UUID, an id with its letter ("a-1234567", "art12345", "p5d8").
_MIXED = re.compile(r"(?=[^\W_]*\d[^\W_]*\d)(?=[^\W_]*[a-z])[a-z0-9]{8,40}", re.IGNORECASE | re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)

_COMMENTS = re.compile(r"comment-page-\d+|comments?|kommentare|respond|trackback")
_ID_NAMES = re.compile(
    r"(?:(?:art(?:icle|ikel|icolo|iculo)?|story|news|post|content|doc|item|nota|noticia|node|record)[_-]?)?(?:id|no|nr|idx|num)"
    r"|p|aid|nid|sid|newsid|art|article|story|idxno|arcid|docid|contentid|oid|itemid|artid|guid|n|news",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Address:
    """An address taken apart."""

    path: str
    segments: tuple[str, ...]
    #: The last segments that say something, without their ending, the last one first.
    tail: tuple[str, ...]
    is_page: bool
    query: str


class Examples:
    """The shapes of the addresses that a site's own feeds and news sitemaps announce: its articles'.

    A shape is a path with its words, and one in which any word may stand for any; sections thus need no example each.
    """

    #: So many of one shape are no accident.
    enough = 3
    #: From so many on, what is unlike all of them is doubted.
    plenty = 10

    def __init__(self, urls: Iterable[str] = ()) -> None:
        self._exact: Counter[tuple[str, ...]] = Counter()
        self._loose: Counter[tuple[str, ...]] = Counter()
        self.total = 0
        for url in urls:
            self.total += 1
            exact, loose = _shapes(url)
            self._exact[exact] += 1
            if loose is not None:
                self._loose[loose] += 1

    def like(self, url: str) -> tuple[int, bool]:
        """Return how many examples have the shape of this address, and whether down to its words."""
        exact, loose = _shapes(url)
        if self._exact[exact] >= self.enough:
            return self._exact[exact], True
        times = self._loose[loose] if loose is not None else 0
        return (times if times >= self.enough else 0), False


def looks_like_article(url: str, examples: Examples | None = None) -> Likelihood:
    """Whether an address looks like one article's; `examples` are the site's own, and outweigh what holds in general.

    Never raises.
    """
    verdict = _alone(url)
    if examples is None or not examples.total or verdict.score == 0:
        return verdict
    times, exact = examples.like(url)
    if times and (exact or verdict.score >= 0.2):
        return Likelihood(max(verdict.score, 0.95), f"like {times} addresses that its feeds announce")
    if not times and examples.total >= examples.plenty:
        return Likelihood(round(verdict.score * 0.6, 2), f"{verdict.reason}, but unlike those its feeds announce")
    return verdict


@lru_cache(maxsize=4096)
def _alone(url: str) -> Likelihood:
    address = _taken_apart(url)
    if address is None:
        return Likelihood(0.0, "not an address")
    if not address.segments and not address.query:
        return Likelihood(0.0, "a front page")
    if _FILE.search(address.path):
        return Likelihood(0.0, "a file, not a page")
    if reason := trap_reason(url):
        return Likelihood(0.0, reason)
    found = max((_dated(address), _slug(address), _numbered(address), _query_id(address)), key=lambda one: one.score)
    listing = next((segment for segment in address.segments[:-1] if segment in LISTS), None)
    last = _PAGE_ENDING.sub("", address.segments[-1]) if address.segments else ""
    if last in LISTS or last in SERVICE or last in SERVICE_PAGES or last in SHARED or _COMMENTS.fullmatch(last):
        return Likelihood(0.05, f"a page {last!r}")
    if listing and not (listing in WEAK_LISTS and found.score >= 0.9):
        return Likelihood(0.1, f"a page under {listing!r}")
    return found if found.score else Likelihood(0.2, "nothing of an article in its address")


def _taken_apart(url: str) -> _Address | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    path = unquote(parts.path)
    segments = tuple(segment.lower() for segment in path.split("/") if segment)
    bare = [_PAGE_ENDING.sub("", segment) for segment in segments]
    tail = tuple(part for part in reversed(bare) if part not in ("index", "amp", "print", "default", "story", "full"))[
        :3
    ]
    return _Address(path, segments, tail, bool(segments) and bare[-1] != segments[-1], parts.query)


def _dated(address: _Address) -> Likelihood:
    """A date in the path, with something behind it or beside it that it is the date of."""
    dates = list(_DATE.finditer(address.path))
    if not dates:
        return Likelihood(0.0, "")
    match = dates[-1]
    rest = _PAGE_ENDING.sub("", address.path[match.end() :].strip("/"))
    before = address.path[: match.start()].rpartition("/")[2]
    if re.search(r"[^\W_]{4,}|\d", rest) or len(_WORD.findall(before)) >= 2:
        return Likelihood(0.95, "a date in its path")
    # The date's digits may be the article's number: 20261121104512.
    return Likelihood(0.15, "a day's or month's list")


def _slug(address: _Address) -> Likelihood:
    """Several words that are a headline."""
    for place, part in enumerate(address.tail[:2]):
        words = [word for word in _SEPARATOR.split(part) if _WORD.search(word)]
        longest = max((len(number) for number in _NUMBER.findall(part)), default=0)
        if place == 0 and longest < 4 and _is_service(words):
            return Likelihood(0.05, "a service page")
        unspaced = len(_UNSPACED.findall(part))
        size = max(len(words), unspaced // 3)
        announced = any(segment in ARTICLES for segment in address.segments[:-1])
        if place and size < 6 and re.fullmatch(r"[a-z][a-z-]{2,}", address.tail[0]):
            # Few words above another word are a section or a dossier.
            continue
        if size >= 5 or (size >= 4 and len(part) >= 20):
            return Likelihood(0.9, f"a slug of {size} words")
        if size >= 2 and longest >= 4:
            return Likelihood(0.85, "a slug with a number")
        if size >= 3 and (announced or address.is_page):
            return Likelihood(0.7, f"a slug of {size} words")
        if size >= 3 and len(part) >= 22 and len(address.segments) >= 2:
            return Likelihood(0.55, f"a slug of {size} words")
        if size >= 2 and announced and address.is_page:
            return Likelihood(0.6, "a short slug under a word for articles")
    return Likelihood(0.0, "")


def _is_service(words: list[str]) -> bool:
    """Whether a slug is that of an imprint, a subscription, a contact form: such words make up half of it."""
    long = [word for word in words if len(word) > 3]
    service = sum(word in SERVICE for word in words)
    return service > 0 and len(words) <= 5 and 2 * service >= len(long)


def _numbered(address: _Address) -> Likelihood:
    """A long number or another id."""
    announced = any(segment in ARTICLES for segment in address.segments[:-1])
    for part in address.tail[:2]:
        longest = max((len(number) for number in _NUMBER.findall(part)), default=0)
        if longest >= 5:
            return Likelihood(0.8, "a long number")
        if longest >= 3 and part.isdigit() and (announced or address.is_page) and not _is_year(part):
            return Likelihood(0.65, "a number")
        if longest >= 3 and announced and not _is_year(part):
            return Likelihood(0.6, "a number under a word for articles")
        if _UUID.search(part) or any(_MIXED.fullmatch(piece) for piece in _SEPARATOR.split(part)):
            return Likelihood(0.75 if announced or len(address.segments) > 1 else 0.5, "an id")
    return Likelihood(0.0, "")


def _is_year(part: str) -> bool:
    return bool(re.fullmatch(r"(?:19|20)\d\d", part))


def _query_id(address: _Address) -> Likelihood:
    """An article's number in the query, as small systems have it."""
    if not address.query or len(address.query) > 1000:
        return Likelihood(0.0, "")
    for name, value in parse_qsl(address.query):
        if _ID_NAMES.fullmatch(name) and re.search(r"\d{3,}", value) and len(value) <= 40:
            return Likelihood(0.65, f"an article's number in {name!r}")
    return Likelihood(0.0, "")


def _shapes(url: str) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """An address' shape with its words, and with any word for each; `None` if that would be every address."""
    address = _taken_apart(url)
    if address is None:
        return (), None
    kinds = [_kind(segment) for segment in address.segments[:12]]
    query = sorted({name.lower() for name, _ in parse_qsl(address.query[:1000])})[:6]
    ending = match[0].lower() if address.segments and (match := _PAGE_ENDING.search(address.segments[-1])) else ""
    exact = (*kinds, f"?{'&'.join(query)}", ending)
    loose = tuple("w" if kind.startswith("=") else kind for kind in exact)
    return exact, loose if set(kinds) - {kind for kind in kinds if kind.startswith("=")} or query else None


def _kind(segment: str) -> str:
    """What a segment is: a year, a number, an id, a slug, or "=" and the word itself."""
    bare = _PAGE_ENDING.sub("", segment)
    if bare.isdigit():
        return "year" if _is_year(bare) else ("number" if len(bare) > 4 else "digits")
    if _UUID.fullmatch(bare) or _MIXED.fullmatch(bare):
        return "id"
    words = [word for word in _SEPARATOR.split(bare) if _WORD.search(word)]
    numbered = any(len(number) >= 4 for number in _NUMBER.findall(bare))
    if len(words) >= 3 or len(_UNSPACED.findall(bare)) >= 8 or numbered:
        return "slug-number" if numbered else "slug"
    return f"={bare}"
