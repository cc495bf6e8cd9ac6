"""Front and section pages to links: where on the page a link stands tells as much as its address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

from crawler.discovery.identity import registered
from crawler.discovery.links import Likelihood, Link, PageLinks
from crawler.discovery.page_claims import article_verdict, robots_rules
from crawler.discovery.page_requisites import base_of
from crawler.discovery.traps import trap_reason
from crawler.discovery.url_shape import Examples, looks_like_article
from crawler.discovery.vocabulary import SECTIONS
from crawler.discovery.xml_reader import Problems, resolve
from crawler.html.document import TooLarge, Tree, parse
from crawler.html.encoding import decode

Place = Literal["menu", "aside", "headline", "teaser", "page"]

_MAX_LINKS = 3_000
_MAX_FEEDS = 20
_MAX_SECTIONS = 60
_MAX_TITLE = 300
#: A headline has so many words, or so many characters in scripts without spaces.
_HEADLINE_WORDS = 4
_HEADLINE_CHARS = 14

_MENUS = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navi|navigation|mainnav|subnav|menu|menus|submenu|footer|masthead|topbar|breadcrumbs?|toolbar|"
    r"pagination|pager|socials?|share|sharing|login|tags?|taglist|skip)(?:$|[\s_-])",
    re.IGNORECASE,
)
_ASIDES = re.compile(
    r"(?:^|[\s_-])(?:sidebar|aside|advert\w*|sponsor\w*|promo\w*|partner\w*|widget)(?:$|[\s_-])", re.IGNORECASE
)
_TEASERS = re.compile(
    r"(?:^|[\s_-])(?:teaser\w*|headline\w*|story|stories|article\w*|card|entry|post|news-?item|item-title|title|lead|kicker)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HEADINGS = ("h1", "h2", "h3", "h4")
_FEED_TYPES = re.compile(
    r"application/(?:rss|atom|rdf|feed)\+(?:xml|json)|application/(?:x-)?rss|text/(?:rss|rss\+xml)"
    # As pages wrote it before RSS had a type; what an oEmbed is has a "+oembed" behind it.
    r"|(?:text|application)/xml\s*(?:;|$)",
    re.IGNORECASE,
)
_FEED_PATH = re.compile(
    r"(?:^|/)(?:rss|feeds?|atom|rdf)(?:\.xml|\.rss|/|$)|\.(?:rss|rdf|atom)$|(?:rss|atom|feed)\w*\.xml$", re.IGNORECASE
)
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")


def read_page(
    content: bytes,
    url: str,
    content_type: str | None = None,
    *,
    user_agent: str = "newskeep",
    examples: Examples | None = None,
) -> PageLinks:
    """Return what the page fetched from `url` links to and says about itself.

    `content_type` is the HTTP header's value; `user_agent` the name whose own meta tags (`<meta name="newskeep">`)
    count besides "robots"; `examples` are the shapes of addresses the site's feeds announced. Links of other sites
    are among `links`: whose articles are wanted is the caller's to say.
    """
    problems = Problems(url)
    try:
        tree = parse(decode(content, content_type))
    except TooLarge as error:
        problems.add(f"a page too large to read: {error}")
        tree = None
    else:
        if tree is None:
            problems.add("is no HTML page" if content.strip() else "is empty")
    if tree is None:
        return PageLinks(problems=problems.lines())
    reader = _Page(tree, url, problems, examples)
    reader.read()
    nofollow, noindex = robots_rules(tree, user_agent)
    return PageLinks(
        tuple(reader.links.values()),
        problems.lines(),
        tuple(reader.feeds())[:_MAX_FEEDS],
        # Menus come before footers, and what is higher up the tree has more in it.
        tuple(sorted(reader.sections, key=lambda section: section.rstrip("/").count("/")))[:_MAX_SECTIONS],
        tuple(reader.next),
        reader.canonical(),
        next(reader.heads("amphtml"), None),
        nofollow,
        noindex,
        article_verdict(tree, url, examples),
    )


class _Page:
    """Collects the links of one page."""

    def __init__(self, tree: Tree, url: str, problems: Problems, examples: Examples | None) -> None:
        self.links: dict[str, Link] = {}
        self.sections: dict[str, None] = {}
        self.next: dict[str, None] = {}
        self._tree = tree
        self._url = url
        self._base = base_of(tree, url)
        self._problems = problems
        self._examples = examples
        self._site = registered(urlsplit(url).hostname or "")
        self._feed_links: dict[str, None] = {}

    def read(self) -> None:
        self.next |= dict.fromkeys(self.heads("next"))
        # Parents come before their children, so each finds the place of its parent.
        places: dict[Tree, Place] = {}
        for element in self._tree.iter("*"):
            parent = element.getparent()
            places[element] = place = _place(element, places.get(parent, "page") if parent is not None else "page")
            if element.tag == "a" and len(self.links) < _MAX_LINKS:
                self._link(element, place)
        if len(self.links) >= _MAX_LINKS:
            self._problems.add(f"more than {_MAX_LINKS:,} links; the rest was left unread")
        if not self.links:
            self._problems.add("links to nothing")

    def heads(self, relation: str) -> Iterator[str]:
        """The addresses of the page's own <link> elements of one relation."""
        for element in self._tree.iter("link"):
            if relation in (element.get("rel") or "").lower().split():
                found = resolve(self._base, element.get("href") or "")
                if found:
                    yield found

    def canonical(self) -> str | None:
        stated = list(dict.fromkeys(self.heads("canonical")))
        if len(stated) > 1:
            self._problems.add(f"names {len(stated)} canonical addresses")
        return stated[0] if stated else None

    def feeds(self) -> Iterator[str]:
        found: dict[str, bool] = {}
        for element in self._tree.iter("link"):
            said = f"{element.get('type') or ''}"
            if "alternate" in (element.get("rel") or "").lower().split() and _FEED_TYPES.match(said.strip()):
                address = resolve(self._base, element.get("href") or "")
                if address:
                    of_comments = "comment" in f"{address} {element.get('title') or ''}".lower()
                    found.setdefault(address, of_comments)
        for address in self._feed_links:
            found.setdefault(address, "comment" in address)
        yield from sorted(found, key=lambda address: found[address])

    def _link(self, element: Tree, place: Place) -> None:
        href = (element.get("href") or "").strip()
        if not href or href.startswith(("#", "javascript:", "mailto:", "tel:", "data:", "whatsapp:")):
            return
        address = resolve(self._base, href)
        if address is None:
            self._problems.count("links that are no addresses", href)
            return
        if address == self._url:
            return
        relation = (element.get("rel") or "").lower().split()
        if "next" in relation and not trap_reason(address):
            self.next[address] = None
        same_site = registered(urlsplit(address).hostname or "") == self._site
        if same_site and _FEED_PATH.search(urlsplit(address).path):
            self._feed_links[address] = None
            return
        text = " ".join("".join(map(str, element.itertext("*"))).split())[:_MAX_TITLE]
        # Markup within <noscript> comes as text.
        text = "" if text.startswith("<") else text
        if any(True for _ in element.iter(*_HEADINGS)) and place != "menu":
            place = "headline"
        verdict = looks_like_article(address, self._examples)
        if verdict.score == 0 and verdict.reason == "a file, not a page":
            return
        if same_site and _is_section(address, text, place, verdict):
            self.sections[address] = None
        self._keep(address, text, _weighed(verdict, place, text, "sponsored" in relation))

    def _keep(self, address: str, text: str, verdict: Likelihood) -> None:
        known = self.links.get(address)
        title = text if known is None or len(text) > len(known.title or "") else known.title
        if known is not None and known.score >= verdict.score:
            verdict = Likelihood(known.score, known.reason)
        self.links[address] = Link(address, title=title or None, score=verdict.score, reason=verdict.reason)


