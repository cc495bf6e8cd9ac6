"""Why a page has no text: an empty article is none, and the reason says whether anything can be done about it. Pure."""

from __future__ import annotations

import re
from typing import Literal

from crawler.html.encoding import decode
from storage.model import Article

#: What is said behind "no text: "; docs/formats.md lists them.
Cause = Literal[
    "needs scripts", "a video", "a picture series", "empty", "nothing but links and labels", "too large", "failed"
]
#: Words that a page may show which asks for scripts.
_FEW = 60
#: Words that are the label of a player or of its place.
_LABEL = 3
#: Characters of all that can be read on a page that is only a frame for its scripts.
_FRAME = 300
#: Pictures that are a series.
_PICTURES = 3
#: Bytes of a page that are looked at.
_LOOK = 1 << 20

_HIDDEN = re.compile(r"<!--|<(script|style|noscript|template|svg|title)\b", re.I)
_TAG = re.compile(r"<[a-z/!][^<>]{0,4000}+>?", re.I)
#: An element that scripts fill, left empty.
_MOUNT = re.compile(
    r"<(?:div|main|section)\b[^<>]{0,300}\bid\s*=\s*[\"']?(?:root|app|__next|__nuxt|___gatsby|svelte|react-root|app-root|"
    r"main-app|q-app|ember-app|mount|page-root|application)\b[^<>]{0,300}>\s{0,200}</(?:div|main|section)",
    re.I,
)
_CUSTOM = re.compile(r"<(?:[a-z]{1,30}-(?:app|root)|(?:app|ion|my)-[a-z-]{1,30})\b[^<>]{0,300}>\s{0,200}</", re.I)
_SCRIPT = re.compile(r"<script\b(?![^<>]{0,300}\btype\s*=\s*[\"']?(?:application/ld|application/json))", re.I)
_ASKS = re.compile(
    r"(?:enable|activate|turn on|allow|requires?|needs?|without|disabled|support)\b[^.!?。]{0,30}javascript|"
    r"javascript[^.!?。]{0,40}(?:enabled?|disabled|required|aktivier|deaktiviert|eingeschaltet|activ|désactiv|necesari|"
    r"habilit|necessári|abilit|inschakel|nodig|aktiver|slå|krävs|käyttöön|włącz|wymaga|povol|zapn|engedélyez|активир|"
    r"включ|有効|必要|활성화|필요|启用|啟用|开启|禁用)|"
    r"(?:aktivier|activ|habilit|abilit|inschakel|aktiver|slå på|włącz|povol|zapněte|engedélyez|включите|启用|"
    r"啟用|请打开)[^.!?。]{0,40}javascript",
    re.I,
)
_VIDEO = re.compile(
    r"<video\b|[\"']og:type[\"'][^<>]{0,60}\bvideo|\"@type\"\s*:\s*\[?\s*\"(?:VideoObject|Movie|TVEpisode|Clip)\"|"
    r"<iframe\b[^<>]{0,400}(?:youtube(?:-nocookie)?\.com/embed|player\.vimeo\.com|dailymotion\.com/embed|brightcove|"
    r"jwplayer|/player/|/embed/video)",
    re.I,
)
_SERIES = re.compile(
    r"\"@type\"\s*:\s*\[?\s*\"(?:ImageGallery|MediaGallery)\"|[\"']og:type[\"'][^<>]{0,60}\bgallery", re.I
)
_PICTURE = re.compile(r"<(figure|picture|img)\b", re.I)


def cause_of(article: Article, html: bytes, content_type: str | None = None) -> Cause | None:
    """Say why an article has no text of its own, from the page it was made of; `None` for one that has."""
    words = article.words
    if words >= _FEW:
        return None
    page = decode(html[:_LOOK], content_type)
    if 0 < words <= _LABEL and (cause := _look(page)) not in ("nothing but links and labels", "empty"):
        return cause
    if words:
        # What a browser without scripts is told is not the article's text, nor is the notice below what is not there.
        waits = _ASKS.search(article.text) or _MOUNT.search(page) or _CUSTOM.search(page)
        return "needs scripts" if waits and _is_frame(page, len(article.text)) else None
    method = article.extractor.method if article.extractor else ""
    if method.startswith("failed"):
        return "failed"
    if method.startswith("nothing: ") and "markup" not in method:
        return "too large"
    return _look(page)


def _look(page: str) -> Cause:
    shown = _shown_length(page)
    frame = _SCRIPT.search(page) is not None and shown < _FRAME
    if frame and (_MOUNT.search(page) or _CUSTOM.search(page)):
        return "needs scripts"
    if _VIDEO.search(page):
        return "a video"
    pictures = [found[1].lower() for found in _PICTURE.finditer(page)]
    # A figure or picture holds an img.
    if _SERIES.search(page) or max(map(pictures.count, ("figure", "picture", "img"))) >= _PICTURES:
        return "a picture series"
    if frame or _asks_for_scripts(page):
        return "needs scripts"
    return "nothing but links and labels" if shown else "empty"


def _is_frame(page: str, text: int) -> bool:
    """Whether beside so many characters there is hardly anything, and scripts to bring the rest."""
    return _SCRIPT.search(page) is not None and _shown_length(page) < _FRAME + text


def _asks_for_scripts(page: str) -> bool:
    starts = [found.end() for found in re.finditer(r"<noscript\b", page, re.I)][:10]
    return any(_ASKS.search(page, start, start + 1_000) for start in starts)


def _shown_length(page: str) -> int:
    """Characters of text outside of tags and scripts, white space left out."""
    total = at = 0
    while True:
        hidden = _HIDDEN.search(page, at)
        shown = page[at : hidden.start() if hidden else len(page)]
        total += len("".join(_TAG.sub(" ", shown).split()))
        if hidden is None:
            return total
        closing = re.compile(r"-->" if hidden[1] is None else rf"</{hidden[1]}\b[^<>]{{0,300}}>?", re.I)
        end = closing.search(page, hidden.end())
        if end is None:
            return total
        at = end.end()
