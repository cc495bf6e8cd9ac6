"""What the class names, ids and roles of an element tell, sorted into a few groups that hold for every site."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

#: A group and what names that belong to it contain.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "share": ("share", "sharing", "social", "follow", "facebook", "twitter", "whatsapp"),
    "related": (
        *("relat", "recommend", "read-more", "readmore", "read-also", "read-next", "more-on", "more-from", "more-stor"),
        *(
            "more-news",
            "also",
            "trending",
            "popular",
            "most-read",
            "mostread",
            "outbrain",
            "taboola",
            "teaser",
            "next-",
        ),
        *("suggest", "linkbox", "inline-link", "inline-article", "inline-promo", "carousel", "latest", "recirc"),
    ),
    "newsletter": (
        *("newsletter", "subscri", "signup", "sign-up", "optin", "mailing", "paywall", "regwall", "piano", "register"),
        *("login", "premium"),
    ),
    "advert": (
        *("advert", "sponsor", "promo", "banner", "commercial", "affiliate", "dfp", "gpt", "donat", "supportus"),
        *("support-us", "contribut"),
    ),
    "comment": ("comment", "disqus", "respond", "discussion"),
    "author": ("author", "byline", "contributor", "writer", "profile"),
    "caption": (
        *("caption", "credit", "figure", "photo", "image", "gallery", "media", "video", "slide", "player", "copyright"),
        *("legend", "thumb", "lightbox"),
    ),
    "tag": ("topic", "categor", "keyword", "kicker", "label", "breadcrumb", "section-name", "rubric"),
    "navigation": (
        *("nav", "menu", "footer", "header", "toolbar", "sidebar", "side-", "skip", "pager", "paginat", "widget"),
        *("rail", "masthead"),
    ),
    "date": ("meta", "date", "time", "publish", "info", "stamp"),
    "title": (
        *("title", "headline", "heading", "dek", "standfirst", "stand-first", "lead", "lede", "summary", "intro"),
        *("excerpt", "abstract", "chapo", "descri"),
    ),
    "body": ("body", "content", "article", "story", "post", "entry", "text", "paragraph", "rich", "prose", "copy"),
    "consent": ("cookie", "consent", "gdpr", "privacy", "modal", "popup", "overlay", "toast", "alert", "disclaimer"),
    "post": (
        *("twitter-tweet", "tweet", "instagram-media", "fb-post", "tiktok", "bluesky", "mastodon", "telegram-post"),
        *("reddit-embed", "social-embed", "social-media-embed"),
    ),
    "embed": (*("embed", "instagram", "quote", "pull", "aside", "factbox", "infobox", "box", "module", "component"),),
    "hidden": ("hidden", "hide", "sr-only", "visually", "screen-reader", "print", "invisible", "offscreen"),
}
# Too short to be looked for inside of words.
_WHOLE_PARTS = {"ad": "advert", "ads": "advert", "tag": "tag", "tags": "tag", "bio": "author"}
_BITS = {group: 1 << bit for bit, group in enumerate(GROUPS)}


def _starting() -> dict[str, list[tuple[str, int]]]:
    """The fragments by their first three letters (none is shorter), each with the bit of its group."""
    found: dict[str, list[tuple[str, int]]] = {}
    for group, fragments in GROUPS.items():
        for fragment in fragments:
            found.setdefault(fragment[:3], []).append((fragment, _BITS[group]))
    return found


_STARTING = _starting()


@lru_cache(maxsize=16384)
def groups_of(names: str) -> int:
    """Return the groups of some names, parted by spaces, as a bit set in the order of `GROUPS`."""
    found = 0
    for name in names.split():
        found |= _groups_of_name(name.lower())
    return found


@lru_cache(maxsize=8192)
def _groups_of_name(name: str) -> int:
    found = 0
    for at in range(len(name) - 2):
        for fragment, group in _STARTING.get(name[at : at + 3], ()):
            if name.startswith(fragment, at):
                found |= group
    for part in name.replace("_", "-").split("-"):
        if part in _WHOLE_PARTS:
            found |= _BITS[_WHOLE_PARTS[part]]
    return found
