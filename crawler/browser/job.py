"""What a browser is asked for, and what it gives back: values that go through pipes."""

from __future__ import annotations

from dataclasses import dataclass, field

from crawler import defaults
from storage.model import Exchange, Resource


@dataclass(frozen=True, slots=True)
class RenderBounds:
    """What one page may take of us."""

    #: Seconds from the first request to the last record.
    seconds: float = defaults.RENDER_TIMEOUT
    #: Seconds in which the page has to come to rest; what it shows then is taken.
    rest: float = 10.0
    #: Bytes that come and go over all its connections.
    bytes: int = defaults.RENDER_MAXSIZE
    requests: int = 500
    #: Characters of the DOM.
    dom: int = 16 << 20


@dataclass(frozen=True, slots=True)
class BrowserBounds:
    """How long a browser is kept for further pages: what it holds grows, and what is wrong with it stays."""

    pages: int = 100
    #: Seconds since it was started.
    age: float = 900.0
    #: Seconds without a page.
    idle: float = 60.0
    #: Bytes that all its processes hold together, between two pages.
    memory: int = 1 << 30


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What is done with a page that has been loaded, each only where a site declares it."""

    #: Screens that are scrolled down.
    scroll: int = 0
    #: CSS selectors of what is clicked once, where it is shown: a consent.
    click: tuple[str, ...] = ()
    #: CSS selector of "load more", clicked for as long as it is there, at most so many times.
    more: str | None = None
    more_times: int = 5


@dataclass(frozen=True, slots=True)
class RenderJob:
    """One page to be shown."""

    url: str
    #: Path of Chromium.
    program: str
    #: Added to the browser's own User-Agent field.
    user_agent: str
    allow_private: bool = False
    insecure: bool = False
    #: File of roots in PEM that are believed beside the browser's.
    ca_file: str | None = None
    #: Address of the proxy that everything goes through; `None`: as the environment says.
    proxy: str | None = field(default=None, repr=False)
    #: Whether a proxy may be given names that cannot be judged here.
    trust_proxy: bool = False
    #: File of hosts that are not asked (`blocklist`).
    blocklist: str | None = None
    screenshot: bool = False
    pdf: bool = False
    #: Names and values of fields that go to the origin of `url` alone; those of Cookie fields as cookies of its host.
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    behaviour: Behaviour = field(default_factory=Behaviour)
    bounds: RenderBounds = field(default_factory=RenderBounds)

    @property
    def kind(self) -> tuple[object, ...]:
        """Of what kind its browser is: what is said when it starts, and holds for all its pages."""
        return self.program, self.insecure, self.ca_file, self.bounds.bytes


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came of it."""

    #: The address that was shown, after redirects.
    url: str
    #: In the order of their requests, the page's own among them.
    exchanges: tuple[Exchange, ...] = ()
    #: The DOM first; empty where nothing was shown.
    resources: tuple[Resource, ...] = ()
    #: Why nothing was shown, in words for a person; `None` where something was.
    error: str | None = None
    #: What was left out, in words: connections and requests that were refused, popups, downloads.
    left_out: tuple[str, ...] = ()
