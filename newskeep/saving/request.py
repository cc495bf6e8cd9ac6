"""What is to be saved, into which archive, by whose configuration and for whom: a value that goes through a pipe."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from storage.errors import UsageError


@dataclass(frozen=True, slots=True)
class SaveRequest:
    """A list of URLs for one archive."""

    #: As `open_archive` takes them.
    archive: str
    state: str | None
    urls: tuple[str, ...]
    #: newskeep.toml; `None`: the one that NEWSKEEP_CONFIG names, or ./newskeep.toml if it is there.
    config: str | None = None
    #: Fields of `Config` that are put over it.
    given: Mapping[str, Any] = field(default_factory=dict)
    requisites: bool = False
    #: 14 digits; what is held since is not asked for.
    newer_than: str | None = None
    #: For the crawl report.
    asked_by: str | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: bytes) -> SaveRequest:
        fields = json.loads(text)
        return cls(**{**fields, "urls": tuple(fields["urls"])})


def url_list(urls: str | Iterable[str]) -> tuple[str, ...]:
    """One URL, or several, as a tuple. Raises `UsageError` for what is no text."""
    listed = (urls,) if isinstance(urls, str | bytes) else tuple(urls)
    for url in listed:
        if not isinstance(url, str):
            raise UsageError(f"an address is a text, not {url!r:.100}")
    return listed
