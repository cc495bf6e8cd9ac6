"""What readers say of blocks: `corrections/<site>/<17 digits>-<8 hexadecimal digits>.json`, an object a correction.

An object is never written over and never removed: two people who correct at once lose nothing, and what two archives
know together is the union. Of those about the same words the latest counts, one that takes back among them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from storage.bounds import read_json
from storage.errors import Corrupt, InvalidURL, ObjectMissing, UsageError
from storage.json_fields import as_text, as_text_or_none
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.text import plain
from storage.urls import parse_moment, parse_timestamp, site_of, surt, timestamp14

FOLDER = "corrections/"
#: "undo": as the extractor has it.
CorrectionVerdict = Literal["keep", "remove", "undo"]
_VERDICTS = get_args(CorrectionVerdict)
_STEP = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Correction:
    """A block that a reader wants kept or removed."""

    #: Of the article that it was said of, as the index has it; its `captured` is that capture's time.
    url: str
    captured: datetime
    #: The block's.
    text: str
    verdict: CorrectionVerdict
    made: datetime
    canonical_url: str | None = None
    #: Of every article of the site, and not of this one alone.
    whole_site: bool = False
    #: Which of the page's blocks with these words, from 1; `None`: all of them.
    occurrence: int | None = None
    by: str | None = None
    note: str | None = None

    @property
    def site(self) -> str:
        """Raises `InvalidURL`."""
        return site_of(self.url)

    @property
    def subject(self) -> tuple[str, str, int | None]:
        """What it is about: of corrections with the same one the latest counts."""
        return "" if self.whole_site else surt(self.url), plain(self.text).casefold(), self.occurrence

    def is_about(self, url: str, canonical_url: str | None = None) -> bool:
        """Whether it is about an article of its site: by its address, or by the one that it names itself."""
        return self.whole_site or not _names(self.url, self.canonical_url).isdisjoint(_names(url, canonical_url))


def of_fields(fields: Any) -> Correction:
    """The correction of a JSON object's fields, unknown ones left out. Raises `Corrupt`."""
    try:
        if fields["verdict"] not in _VERDICTS or fields["scope"] not in ("article", "site"):
            raise ValueError(f"{fields['verdict']!r}, {fields['scope']!r}")
        found = Correction(
            as_text(fields["url"]),
            parse_timestamp(fields["captured"]),
            as_text(fields["text"]),
            fields["verdict"],
            parse_moment(fields["made"]),
            as_text_or_none(fields.get("canonical_url")),
            fields["scope"] == "site",
            _number_or_none(fields.get("occurrence")),
            as_text_or_none(fields.get("by")),
            as_text_or_none(fields.get("note")),
        )
        site_of(found.url)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, UsageError) as error:
        raise Corrupt(f"not a correction: {error!r:.200}") from error
    return found


def to_fields(correction: Correction) -> dict[str, Any]:
    """The fields of docs/formats.md, in its order."""
    return {
        "url": correction.url,
        "canonical_url": correction.canonical_url,
        "captured": timestamp14(correction.captured),
        "scope": "site" if correction.whole_site else "article",
        "verdict": correction.verdict,
        "text": correction.text,
        "occurrence": correction.occurrence,
        "made": correction.made.astimezone(UTC).isoformat(timespec="milliseconds"),
        "by": correction.by,
        "note": correction.note,
    }


def add(store: ObjectStore, correction: Correction) -> Correction:
    """Keep a correction, durable on return, and return it as it is kept.

    It counts after all that are there of its site, also where the clock of who made these goes before ours.
    """
    last = max((time for key in keys(store, correction.site) if (time := _time_in(key)) is not None), default=None)
    made = correction.made if last is None else max(correction.made, last + _STEP)
    correction = replace(correction, made=made.replace(microsecond=made.microsecond // 1000 * 1000))
    data = json.dumps(to_fields(correction), ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n"
    digits = f"{timestamp14(made)}{made.microsecond // 1000:03}"
    store.put(f"{FOLDER}{correction.site}/{digits}-{hashlib.sha256(data).hexdigest()[:8]}.json", data)
    return correction


def keys(store: ObjectStore, site: str | None = None) -> Iterator[str]:
    """Yield the keys of the corrections of a site, or of all sites, in order of site and time."""
    for info in store.list(FOLDER if site is None else f"{FOLDER}{site}/"):
        yield info.key


def site_in(key: str) -> str:
    return key.removeprefix(FOLDER).partition("/")[0]


def read(store: ObjectStore, key: str) -> Correction:
    """Return a correction. Raises `Corrupt` where it is none, or lies with another site, and `ObjectMissing`."""
    with store.open(key) as stream:
        found = of_fields(read_json(stream))
    if found.site != site_in(key):
        raise Corrupt(f"not a correction of {site_in(key)}, but of {found.site}")
    return found


def read_all(
    store: ObjectStore, site: str | None = None, on_problem: Callable[[Problem], None] = lambda problem: None
) -> list[Correction]:
    """Return the corrections that hold, of a site or of all; what is none is told to `on_problem`."""
    found = []
    for key in keys(store, site):
        try:
            found.append(read(store, key))
        except Corrupt as error:
            on_problem(Problem(key, f"passed over ({error}); remove it"))
        except ObjectMissing:
            pass
    return in_force(found)


def in_force(corrections: Iterable[Correction]) -> list[Correction]:
    """Return those that hold, in order of time: the latest of each subject, without those that take back."""
    latest: dict[tuple[str, str, str, int | None], Correction] = {}
    for each in sorted(corrections, key=lambda each: (each.made, each.verdict)):
        latest[(each.site, *each.subject)] = each
    return sorted((each for each in latest.values() if each.verdict != "undo"), key=lambda each: each.made)


def undone(correction: Correction) -> Correction:
    """Return what takes a correction back."""
    return replace(correction, verdict="undo", made=datetime.now(UTC), by=None, note=None)


def _time_in(key: str) -> datetime | None:
    """When the correction of a key was made; `None` where it is none, or of a clock that is a day before ours."""
    digits = key.rpartition("/")[2].partition("-")[0]
    try:
        time = datetime.strptime(digits, "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return time if time < datetime.now(UTC) + timedelta(days=1) else None


def _names(url: str, canonical_url: str | None) -> frozenset[str]:
    """What an article is known by: its address and, where that is one of a page of its own, the canonical one."""
    names = {surt(url)}
    if canonical_url and urlsplit(canonical_url).path.strip("/") and _site(canonical_url) == _site(url):
        names.add(surt(canonical_url))
    return frozenset(names)


def _site(url: str) -> str | None:
    try:
        return site_of(url)
    except InvalidURL:
        return None


def _number_or_none(value: object) -> int | None:
    # Not isinstance(): True is an int.
    if value is not None and (type(value) is not int or value < 1):
        raise ValueError(f"{value!r} is no place among the blocks")
    return value
