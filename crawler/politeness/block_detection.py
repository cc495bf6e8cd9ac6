"""When a site does not want us: challenges, walls and waves of refusals, told apart from pages that fail by themselves.

Pure and bounded: a page is looked at up to `CONTENT_BYTES`, and whatever is in it, nothing is raised. Pages that are
articles carry the same scripts as challenges do (the bot detection itself, a captcha at the comment form), so marks in
the markup count only where there is hardly any text beside them.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from storage.http import HttpMessage

#: Bytes of a page that are looked at; challenges are small.
CONTENT_BYTES = 256 * 1024
#: Characters of text up to which a page may be nothing but a challenge or a form.
_LITTLE = 1_200
#: Statuses that say "not you" or "not so much".
_REFUSALS = (401, 403, 429)
_HOUR, _LONGEST = 3_600.0, 7 * 86_400.0

_HIDDEN = re.compile(rb"<!--|<(script|style|noscript|template|svg)\b", re.I)
_TAG = re.compile(rb"<[a-z/!][^<>]{0,4000}+>?", re.I)
_TITLE = re.compile(rb"<title[^<>]{0,200}+>([^<]{0,300}+)", re.I)
_ARTICLE = re.compile(
    rb"<article\b|[\"']og:type[\"'][^<>]{0,100}article|\"@type\"\s*:\s*\[?\s*\"[A-Za-z]*Article\"", re.I
)
_PASSWORD = re.compile(rb"<input\b[^<>]{0,500}\btype\s*=\s*[\"']?password", re.I)
_LOGIN_TITLE = re.compile(rb"\b(log ?[io]n|sign ?in|anmelden|einloggen|connexion|inloggen|log ind|logga in)\b", re.I)

#: Names of hosts and parts of paths where one logs in or agrees to something.
_WALLS = {
    **dict.fromkeys(
        ("login", "log-in", "logon", "signin", "sign-in", "sso", "auth", "authenticate", "accounts", "identity"),
        "login",
    ),
    **dict.fromkeys(("consent", "cookie-consent", "cookiewall", "cookie-wall", "privacy-gate", "cmp"), "consent"),
}


@dataclass(frozen=True, slots=True)
class BlockSign:
    """What a response says beside its status; a `certain` one concerns the site, the others maybe this page only."""

    reason: str
    certain: bool


@dataclass(frozen=True, slots=True)
class _Page:
    message: HttpMessage
    #: The beginning of the page, decoded.
    content: bytes

    @property
    def status(self) -> int:
        return self.message.status or 0

    @property
    def refuses(self) -> bool:
        return self.status in (*_REFUSALS, 405, 503)

    def header(self, name: str) -> str:
        return (self.message.header(name) or "").lower()

    def has(self, *marks: bytes) -> bool:
        return any(mark in self.content for mark in marks)

    @property
    def title(self) -> str:
        found = _TITLE.search(self.content)
        return found[1].decode("utf-8", "replace").strip().lower() if found else ""

    @property
    def is_bare(self) -> bool:
        """Whether there is no article here, and hardly any text."""
        return not _ARTICLE.search(self.content) and _text_length(self.content, _LITTLE) < _LITTLE


def _cloudflare(page: _Page) -> bool:
    if "challenge" in page.header("cf-mitigated"):
        return True
    titles = ("just a moment...", "attention required! | cloudflare")
    return page.refuses and (page.title in titles or (page.has(b"_cf_chl_opt", b"cf-chl-") and page.is_bare))


def _datadome(page: _Page) -> bool:
    return page.has(b"captcha-delivery.com") and (page.refuses or page.is_bare)


def _human(page: _Page) -> bool:
    return page.has(b"px-captcha", b"/captcha/captcha.js?a=c&u=") and page.is_bare


def _akamai(page: _Page) -> bool:
    return page.has(b"sec-if-cpt-container", b"bm-verify=") and page.is_bare


def _akamai_denies(page: _Page) -> bool:
    """Its page of denial, which also stands for one address that is forbidden to all."""
    denied = page.title == "access denied" and page.has(b"Reference&#32;&#35;", b"Reference #")
    return page.status == 403 and denied and page.has(b"errors.edgesuite.net", b"AkamaiGHost", b"Reference&#32;&#35;")


def _imperva(page: _Page) -> bool:
    if page.has(b"Request unsuccessful. Incapsula incident ID"):
        return page.is_bare
    return page.has(b"_Incapsula_Resource") and page.is_bare


def _aws(page: _Page) -> bool:
    return page.header("x-amzn-waf-action") in ("captcha", "challenge")


def _vercel(page: _Page) -> bool:
    return page.header("x-vercel-mitigated") == "challenge"


def _sucuri(page: _Page) -> bool:
    return page.refuses and (bool(page.header("x-sucuri-block")) or "sucuri website firewall" in page.title)


def _captcha(page: _Page) -> bool:
    marks = (b"g-recaptcha", b"h-captcha", b"hcaptcha.com/1/api.js", b"recaptcha/api.js", b"recaptcha/enterprise.js")
    return page.has(*marks, b"cf-turnstile") and not _PASSWORD.search(page.content) and page.is_bare


_CHALLENGES: Mapping[str, Callable[[_Page], bool]] = {
    "Cloudflare": _cloudflare,
    "DataDome": _datadome,
    "HUMAN (PerimeterX)": _human,
    "Akamai": _akamai,
    "Imperva": _imperva,
    "AWS WAF": _aws,
    "Vercel": _vercel,
    "Sucuri": _sucuri,
    "captcha": _captcha,
}


def recognise(response: bytes, url: str, asked: str | None = None) -> BlockSign | None:
    """Judge a response, as on the wire, that came from `url`; `asked` is where its redirects began."""
    message = HttpMessage.parse(response)
    if message.status is None or message.media_type not in ("text/html", "application/xhtml+xml", None):
        return None
    page = _Page(message, message.beginning(CONTENT_BYTES))
    for name, shows in _CHALLENGES.items():
        if shows(page):
            return BlockSign(f"challenge: {name}", certain=True)
    if _akamai_denies(page):
        return BlockSign("denied by Akamai", certain=False)
    if asked is not None and (wall := _wall(url)) and not _wall(asked):
        return BlockSign(f"{wall} wall: redirected to {urlsplit(url).netloc}", certain=False)
    if _PASSWORD.search(page.content) and page.is_bare and _LOGIN_TITLE.search(page.title.encode()):
        return BlockSign("login wall", certain=False)
    return None


class RefusalWatch:
    """The latest answers of a site's pages, to tell a wave of refusals from pages that are forbidden one by one."""

    def __init__(self, limit: int = 5, window: int = 8) -> None:
        """Say so when `limit` of the last `window` answers were refusals."""
        self._limit = limit
        self._latest: deque[str | None] = deque(maxlen=window)

    def note(self, response: bytes, url: str, asked: str | None = None) -> str | None:
        """Take the next answer; return why the site is to be left alone, `None` while it is not."""
        block = recognise(response, url, asked)
        if block is not None and block.certain:
            return block.reason
        status = HttpMessage.parse(response).status
        self._latest.append(block.reason if block else f"{status}" if status in _REFUSALS else None)
        refused = [reason for reason in self._latest if reason]
        if len(refused) < self._limit:
            return None
        most = max(refused, key=refused.count)
        return f"{len(refused)} of the last {len(self._latest)} answers refused us, mostly: {most}"


def backoff(blocks: int) -> float:
    """Seconds to leave a site alone that has blocked us so many times in a row: an hour, three, nine, up to a week."""
    return min(_HOUR * 3.0 ** (max(blocks, 1) - 1), _LONGEST) if blocks < 20 else _LONGEST


def _wall(url: str) -> str | None:
    """Which wall an address is, by the name of its host and the parts of its path."""
    try:
        parts = urlsplit(url.lower())
    except ValueError:
        return None
    names = [(parts.hostname or "").partition(".")[0], *parts.path.split("/")]
    return next((_WALLS[name] for name in names if name in _WALLS), None)


def _text_length(content: bytes, enough: int) -> int:
    """Characters of text outside of tags and scripts, white space left out; counted up to about `enough`."""
    total = at = 0
    while total < enough:
        hidden = _HIDDEN.search(content, at)
        shown = content[at : hidden.start() if hidden else len(content)]
        total += len(b"".join(_TAG.sub(b" ", shown).split()))
        if hidden is None:
            break
        closing = re.compile(rb"-->" if hidden[1] is None else b"</" + hidden[1], re.I)
        end = closing.search(content, hidden.end())
        if end is None:
            break
        at = end.end()
    return total
