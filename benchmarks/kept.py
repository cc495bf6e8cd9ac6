"""Reads WARCs with warcio, as somebody else's program would, and leaves the blocks as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator


@dataclass(frozen=True, slots=True)
class Kept:
    """An exchange as its records hold it; without a response record `response` is empty."""

    url: str
    request: bytes
    response: bytes
    #: WARC-Truncated.
    truncated: str | None
    #: The response record is a revisit: its block is the head alone.
    revisit: bool


def exchanges(archive: Path) -> Iterator[Kept]:
    """Yield every exchange of every WARC of a folder, in the order of the files and their requests."""
    for file in sorted(archive.rglob("*.warc.gz")):
        requests: list[tuple[str, str, bytes]] = []
        responses: dict[str, tuple[bytes, str | None, bool]] = {}
        with file.open("rb") as stream:
            for record in ArchiveIterator(stream, no_record_parse=True):
                fields, block = record.rec_headers, record.raw_stream.read()
                if record.rec_type == "request":
                    url, answer = fields.get_header("WARC-Target-URI"), fields.get_header("WARC-Concurrent-To")
                    requests.append((url, answer or "", block))
                elif record.rec_type in {"response", "revisit"}:
                    revisit = record.rec_type == "revisit"
                    responses[fields.get_header("WARC-Record-ID")] = (
                        block,
                        fields.get_header("WARC-Truncated"),
                        revisit,
                    )
        for url, answer, request in requests:
            response, truncated, revisit = responses.get(answer, (b"", None, False))
            yield Kept(url, request, response, truncated, revisit)
