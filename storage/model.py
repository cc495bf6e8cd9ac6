"""The nouns of the archive, as frozen values: what was exchanged, what is held, what was read from it.

Missing is `None`. Times are aware datetimes in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, NamedTuple

from storage.fingerprints import Fingerprint
from storage.rights.signal import Signal, shown_until

Truncation = Literal["length", "time", "disconnect", "unspecified"]
OutcomeKind = Literal["archived", "unchanged", "held", "refused", "failed"]
#: How a run ended: "stopped" by hand; "failed": nothing of it could be had, or nothing more could be written; "busy":
#: another process crawls the site; "interrupted": it was killed, and a later one has sealed what it left.
RunState = Literal["finished", "stopped", "time limit", "blocked", "failed", "busy", "interrupted"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back, byte for byte as on the wire.

    But for secrets, which are marked (docs/formats.md). `response` is the final response, head and body with transfer
    and content coding as sent, and is empty when nothing came; `interim` holds each 1xx response before it.
    """

    url: str
    started: datetime
    request: bytes
    response: bytes
    interim: tuple[bytes, ...] = ()
    #: Address of the server; `None` when a proxy stood between.
    peer: str | None = None
    #: WARC-Protocol values, such as ("http/1.1", "tls/1.3").
    protocols: tuple[str, ...] = ()
    cipher: str | None = None
    #: What the server sent over TLS, its own certificate first, in DER.
    certificates: tuple[bytes, ...] = ()
    #: What is wrong with the certificate or the version of TLS, in words; `None` for what may be believed.
    insecure: str | None = None
    #: Why the response is shorter than the server meant it (WARC 1.1, 5.13); `None` for a whole one.
    truncated: Truncation | None = None
    #: Names of the fields whose values are marked, as sent; "body" where a secret in the body was overwritten.
    request_redacted: tuple[str, ...] = ()
    response_redacted: tuple[str, ...] = ()
    #: Of a browser's exchange over HTTP/2, whose messages are in the form of HTTP/1.1: the frames that they came in, of
    #: DATA frames without the data, which is the body.
    request_frames: bytes = b""
    response_frames: bytes = b""


@dataclass(frozen=True, slots=True)
class Resource:
    """What was made of an answer, such as a picture of the page, kept beside it: a body without HTTP."""

    #: See `storage.renditions`.
    uri: str
    #: Media type, with parameters.
    kind: str
    data: bytes
    #: What the page was not given while it was made, in words.
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capture:
    """One line of the index: a response, or a revisit of one, at a place in a WARC file."""

    url: str
    timestamp: datetime
    status: int | None
    #: Media type without parameters; "warc/revisit" for a revisit.
    mime: str | None
    #: Payload digest (transfer coding removed): "sha256:" and hex, of older captures "sha1:" and base32.
    digest: str | None
    #: Name of the WARC file, without folders.
    filename: str
    offset: int
    length: int
    #: Digest of the body with its chunk framing, where that differs from the payload; two exchanges are the same
    #: on the wire only when this is the same too.
    framed_digest: str | None = None
    #: What came in place of the page, in words, such as "a login wall"; `None` for what was asked for.
    wall: str | None = None
    #: Why the server that it came from over TLS is not to be believed, in words; `None` for all others.
    insecure: str | None = None
    #: Whether the answer says `noarchive`: kept, and not shown to others unless somebody decides so.
    noarchive: bool = False
    #: What the answer says of its use. Not compared: it follows from the bytes, and older versions did not read it.
    rights: tuple[Signal, ...] = field(default=(), compare=False)

    @property
    def is_revisit(self) -> bool:
        return self.mime == "warc/revisit"

    @property
    def shown_until(self) -> datetime | None:
        """Until when it may be shown to others, see `storage.rights.signal.shown_until`."""
        return shown_until(self.rights)


