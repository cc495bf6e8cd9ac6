"""A small paper on an `Origin`: articles, a feed, a front page, robots.txt; what a test does not change stays usual."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from origin import Origin, response

HTML = "text/html; charset=utf-8"


class Paper:
    """Stories are numbered from 1, the newest, each an hour older than the one before.

    A feed and a front page have an ETag and are answered with 304 from the second time on, until they change.
    """

    def __init__(self, origin: Origin, stories: int = 6, modified: bool = True) -> None:
        self.origin = origin
        self.now = datetime.now(UTC)
        self._answers: dict[str, bytes] = {}
        self._tags: dict[str, tuple[str, str]] = {}
        self._given: set[str] = set()
        self._modified = modified
        origin.on_any(self._answer)
        paths = [self.path(number) for number in range(1, stories + 1)]
        for number in range(1, stories + 1):
            self.put(self.path(number), self.page(number))
        self.robots("User-agent: *\nDisallow: /private/\n")
        self.feed(paths)
        self.front([*paths, "/about", "/tag/bridges/"])

    def url(self, number: int) -> str:
        return self.origin.url(self.path(number))

    @staticmethod
    def path(number: int) -> str:
        return f"/2026/11/22/story-{number}-of-the-long-bridge"

    @staticmethod
    def page(number: int, more: str = "", head: str = "", foot: str = "") -> bytes:
        sentence = f"of story {number} tells of the bridge that the town has waited for since spring. {more}"
        text = "".join(f"<p>Paragraph {n} {sentence}</p>" for n in range(9))
        title = f"Story {number} of the long bridge"
        return (
            f"<!doctype html><html lang=en><head><title>{title}</title><meta property=og:type content=article>{head}"
            f"</head><body><article><h1>{title}</h1>{text}</article><footer>{foot}</footer></body></html>"
        ).encode()

    def put(self, path: str, body: bytes, kind: str = HTML, status: str = "200 OK", **headers: str) -> None:
        """Answer a path with this from now on."""
        named = [("Content-Type", kind), *((name.replace("_", "-"), value) for name, value in headers.items())]
        self._answers[path] = response(body, status, named)
        self._tags.pop(path, None)

    def robots(self, text: str) -> None:
        self.put("/robots.txt", text.encode(), "text/plain")

    def feed(self, links: Iterable[str], path: str = "/news.rss") -> None:
        items = "".join(
            f"<item><title>A story</title><link>{self.origin.url(link)}</link>"
            f"<pubDate>{format_datetime(self.now - timedelta(hours=hours))}</pubDate></item>"
            for hours, link in enumerate(links, 1)
        )
        text = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Town</title>{items}</channel></rss>'
        self._versioned(path, text.encode(), "application/rss+xml")

    def front(self, links: Sequence[str], path: str = "/", head: str | None = None, menu: str = "") -> None:
        head = '<link rel="alternate" type="application/rss+xml" href="/news.rss">' if head is None else head
        body = "".join(f'<h2><a href="{link}">The long bridge of the town opens at last</a></h2>' for link in links)
        page = f"<!doctype html><title>Town News</title>{head}<nav>{menu}</nav><main>{body}</main>"
        self._versioned(path, page.encode(), HTML)

    def sitemap(self, path: str, entries: Iterable[tuple[str, datetime | None]], kind: str = "urlset") -> None:
        item = "sitemap" if kind == "sitemapindex" else "url"
        body = "".join(
            f"<{item}><loc>{self.origin.url(link)}</loc>{f'<lastmod>{at.isoformat()}</lastmod>' if at else ''}</{item}>"
            for link, at in entries
        )
        xmlns = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        self.put(path, f'<?xml version="1.0"?><{kind} {xmlns}>{body}</{kind}>'.encode(), "application/xml")

    def asked(self) -> list[str]:
        """Paths in the order they were asked for."""
        return [entry.path for entry in self.origin.log]

    def _versioned(self, path: str, body: bytes, kind: str) -> None:
        tag = ("ETag", f'"{len(self._given)}-{hash(body)}"')
        self._answers[path] = response(body, headers=[("Content-Type", kind), tag])
        self._tags[path] = tag
        self._given.discard(path)

    def _answer(self, path: str) -> bytes | None:
        if path in self._given and path in self._tags and self._modified:
            return response(status="304 Not Modified", headers=[self._tags[path]])
        self._given.add(path)
        return self._answers.get(path)