def _place(element: Tree, above: Place) -> Place:
    """Where on the page an element stands, given where its parent does."""
    tag = element.tag
    if above == "menu" or tag in ("html", "body", "main"):
        return above
    if tag in ("nav", "footer", "menu"):
        return "menu"
    if tag in _HEADINGS:
        return "headline"
    said = f"{element.get('class') or ''} {element.get('id') or ''} {element.get('role') or ''}"
    if tag == "header" or (said != "  " and _MENUS.search(said)):
        # A teaser has a header of its own, and lines with tags or a share button.
        return "menu" if above != "teaser" or tag != "header" else above
    if tag == "article":
        return "teaser"
    if tag == "aside" or (said != "  " and _ASIDES.search(said)):
        return "aside"
    if above == "page" and said != "  " and _TEASERS.search(said):
        return "teaser"
    return above


def _weighed(verdict: Likelihood, place: Place, text: str, sponsored: bool) -> Likelihood:
    """A link's address, place and text taken together."""
    score, reason = verdict.score, verdict.reason
    if score < 0.2:
        # Lists, services, traps: what its address says of itself is not changed by a headline.
        return verdict
    worded = _is_headline(text)
    if score == 0.2:
        # The address says nothing either way.
        if worded and place == "headline":
            score, reason = 0.6, "a headline's link"
        elif worded and place == "teaser":
            score, reason = 0.5, "a teaser's link"
    elif place == "menu":
        # Menus hold current stories too, but rarely with a short text.
        score, reason = score - (0.15 if worded else 0.5), f"{reason}, but in a menu"
    elif text and not worded and score < 0.9:
        # A number with a word or two is a topic or a person rather than a story.
        score, reason = score - (0.2 if place == "headline" else 0.35), f"{reason}, but a short text"
    elif place in ("headline", "teaser"):
        score, reason = score + 0.15, f"{reason}, in a {place}"
    if sponsored:
        score, reason = score - 0.5, f"{reason}, but sponsored"
    return Likelihood(round(min(max(score, 0.05), 1.0), 2), reason)


def _is_headline(text: str) -> bool:
    return len(text.split()) >= _HEADLINE_WORDS or len(_UNSPACED.findall(text)) >= _HEADLINE_CHARS


def _is_section(address: str, text: str, place: Place, verdict: Likelihood) -> bool:
    """Whether a link of a menu leads to a section: a short path of words with a short text."""
    parts = urlsplit(address)
    above, *_ = segments = [segment for segment in parts.path.split("/") if segment] or [""]
    depth = len(segments)
    # Neither an article, nor a service or another list by its address; a section's slug may have three words.
    return (
        place in ("menu", "page")
        and (verdict.score in (0.2, 0.55) or (depth == 2 and above.lower() in SECTIONS))
        and not parts.query
        and 1 <= depth <= 2
        and 0 < len(text) <= 40
        and len(text.split()) <= 4
    )
