"""From a request to the answer of a simulated site."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import parse_qsl, urlencode

import world_pages as pages
import world_sources as sources
import world_text
import world_traps as traps
from world_manners import SLOW, Answer, Asked, instead
from world_sites import SECTIONS, Article

HTML = ("Content-Type", "text/html; charset=utf-8")


def answer(asked: Asked) -> Answer:
    """Return the whole answer: what the server's manners let through, with validators, 304 where nothing changed."""
    asked.memory.count(asked.at)
    found = instead(asked)
    if found is None:
        found = _unchanged(asked, _validated(asked, _page(asked)))
    if asked.site.character.manner == "slow":
        found = replace(found, pause=SLOW)
    if found.status >= 400 and not found.fails:
        found = replace(found, headers=(*found.headers, HTML))
    return found


def _page(asked: Asked) -> Answer:
    site, at, path = asked.site, asked.at, asked.path
    seen = f"{site.name}/{asked.memory.requests}"
    if path in ("/robots.txt", "/robots/real.txt"):
        return _robots(asked)
    if path == "/":
        return _html(pages.front_page(site, at, seen, traps.entrances(site, at)), "front")
    if path == pages.FEED and site.character.feed:
        return _feed(asked, seen)
    if sent := sources.sitemap(site, path, at):
        return Answer(200, sent[0], (("Content-Type", sent[1]),), "sitemap")
    if article := site.by_path(_without_tracking(asked.target), at):
        return _article(asked, *article)
    if caught := traps.trap(site, asked.target, at):
        return _caught(*caught)
    return _list(asked, seen) or _rest(asked)


def _list(asked: Asked, seen: str) -> Answer | None:
    site, at, path = asked.site, asked.at, asked.path
    if (found := re.fullmatch(r"/section/(\w+)", path)) and found[1] in SECTIONS:
        page = re.search(r"\bpage=(\d+)", asked.target)
        return _html(pages.section_page(site, found[1], int(page[1]) - 1 if page else 0, at, seen), "section")
    if (found := re.fullmatch(r"/archive/(\d{4})/(\d\d)/(\d\d)", path)) and site.character.archives:
        day = datetime(*map(int, found.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
        if -30 <= (day - site.start).days <= site.day(at):
            return _html(pages.archive_page(site, day, at), "archive")
    if found := re.fullmatch(r"/(?:tag|author)/([\w-]+)", path):
        return _html(pages.list_page(site, found[1], at), "list")
    return None


def _rest(asked: Asked) -> Answer:
    site, path = asked.site, asked.path
    if asked.target in pages.OTHERS:
        return _html(pages.other_page(site, path, asked.at), "other")
    if path == "/style.css":
        return Answer(200, b"body { margin: 1em }", (("Content-Type", "text/css"),), "static")
    if path.startswith("/img/"):
        return Answer(200, path.encode() * 20, (("Content-Type", "image/png"),), "static")
    if site.character.sitemap == "huge" and "/an-old-story-" in path:
        body = "".join(f"<p>{text}</p>" for text in world_text.body(path))
        return _html(
            pages.shell(site, "An old story", f"<article><h1>An old story</h1>{body}</article>", asked.at), "old"
        )
    if path == pages.PRIVATE:
        return _html(pages.shell(site, "Private", "<article><h1>Private</h1></article>", asked.at), "private")
    return Answer(404, b"<html><body><h1>404</h1><p>There is nothing here.</p></body></html>", kind="missing")


def _robots(asked: Asked) -> Answer:
    plain = Answer(200, sources.robots(asked.site).encode(), (("Content-Type", "text/plain"),), "robots")
    match asked.site.character.robots:
        case "none":
            return Answer(404, b"none", kind="robots")
        case "unavailable":
            return Answer(503, b"not now", kind="robots")
        case "moved" if asked.path == "/robots.txt":
            return Answer(301, b"", (("Location", "/robots/real.txt"),), "robots")
    return plain


def _feed(asked: Asked, seen: str) -> Answer:
    if asked.site.character.feed == "gone":
        return Answer(410, b"The feed is gone.", kind="feed")
    body, kind = sources.feed(asked.site, asked.at, seen)
    return Answer(200, body, (("Content-Type", kind),), "feed")


def _article(asked: Asked, article: Article, form: str) -> Answer:
    at = asked.at
    about = Answer(404, kind="article", article=article.number, version=article.version(at), form=form)
    if article.published > at:
        return replace(about, kind="missing", article=None)
    if not article.there(at):
        return replace(about, status=article.gone, body=b"<html><body><h1>This story is gone</h1></body></html>")
    if form == "short":
        return replace(about, status=301, headers=(("Location", article.path),))
    headers = [HTML]
    if article.noarchive == "header":
        headers.append(("X-Robots-Tag", "noarchive"))
    body = pages.article_page(asked.site, article, form, at).encode()
    return replace(about, status=200, body=body, headers=tuple(headers), modified=article.modified(at))


def _caught(name: str, html: str, location: str) -> Answer:
    if location:
        return Answer(302, b"", (("Location", location),), "trap", form=name)
    return replace(_html(html, "trap"), form=name)


def _html(text: str, kind: str) -> Answer:
    return Answer(200, text.encode(), (HTML,), kind)


def _validated(asked: Asked, found: Answer) -> Answer:
    """Add the validators that this site gives; an article's follow its version, whatever its sidebar shows."""
    means = asked.site.character.validators
    if found.status != 200 or found.kind in ("robots", "static"):
        return found
    about = f"{asked.path}{found.version}{asked.site.redesigned(asked.at)}" if found.kind == "article" else found.body
    digest = hashlib.sha256(about.encode() if isinstance(about, str) else about).hexdigest()[:12]
    if means == "same":
        digest = hashlib.sha256(asked.path.encode()).hexdigest()[:12] if found.kind == "article" else digest
    if means == "new":
        digest = f"{digest}-{asked.memory.requests}"
    return replace(
        found,
        etag=None if means in (None, "modified") else f'"{digest}"',
        modified=found.modified if means in ("both", "modified") else None,
    )


def _unchanged(asked: Asked, found: Answer) -> Answer:
    """Answer a conditional request (RFC 9110, 13.2.2: If-None-Match goes before If-Modified-Since)."""
    headers = list(found.headers)
    if found.etag:
        headers.append(("ETag", found.etag))
    if found.modified:
        headers.append(("Last-Modified", format_datetime(found.modified, usegmt=True)))
    found = replace(found, headers=tuple(headers))
    none_match, since = asked.headers.get("if-none-match"), asked.headers.get("if-modified-since")
    if none_match is not None and found.etag:
        same = found.etag in [each.strip().removeprefix("W/") for each in none_match.split(",")]
    else:
        same = bool(since and found.modified and none_match is None and found.modified <= _date(since))
    return replace(found, status=304, body=b"") if same and found.status == 200 else found


def _date(text: str) -> datetime:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)


def _without_tracking(target: str) -> str:
    path, _, query = target.partition("?")
    kept = [(name, value) for name, value in parse_qsl(query) if not name.startswith("utm_") and name != "PHPSESSID"]
    return f"{path}?{urlencode(kept)}" if kept else path
