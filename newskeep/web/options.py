"""What `newskeep serve` may be told."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

from crawler.config import Config
from crawler.identity import identity_of
from crawler.politeness.addresses import is_loopback
from storage.errors import UsageError

NoarchiveView = Literal["withhold", "show"]


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Where the two origins are, and who may see them. `check` says whether they go together."""

    host: str = "127.0.0.1"
    port: int = 8080
    originals_port: int = 8081
    #: How visitors reach the app and the originals when a proxy stands before them: scheme and host, no path.
    public_url: str | None = None
    originals_url: str | None = None
    #: Where replayed pages are, `None` without replay; and how visitors reach it through the proxy.
    replay_port: int | None = None
    replay_url: str | None = None
    #: One of these opens the door; the token is also taken as a password, with any name.
    token: str | None = None
    #: "name:password".
    user: str | None = None
    #: What is done with pages that say `noarchive`; `None`: they are withheld where others may look.
    noarchive: NoarchiveView | None = None
    #: Whether nothing may be changed, not even by who has the key.
    read_only: bool = False
    #: The configuration, for the page that says how the sites go and what is due next.
    config: Config = field(default_factory=Config, repr=False)
    #: Signs the app's links to originals, see newskeep.web.auth; the same for both origins, new with every start.
    link_key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def needs_key(self) -> bool:
        return self.token is not None or self.user is not None

    @property
    def may_correct(self) -> bool:
        """Whether readers may correct articles: who has the key, or else this machine alone."""
        return not self.read_only and (self.needs_key or not self.is_for_others)

    @property
    def may_save(self) -> bool:
        """Whether visitors may have pages archived: who may correct may do that too."""
        return self.may_correct

    @property
    def withholds(self) -> bool:
        """Whether pages that say `noarchive` are not shown."""
        return self.is_for_others if self.noarchive is None else self.noarchive == "withhold"

    @property
    def is_for_others(self) -> bool:
        """Whether it can be reached from elsewhere: on an address, or through a proxy, that is not this machine's."""
        urls = (self.public_url, self.originals_url, self.replay_url)
        hosts = [self.host, *(urlsplit(url).hostname or "" for url in urls if url is not None)]
        return not all(map(is_loopback, hosts))

    def on_ports(self, port: int, originals_port: int, replay_port: int | None = None) -> ServeOptions:
        return replace(self, port=port, originals_port=originals_port, replay_port=replay_port)

    def check(self) -> None:
        """Raise `UsageError` for what cannot work or would be unsafe."""
        identity_of(self.config.signing_key, self.config.agent)
        if not is_loopback(self.host) and not self.needs_key:
            raise UsageError(
                f"--host {self.host} is open to others: add --token or --user NAME:PASSWORD "
                "(better: NEWSKEEP_WEB_TOKEN or NEWSKEEP_WEB_USER), or stay on 127.0.0.1"
            )
        if self.port == self.originals_port != 0:
            raise UsageError("--port and --originals-port must differ: originals are kept apart from the app")
        if self.replay_port in (self.port, self.originals_port) and self.replay_port != 0:
            raise UsageError("--replay-port must be one of its own: replayed pages run scripts")
        if self.token is not None and len(self.token) < 16:
            raise UsageError("--token must have at least 16 characters; for example from: openssl rand -hex 16")
        if self.user is not None and not all(self.user.partition(":")):
            raise UsageError("--user is NAME:PASSWORD, neither of them empty")
        for name, url in (
            ("--public-url", self.public_url),
            ("--originals-url", self.originals_url),
            ("--replay-url", self.replay_url),
        ):
            if url is not None and not _is_origin(url):
                raise UsageError(f"{name} {url}: write scheme and host, such as https://archive.example.org")
        if (self.public_url is None) != (self.originals_url is None):
            raise UsageError("--public-url and --originals-url go together: visitors need both addresses")
        if self.public_url is not None and self.public_url == self.originals_url:
            raise UsageError("--public-url and --originals-url must differ: originals are kept apart from the app")
        if self.replay_port is not None and (self.replay_url is None) != (self.public_url is None):
            raise UsageError("--replay with --public-url needs --replay-url too, and that needs the others")
        if self.replay_url is not None and self.replay_url in (self.public_url, self.originals_url):
            raise UsageError("--replay-url must be an address of its own: replayed pages run scripts")


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and url == f"{parts.scheme}://{parts.netloc}"
            and "@" not in parts.netloc
        )
    except ValueError:
        return False
