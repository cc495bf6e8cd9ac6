"""When a site does not want us: challenges, walls and waves of refusals, told apart from pages that fail by themselves.

Pages that are articles carry the same scripts as challenges do (the bot detection itself, a captcha at the form for
comments), so marks in the markup count only where there is hardly any text beside them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crawler.politeness.notices import NOT_FOUND, notice_of
from crawler.politeness.shown_page import REFUSALS, ShownPage
from crawler.politeness.walls import has_little_of_its_own, wall_of
from storage.http import HttpMessage

_HOUR, _LONGEST = 3_600.0, 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class BlockSign:
    """What a response says beside its status; a `certain` one concerns the site, the others maybe this page only.

    What is `of_page` is nobody's refusal: that there is no such page.
    """

    reason: str
    certain: bool
    of_page: bool = False


def _cloudflare(page: ShownPage) -> bool:
    if "challenge" in page.header("cf-mitigated"):
        return True
    titles = ("just a moment...", "attention required! | cloudflare")
    return page.refuses and (page.title in titles or (page.is_bare and page.has(b"_cf_chl_opt", b"cf-chl-")))


def _datadome(page: ShownPage) -> bool:
    return (page.refuses or page.is_bare) and page.has(b"captcha-delivery.com")


def _human(page: ShownPage) -> bool:
    return page.is_bare and page.has(b"px-captcha", b"/captcha/captcha.js?a=c&u=")


def _akamai(page: ShownPage) -> bool:
    return page.is_bare and page.has(b"sec-if-cpt-container", b"bm-verify=")


def _akamai_denies(page: ShownPage) -> bool:
    """Its page of denial, which also stands for one address that is forbidden to all."""
    if page.status != 403 or page.title != "access denied":
        return False
    signed = page.has(b"Reference&#32;&#35;", b"Reference #")
    return signed and page.has(b"errors.edgesuite.net", b"AkamaiGHost", b"Reference&#32;&#35;")


def _imperva(page: ShownPage) -> bool:
    return page.is_bare and page.has(b"Request unsuccessful. Incapsula incident ID", b"_Incapsula_Resource")


def _aws(page: ShownPage) -> bool:
    return page.header("x-amzn-waf-action") in ("captcha", "challenge")


def _vercel(page: ShownPage) -> bool:
    return page.header("x-vercel-mitigated") == "challenge"


def _sucuri(page: ShownPage) -> bool:
    return page.refuses and (bool(page.header("x-sucuri-block")) or "sucuri website firewall" in page.title)


def _captcha(page: ShownPage) -> bool:
    marks = (b"g-recaptcha", b"h-captcha", b"hcaptcha.com/1/api.js", b"recaptcha/api.js", b"recaptcha/enterprise.js")
    # At a form for readers it stands, too.
    return page.is_bare and page.has(*marks, b"cf-turnstile") and not page.has_fields and has_little_of_its_own(page)


_CHALLENGES: Mapping[str, Callable[[ShownPage], bool]] = {
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
    """Judge a response, as on the wire, that came from `url`; `asked` is where its redirects began, if any did."""
    message = HttpMessage.parse(response)
    if message.status is None or message.media_type not in ("text/html", "application/xhtml+xml", None):
        return None
    page = ShownPage.of(message)
    for name, shows in _CHALLENGES.items():
        if shows(page):
            return BlockSign(f"a bot check: {name}", certain=True)
    if _akamai_denies(page):
        return BlockSign("denied by Akamai", certain=False)
    wall = wall_of(page, url, asked if asked != url else None)
    if wall:
        return BlockSign(wall, certain=False)
    notice = notice_of(page)
    return BlockSign(notice, certain=False, of_page=notice == NOT_FOUND) if notice else None


class RefusalWatch:
    """The latest answers of a site's pages, to tell a wave of refusals from pages that are forbidden one by one."""

    def __init__(self, limit: int = 5, window: int = 8) -> None:
        """Say so when `limit` of the last `window` answers were refusals."""
        self._limit = limit
        self._latest: deque[str | None] = deque(maxlen=window)

    def note(self, response: bytes, block: BlockSign | None) -> str | None:
        """Take the next answer and what `recognise` says of it; return why the site is to be left alone, if it is."""
        if block is not None and block.certain:
            return block.reason
        status = HttpMessage.parse(response).status
        refusal = f"{status}" if status in REFUSALS else None
        self._latest.append(block.reason if block and not block.of_page else refusal)
        refused = [reason for reason in self._latest if reason]
        if len(refused) < self._limit:
            return None
        most = max(refused, key=refused.count)
        return f"{len(refused)} of the last {len(self._latest)} answers refused us, mostly: {most}"


def backoff(blocks: int) -> float:
    """Seconds to leave a site alone that has blocked us so many times in a row: an hour, three, nine, up to a week."""
    return min(_HOUR * 3.0 ** (max(blocks, 1) - 1), _LONGEST) if blocks < 20 else _LONGEST
