"""An article's text, corrected by who reads it: each block with a button that keeps, removes, or takes that back.

The only pages that change anything. They are there for who has the key, or for this machine alone, and take what one
of our own pages sent.
"""

from __future__ import annotations

import re
from threading import Lock

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.extraction.corrections import matches
from crawler.extraction.template.lines import short_hash
from crawler.session.correcting import apply, correction_of, corrections_of, keep
from newskeep.web.addresses import target
from newskeep.web.reading_room.common import address, archive_of, is_ours, may_correct, missing, show
from newskeep.web.reading_room.links import Links
from newskeep.web.reading_room.text import parts
from newskeep.web.withheld import mind
from storage.archive import Archive
from storage.corrections import Correction, undone
from storage.errors import AlreadyRunning, Corrupt, NotArchived
from storage.index import ArticleEntry
from storage.model import Article
from storage.urls import parse_timestamp

_ADDRESS = address("correct")
#: Verdict, number of the block and hash of its text, 14 digits.
_SAID = re.compile(r"/correct/(keep|remove|undo)/(\d{1,6})-([0-9a-f]{8})/(\d{14})/")
_CLOSED = "nothing can be changed here: `newskeep serve` was started read-only, or open to others without a key"
#: Two clicks of one reader, the second of which must not find the first one's work under way.
_at_a_time = Lock()


def page(request: Request) -> Response:
    """The article with all its blocks and their buttons."""
    if not may_correct(request):
        raise HTTPException(403, _CLOSED)
    match, url = target(request, _ADDRESS)
    try:
        entry = _entry(archive_of(request), url, match[1])
    except NotArchived as error:
        return missing(request, url, error)
    mind(request, entry)
    article = archive_of(request).read_article(entry)
    return show(
        request, "correct.html", article=article, entry=entry, parts=list(parts(article, whole=True)), correcting=entry
    )


def say(request: Request) -> Response:
    """Keep what is said of a block, put it over the texts that are held, and lead back to the page."""
    if not may_correct(request):
        raise HTTPException(403, _CLOSED)
    if not is_ours(request):
        raise HTTPException(403, "this is asked by the buttons of this page; on a command line: newskeep correct")
    match, url = target(request, _SAID)
    archive = archive_of(request)
    with _at_a_time:
        entry = _entry(archive, url, match[4])
        mind(request, entry)
        article = archive.read_article(entry)
        at = int(match[2]) - 1
        if not 0 <= at < len(article.blocks) or short_hash(article.blocks[at].text) != match[3]:
            raise HTTPException(409, "the text is another one than the page showed; load the page again")
        _apply(archive, _made(archive, article, at, match[1]))
    return RedirectResponse(f"{Links(request).correct(entry)}#b{at + 1}", 303)


def _entry(archive: Archive, url: str, time: str | None) -> ArticleEntry:
    entry = archive.index.article(url, parse_timestamp(time) if time else None)
    if entry is None:
        raise NotArchived(f"no article text of {url} is held")
    return entry


def _made(archive: Archive, article: Article, at: int, verdict: str) -> Correction:
    """What a reader says by a button: of this article alone, whatever was said of the site."""
    block = article.blocks[at]
    if verdict == "undo":
        known = matches([each.text for each in article.blocks], corrections_of(archive, article)).get(at)
        if known is not None and not known.whole_site:
            return undone(known)
        return correction_of(article, at, "keep" if block.as_extracted.kept else "remove")
    return correction_of(article, at, "keep" if verdict == "keep" else "remove")


def _apply(archive: Archive, made: Correction) -> None:
    kept = keep(archive, [made])
    try:
        done = apply(archive, kept)
    except AlreadyRunning as error:
        raise AlreadyRunning(f"kept, and not in the text yet: {error}; newskeep reextract {made.site}") from error
    if done.problems:
        raise Corrupt(f"kept, and not in every text: {done.problems[0]}")
