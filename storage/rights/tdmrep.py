"""TDMRep, the reservation of text and data mining: `/.well-known/tdmrep.json` (W3C Community Group report, 2024)."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from storage.bounds import parse_json
from storage.errors import Corrupt
from storage.rights.paths import longest, path_of
from storage.rights.signal import VALUE_MOST, Signal

#: Bytes of a file that is read, and rules that are kept of it.
TDMREP_MAX_BYTES, _RULES_MOST = 512 * 1024, 2_000
PATH = "/.well-known/tdmrep.json"
RESERVATION, POLICY = "tdm-reservation", "tdm-policy"
_SOURCE = "tdmrep.json"


@dataclass(frozen=True, slots=True)
class Rule:
    location: str
    #: "1": rights are reserved; "0": they are not.
    reservation: str
    policy: str | None


@dataclass(frozen=True, slots=True)
class TdmTerms:
    """What a site's tdmrep.json says."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read a file, its content coding removed; entries that are none are left out, and what is no JSON has none."""
        if len(content) > TDMREP_MAX_BYTES:
            return cls()
        try:
            found = parse_json(_utf8(content), TDMREP_MAX_BYTES)
        except (Corrupt, UnicodeError):
            return cls()
        entries = found if isinstance(found, list) else [found]
        return cls(tuple(rule for entry in entries[:_RULES_MOST] if (rule := _rule(entry))))

    def of(self, url: str) -> tuple[Signal, ...]:
        """What is said of a URL: the rules with the longest location, all of them where several have it."""
        return tuple(_signals(longest(self.rules, path_of(url), lambda rule: rule.location)))

    def all(self) -> tuple[Signal, ...]:
        """All that is said, those of part of a site with their path."""
        return tuple(
            signal._replace(value=signal.value if rule.location == "/" else f"{signal.value} for {rule.location}")
            for rule in self.rules
            for signal in _signals([rule])
        )


def reservation_of(value: Any) -> str | None:
    """ "1" or "0" of what stands where a reservation should; `None` for all else."""
    if isinstance(value, bool):
        return str(int(value))
    text = str(value).strip() if isinstance(value, int | str) else ""
    return text if text in ("0", "1") else None


def _rule(entry: Any) -> Rule | None:
    if not isinstance(entry, dict):
        return None
    location, policy = entry.get("location"), entry.get(POLICY)
    reservation = reservation_of(entry.get(RESERVATION))
    if reservation is None or not isinstance(location, str) or not 0 < len(location) <= VALUE_MOST:
        return None
    if not location.startswith(("/", "*")):
        location = f"/{location}"
    return Rule(location, reservation, policy[:VALUE_MOST] if isinstance(policy, str) and policy else None)


def _signals(rules: list[Rule]) -> Iterator[Signal]:
    for rule in rules:
        yield Signal(RESERVATION, rule.reservation, _SOURCE)
        if rule.policy:
            yield Signal(POLICY, rule.policy, _SOURCE)


def _utf8(content: bytes) -> bytes:
    """The file in UTF-8, without a mark: servers send what editors wrote."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16").encode()
    return content.removeprefix(codecs.BOM_UTF8)