class Reason(NamedTuple):
    """Why a block was kept or left out; as text "repeated on 14 articles of example.org", "model p=.97".

    The words in use are those of docs/formats.md. One of a newer version, or of an older one's text, may be any other.
    """

    #: "trafilatura", "model", "repeated", "navigation", …
    word: str
    #: What differs between two of the same word: "on 14 articles of example.org".
    detail: str = ""
    #: The block model's answer, 0 to 1, where it was asked.
    probability: float | None = None

    def __str__(self) -> str:
        answer = "" if self.probability is None else f"p={self.probability:.2f}".replace("=0.", "=.")
        return " ".join(filter(None, (self.word, answer, self.detail)))


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text of a page, in page order, and what became of it."""

    text: str
    #: "p", "h1" to "h6", "li", "quote", "pre", "row" (cells joined by " | "), "caption".
    kind: str
    kept: bool
    reason: Reason
    #: Where it stands in the page's template: a short path of tags and class names, for the site memory.
    place: str = ""
    #: Share of the text that is inside links, 0 to 1.
    link_share: float = 0.0
    #: Why it was the other way round, where a reader overruled that.
    overruled: Reason | None = None

    @property
    def as_extracted(self) -> Block:
        """The block without what a reader said of it."""
        if self.overruled is None:
            return self
        return replace(self, kept=not self.kept, reason=self.overruled, overruled=None)


@dataclass(frozen=True, slots=True)
class TextSource:
    """The record an article's text was made from."""

    filename: str
    offset: int
    length: int
    digest: str | None
    #: Why the server that it came from over TLS is not to be believed, in words; `None` for all others.
    insecure: str | None = None


@dataclass(frozen=True, slots=True)
class Extractor:
    """Who made the text: enough to make it again."""

    name: str
    version: str
    #: Digest of the block model, "sha256:…"; `None` when none was used.
    model: str | None = None
    #: What decided on the text: "trafilatura", "model", or a fallback with its reason.
    method: str = "trafilatura"


#: Of an article's confidence: below this it is more likely wrong than right, and listed as doubtful.
DOUBTFUL = 0.5


@dataclass(frozen=True, slots=True)
class Article:
    """The clean text of a page and what the page says of itself."""

    url: str
    title: str | None = None
    authors: tuple[str, ...] = ()
    #: ISO 8601, with zone where the page gives one.
    published: str | None = None
    modified: str | None = None
    #: BCP 47 tag, lower case language, such as "da" or "pt-BR".
    language: str | None = None
    section: str | None = None
    topics: tuple[str, ...] = ()
    image: str | None = None
    description: str | None = None
    canonical_url: str | None = None
    paywalled: bool | None = None
    #: Whether its page says `noarchive`, see `Capture`.
    noarchive: bool = False
    #: What its page says of its use.
    rights: tuple[Signal, ...] = ()
    #: How likely the text is right as a whole, 0 to 1, calibrated; `None` where nobody said (older versions).
    confidence: float | None = None
    blocks: tuple[Block, ...] = ()
    #: Where each field came from: {"title": "json-ld", "published": "meta article:published_time"}.
    sources: Mapping[str, str] = field(default_factory=dict)
    #: What another source of the page said, where they disagree: {"authors": "byline: Jane Doe"}.
    doubts: Mapping[str, str] = field(default_factory=dict)
    extractor: Extractor | None = None
    #: Of the text, to find it again in other captures; `None` where there is no text, and before sealing.
    fingerprint: Fingerprint | None = None
    timestamp: datetime | None = None
    warc: TextSource | None = None

    @property
    def text(self) -> str:
        """The kept blocks, one a line, an empty line between."""
        return "\n\n".join(block.text for block in self.blocks if block.kept)

    @property
    def shown_until(self) -> datetime | None:
        """Until when it may be shown to others, see `Capture`."""
        return shown_until(self.rights)

    @property
    def removed(self) -> tuple[Block, ...]:
        """The blocks left out, in page order."""
        return tuple(block for block in self.blocks if not block.kept)

    @property
    def words(self) -> int:
        """Number of words of the text; in scripts without spaces each run of letters counts by its characters."""
        from storage.text import count_words

        return count_words(self.text)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one URL of a crawl."""

    #: As it was given.
    url: str
    outcome: OutcomeKind
    reason: str | None = None
    status: int | None = None
    final_url: str | None = None
    timestamp: datetime | None = None
    title: str | None = None
    words: int | None = None
    #: Where the answer says `noarchive`, such as "meta robots"; `None` where it does not.
    noarchive: str | None = None
    #: Media type of the answer, and bytes of its body as sent, transfer coding removed.
    mime: str | None = None
    size: int | None = None
    #: What the run gives to the capture; and from when on, where it has what an earlier one has.
    tags: tuple[str, ...] = ()
    tags_since: datetime | None = None
    #: What a page was not given while a browser showed it, in words: hosts, popups, what is beyond a bound.
    left_out: tuple[str, ...] = ()
