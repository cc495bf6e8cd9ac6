"""Which addresses are one article: tracking and session parameters, AMP and print twins, canonical links.

Only what is surely not part of an address is removed from it; `id`, `p`, `cid`, `story`, `page` and all that is not in
the tables stays, in its order.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus, urlsplit

from crawler.discovery.links import Likelihood
from crawler.discovery.url_shape import looks_like_article
from crawler.discovery.vocabulary import CHANNEL_NAMES, FORM_FLAGS, FORM_NAMES, TRACKING
from storage.errors import InvalidURL
from storage.urls import normalize

#: Parameters that tell where a reader came from, by the beginning of their names; lower case.
_TRACKING_FAMILIES = (
    "utm_",  # Google Analytics, and everybody after it
    "itm_",  # the same for links within a site
    "mtm_",  # Matomo
    "matomo_",
    "piwik_",
    "hsa_",  # HubSpot
    "_hs",
    "__hs",
    "fb_action_",  # Facebook
    "ns_m",  # comScore: ns_mchannel, ns_medium
    "at_custom",  # AT Internet
    "guce_",  # Yahoo's consent pages
    "elqtrack",  # Oracle Eloqua
    "amp_js",  # added by AMP viewers
    "sc_c",  # ShareThis-like campaign codes: sc_campaign, sc_channel, sc_cid
    "aspsessionid",
)
_CHANNELS = re.compile(
    r"rss\d?|feeds?|rssfeed|feedburner|twitter|tw|facebook|fb|social|share|newsletter|nl|mail|email|whatsapp|telegram|"
    r"flipboard|googlenews|google[_-]news|timeline|singlemessage|groupmessage|home|homepage|hp|upday|pocket"
)
# "sid=421" is a story of PHP-Nuke; a session's is long and of both letters and digits, or 32 hexadecimal ones.
_SESSION_NAMES = frozenset(("sid", "s", "session", "sess"))
_SESSION = re.compile(r"(?=.*\d)(?=.*[a-z])[a-z0-9]{20,64}", re.IGNORECASE)
_SESSION_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/?;]*|/\((?:[A-Z]\([a-z0-9]{24}\))+\)(?=/)", re.IGNORECASE)
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")

_FORM_VALUES = re.compile(r"amp(?:-type)?|print(?:able|er|-friendly|erfriendly)?|druck|drucken")
_YES = frozenset(("", "1", "true", "yes", "y", "on", "y"))
_FORM_END = re.compile(
    r"(?:/amp|/amp\.html?|/print|/print\.html?|/drucken)/?$|[.-]amp(?=\.html?$|$)|[.]print(?=\.html?$)"
)
_FORM_START = re.compile(r"^/amp(?:/s)?(?=/)|^/print(?=/(?:node/)?\d+$)")
_AMP_CACHE = re.compile(
    r"https?://(?:www\.google\.[a-z.]+/amp/s/|[^/]+\.cdn\.ampproject\.org/[a-z]/s/)([^/?]+\.[^/?]+/.+)", re.IGNORECASE
)
_FORM_HOST = re.compile(r"^(?:amp|print)\.(?=.+\.)")
_TWIN_HOST = re.compile(r"^(?:www\d?|amp|m|mobile|mobil|print|edition)\.(?=.+\.)")
# Second levels under which names are registered: example.co.uk.
_SECOND = re.compile(r"[^.]+\.(?:co|com|net|org|gov|gob|gouv|ac|edu|or|ne|go|nom|web)\.[a-z]{2}")
_NUMBER = re.compile(r"\d{5,}")
_WORD = re.compile(r"[^\W\d_]{3,}")


def identity(url: str) -> str:
    """Return the URL normalised, without tracking parameters and session ids, escapes in capitals. Idempotent.

    Raises `InvalidURL`.
    """
    url = normalize(url)
    base, mark, query = url.partition("?")
    if ";" in base or "/(" in base:
        base = _SESSION_PATH.sub("", base)
        base += "" if base.count("/") > 2 else "/"
    if mark:
        query = "&".join(field for field in query.split("&") if field and not _is_tracking(field))
    found = f"{base}?{query}" if query else base
    return _ESCAPE.sub(lambda match: match[0].upper(), found) if "%" in found else found


def _is_tracking(field: str) -> bool:
    name, _, value = field.lower().partition("=")
    # Escaped ampersands that were escaped twice.
    name = name.removeprefix("amp;")
    if name in TRACKING or name.startswith(_TRACKING_FAMILIES):
        return True
    if name in CHANNEL_NAMES:
        return bool(_CHANNELS.fullmatch(value))
    return name in _SESSION_NAMES and bool(_SESSION.fullmatch(value))


def canonical_candidate(url: str) -> str | None:
    """Return the article's own address that an AMP or print address stands for by its form; `None` for others.

    A guess: the page's canonical link knows better. Never raises.
    """
    try:
        url = identity(url)
        if cached := _AMP_CACHE.fullmatch(url):
            url = identity(f"https://{cached[1]}")
            return canonical_candidate(url) or url
    except InvalidURL:
        return None
    parts = urlsplit(url)
    path = _FORM_END.sub("", _FORM_START.sub("", parts.path, count=1), count=1)
    if path != parts.path and not _names_something(path):
        # "/amp/" and "/magazine/print/" are pages of their own.
        path = parts.path
    elif parts.path.endswith("/") and not path.endswith("/"):
        path += "/"
    query = "&".join(field for field in parts.query.split("&") if not _is_form(field))
    host = parts.netloc
    if _FORM_HOST.match(host):
        bare = _FORM_HOST.sub("", host)
        host = f"www.{bare}" if registered(bare) == bare else bare
    found = f"{parts.scheme}://{host}{path or '/'}{'?' if query else ''}{query}"
    return found if found != url else None


def _is_form(field: str) -> bool:
    name, _, value = field.lower().partition("=")
    if name in FORM_FLAGS and value in _YES:
        return True
    return name in FORM_NAMES and bool(_FORM_VALUES.fullmatch(value))


def _names_something(path: str) -> bool:
    """Whether what is left of a path still is an address of something: its last segment is more than one word."""
    last = path.rstrip("/").rpartition("/")[2]
    return bool(re.search(r"[\d_.%-]", last))


def same_article(url: str, canonical: str | None, home: str | None = None, *, named_by_others: int = 0) -> Likelihood:
    """Whether the page at `url` may be believed that `canonical` is its article's address. Never raises.

    It may not when it points to `home` or any front page, to a section, to another site, or to another article; nor
    when `named_by_others`, the number of other pages of the site that name the same address, is three or more: then
    it is a template's mistake.
    """
    try:
        own, other = identity(url), identity(canonical or "")
        front = identity(home) if home else None
    except InvalidURL:
        return Likelihood(0.0, "no address")
    if own == other:
        return Likelihood(1.0, "the same address")
    if other == front or urlsplit(other).path.strip("/") in ("", "index.html", "index.php", "home"):
        return Likelihood(0.0, "points to the front page")
    if named_by_others >= 3:
        return Likelihood(0.1, f"{named_by_others} other pages name it too")
    host, other_host = urlsplit(own).hostname or "", urlsplit(other).hostname or ""
    if registered(host) != registered(other_host):
        return Likelihood(0.1, "points to another site")
    if canonical_candidate(own) == other:
        return Likelihood(1.0, "its AMP or print form")
    if _is_section(own, other):
        return Likelihood(0.2, "points to a section page")
    if _is_another(own, other):
        return Likelihood(0.3, "points to another article")
    if _TWIN_HOST.sub("", host) == _TWIN_HOST.sub("", other_host):
        return Likelihood(0.9, "on the same host")
    return Likelihood(0.7, "on another host of the same site")


def registered(host: str) -> str:
    """Return the part of a host name that was registered, "example.co.uk"; a guess, without the public suffix list."""
    if host.startswith("[") or re.fullmatch(r"[\d.]+", host):
        return host
    labels = host.rstrip(".").split(".")
    name = ".".join(labels[-3:])
    return name if len(labels) >= 3 and _SECOND.fullmatch(name) else ".".join(labels[-2:])


def _is_section(own: str, other: str) -> bool:
    """Whether the other address is a page above this one that is no article itself."""
    above = urlsplit(other).path.rstrip("/") + "/"
    below = urlsplit(own).path
    return below.startswith(above) and below.rstrip("/") + "/" != above and not looks_like_article(other)


def _is_another(own: str, other: str) -> bool:
    """Whether both addresses have a number and words of their own, and share neither."""
    ours, theirs = (unquote_plus(address.partition("//")[2].partition("/")[2]) for address in (own, other))
    numbers, other_numbers = set(_NUMBER.findall(ours)), set(_NUMBER.findall(theirs))
    last, other_last = (set(_WORD.findall(path.rstrip("/").rpartition("/")[2].lower())) for path in (ours, theirs))
    if len(last) < 3 or len(other_last) < 3 or last & other_last:
        return False
    return not numbers & other_numbers and bool(looks_like_article(own)) and bool(looks_like_article(other))
