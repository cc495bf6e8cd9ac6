"""AddressState, SiteState and SiteRun <-> rows."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b
from typing import Any, cast

from sqlalchemy import Row

from crawler.frontier.address_state import AddressState, RobotsText, Role, SiteRun, SiteState, State, Visit
from crawler.frontier.run_counts import RunCounts
from crawler.frontier.schema import ROLES, STATES, queue_of
from storage.index.rows import pack_digest, seconds, unpack_digest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a server may make us keep of an ETag, and a message of a reason; characters.
_MAX_VALIDATOR = 500
_MAX_REASON = 300


def packed(moment: datetime | None) -> int | None:
    return None if moment is None else seconds(moment)


def moment(stored: int | None) -> datetime | None:
    return None if stored is None else _EPOCH + timedelta(seconds=stored)


def key_of(url: str) -> int:
    """Return the number that a URL is found by."""
    digest = blake2b(url.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def split(url: str) -> tuple[str, str]:
    """Cut a URL behind its authority."""
    end = url.find("/", url.find("//") + 2) if "//" in url else 0
    return (url, "") if end < 0 else (url[:end], url[end:])


def short(reason: str | None) -> str | None:
    return reason[:_MAX_REASON].replace("\0", "\ufffd") if reason else None


def _may_keep(etag: str | None) -> bool:
    """Whether a validator is no longer than it may be; PostgreSQL keeps no NUL."""
    return etag is not None and len(etag) <= _MAX_VALIDATOR and "\0" not in etag


def pack_date(header: str | None) -> int | str | None:
    """Return a Last-Modified as seconds if that gives it back as it was, else the text."""
    if header is None or len(header) > _MAX_VALIDATOR or "\0" in header:
        return None
    try:
        stored = seconds(parsedate_to_datetime(header).astimezone(UTC))
    except (ValueError, OverflowError, TypeError):
        return f"={header}"
    return stored if unpack_date(stored) == header else f"={header}"


def unpack_date(stored: int | str | None) -> str | None:
    if isinstance(stored, int):
        return format_datetime(_EPOCH + timedelta(seconds=stored), usegmt=True)
    return None if stored is None else stored[1:]


def visit_row(visit: Visit) -> dict[str, Any]:
    """What a visit says of its address; the rest of the row it does not know."""
    at = seconds(visit.at)
    return {
        "key": key_of(visit.url),
        "role": ROLES.index(visit.role),
        "state": STATES.index(visit.state),
        "reason": short(visit.reason),
        "announced": at,
        "published": packed(visit.published),
        "fetched": at,
        "changed": at if visit.changed else None,
        "captured": at if visit.state == "held" else None,
        "due": packed(visit.due),
        "queue": queue_of(visit.role, visit.state, visit.due),
        "interval": None if visit.interval is None else round(visit.interval),
        "status": visit.status,
        "failures": int(visit.state == "failed"),
        "etag": visit.etag if _may_keep(visit.etag) else None,
        "last_modified": pack_date(visit.last_modified),
        "digest": pack_digest(visit.digest),
        "alias_of": visit.alias_of,
    }


def known_of(row: Row[Any], site: str) -> AddressState:
    return AddressState(
        site=site,
        url=row.origin_name + row.path,
        role=cast(Role, ROLES[row.role]),
        state=cast(State, STATES[row.state]),
        announced=_EPOCH + timedelta(seconds=row.announced),
        reason=row.reason,
        source=row.source_name,
        published=moment(row.published),
        fetched=moment(row.fetched),
        changed=moment(row.changed),
        due=moment(row.due),
        interval=None if row.interval is None else float(row.interval),
        status=row.status,
        etag=row.etag,
        last_modified=unpack_date(row.last_modified),
        digest=unpack_digest(row.digest),
        failures=row.failures,
        alias_of=row.alias_of,
        captured=moment(row.captured),
        modified=moment(row.modified),
    )


def site_row(state: SiteState) -> dict[str, Any]:
    return {
        "name": state.site,
        "started": packed(state.started),
        "finished": packed(state.finished),
        "due": packed(state.due),
        "blocked_until": packed(state.blocked_until),
        "blocked_reason": short(state.blocked_reason),
        "blocks": state.blocks,
    }


def site_of_row(row: Row[Any]) -> SiteState:
    return SiteState(
        site=row.name,
        started=moment(row.started),
        finished=moment(row.finished),
        due=moment(row.due),
        blocked_until=moment(row.blocked_until),
        blocked_reason=row.blocked_reason,
        blocks=row.blocks,
    )


def robots_row(text: RobotsText) -> dict[str, Any]:
    return {"origin": text.origin, "until": seconds(text.until), "content": zlib.compress(text.content)}


def robots_of(row: Row[Any]) -> RobotsText:
    return RobotsText(row.origin, _EPOCH + timedelta(seconds=row.until), zlib.decompress(row.content))


def run_row(run: SiteRun) -> dict[str, Any]:
    return {
        "crawl": run.crawl,
        "started": seconds(run.started),
        "finished": packed(run.finished),
        "state": run.state,
        "counts": json.dumps(run.counts.to_json(), separators=(",", ":")),
        "hosts": json.dumps(dict(run.hosts), separators=(",", ":")),
        "problems": json.dumps(run.problems, separators=(",", ":")),
    }


def run_of(row: Row[Any], site: str) -> SiteRun:
    return SiteRun(
        site=site,
        crawl=row.crawl,
        started=_EPOCH + timedelta(seconds=row.started),
        finished=moment(row.finished),
        state=row.state,
        counts=RunCounts.of_json(json.loads(row.counts)),
        hosts=json.loads(row.hosts),
        problems=tuple(json.loads(row.problems)),
    )
