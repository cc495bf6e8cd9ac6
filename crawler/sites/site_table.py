"""A site as the table that newskeep.toml has of it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from itertools import count

from crawler.sites.site import RESERVED, Site

#: Below a country's own: example.co.uk is called "example".
_SECOND_LEVEL = frozenset(["ac", "co", "com", "edu", "go", "gob", "gov", "govt", "ne", "net", "nom", "or", "org"])


def table_name(site: str, taken: Collection[str] = ()) -> str:
    """Return a bare key of TOML for a site named by its address: of a host the part that people call it by.

    Where that is taken it is the whole host, then that with a number.
    """
    host, _, section = site.partition("/")
    parts = host.partition(":")[0].removeprefix("www.").split(".")
    below = re.findall(r"[a-z0-9]+", section.lower())
    short, long = "-".join([_called(parts), *below]), "-".join([*parts, *below])
    names = (short, long, *(f"{long}-{number}" for number in range(2, 10)))
    free = (name for name in names if name not in taken and name not in RESERVED)
    return next(free, None) or next(name for n in count(10) if (name := f"{long}-{n}") not in taken)


def site_table(name: str, site: Site) -> str:
    """Return the table `[sites.NAME]` that declares a site: its addresses, and what it does not have by default."""
    return "\n".join([f"[sites.{name}]", *(f"{key} = {value}" for key, value in _entries(site))])


def quoted(text: str) -> str:
    """Return a printable text as TOML has it; regular expressions keep their backslashes."""
    return f"'{text}'" if "\\" in text and "'" not in text else json.dumps(text, ensure_ascii=False)


def _entries(site: Site) -> Iterator[tuple[str, str]]:
    for key in ("start", "feeds", "sitemaps", "include", "exclude", "hosts"):
        if values := getattr(site, key):
            yield key, f"[{', '.join(map(quoted, values))}]"
    for key in ("section", "insecure"):
        if getattr(site, key):
            yield key, "true"


def _called(parts: list[str]) -> str:
    if len(parts) == 1 or parts[-1].isdigit():
        return "-".join(parts)
    below_country = len(parts) > 2 and len(parts[-1]) == 2 and parts[-2] in _SECOND_LEVEL
    return parts[-3 if below_country else -2]
