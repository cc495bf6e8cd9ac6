"""robots.txt beside its Allow and Disallow: `Content-Signal`, `Content-Usage` and `License`, each with its line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from storage.rights.paths import longest, path_of
from storage.rights.signal import VALUE_MOST, Signal
from storage.rights.usage import content_signal, content_usage

#: Bytes that are read; RFC 9309, 2.5 asks for 500 KiB at least.
ROBOTS_MAX_BYTES = 512 * 1024
#: Rules that are kept of a file, and licences.
_RULES_MOST, _LICENCES_MOST = 2_000, 20
_LINES = re.compile(r"\r\n|\r|\n")
_FIELD = re.compile(r"\s*([a-z][a-z _-]{0,30}?)\s*:\s*(.*)", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z_-]+")
#: Fields that end a list of user agents, beside those that are read here.
_RULES = {"allow", "disallow", "content-signal", "content-usage", "crawl-delay", "noindex"}
_READERS = {"content-signal": content_signal, "content-usage": content_usage}


@dataclass(frozen=True, slots=True)
class Rule:
    """A preference of a group: for paths of a pattern, on a line of the file (1 is the first)."""

    field: str
    path: str
    name: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class RobotsTerms:
    """What a robots.txt says of use to one robot."""

    rules: tuple[Rule, ...] = ()
    #: Addresses of RSL licences and their lines; they are for every robot (RSL 1.0).
    licences: tuple[tuple[str, int], ...] = ()

    @classmethod
    def read(cls, content: bytes, robot: str = "newskeep") -> Self:
        """Read a file, its content coding removed, as the robot of a name in lower case does.

        Its own groups count, else those for all ("*"); preferences above the first group are for everybody.
        """
        lines = _Lines(robot)
        for number, line in enumerate(_LINES.split(_text(content)), start=1):
            lines.take(line, number)
        own = lines.own if lines.is_named else lines.of_all
        return cls(tuple([*lines.above, *own][:_RULES_MOST]), tuple(lines.licences[:_LICENCES_MOST]))

    def of(self, url: str) -> tuple[Signal, ...]:
        """What is said of a URL: of each field the rules with the longest path, licences behind them."""
        path = path_of(url)
        said = [
            Signal(rule.name, rule.value, f"robots.txt {rule.field} line {rule.line}")
            for field in ("Content-Signal", "Content-Usage")
            for rule in longest((rule for rule in self.rules if rule.field == field), path, lambda rule: rule.path)
        ]
        return (*said, *self._licences())

    def all(self) -> tuple[Signal, ...]:
        """All that is said, those of part of a site with their path: "no for /photos/"."""
        return (
            *(
                Signal(
                    rule.name,
                    rule.value if rule.path == "/" else f"{rule.value} for {rule.path}",
                    f"robots.txt {rule.field} line {rule.line}",
                )
                for rule in self.rules
            ),
            *self._licences(),
        )

    def _licences(self) -> Iterator[Signal]:
        return (Signal("license", address, f"robots.txt License line {line}") for address, line in self.licences)


@dataclass(slots=True)
class _Lines:
    """The lines of a file as they are gone through."""

    robot: str
    #: Above the first group, in groups of this robot's, and in those for all.
    above: list[Rule] = field(default_factory=list)
    own: list[Rule] = field(default_factory=list)
    of_all: list[Rule] = field(default_factory=list)
    licences: list[tuple[str, int]] = field(default_factory=list)
    #: Whether a group is this robot's: then no other is, though it says nothing (RFC 9309, 2.2.1).
    is_named: bool = False
    _agents: set[str] = field(default_factory=set)
    _in_agents: bool = False
    _in_group: bool = False

    def take(self, line: str, number: int) -> None:
        found = _FIELD.match(line.partition("#")[0])
        if found is None:
            return
        name, value = "-".join(found[1].lower().split()), found[2].strip()
        if name in ("user-agent", "useragent"):
            self._agent(value)
        elif name == "license":
            self._licence(line, number)
        elif name in _RULES:
            self._in_agents = False
            if name in _READERS:
                self._preference(name, value, number)

    def _agent(self, value: str) -> None:
        if not self._in_agents:
            self._agents = set()
        self._in_agents = self._in_group = True
        token = _TOKEN.match(value)
        agent = token[0].lower() if token else "*" if value.startswith("*") else ""
        self._agents.add(agent)
        self.is_named |= agent == self.robot

    def _licence(self, line: str, number: int) -> None:
        # An address may have a "#", which then is no comment.
        value = line.partition(":")[2].split(" #")[0].strip().strip("<>\"'")
        if _is_address(value):
            self.licences.append((value, number))

    def _preference(self, name: str, value: str, number: int) -> None:
        path, said = "/", value
        if value.startswith("/"):
            path, _, said = value.partition(" ") if " " in value else value.partition("\t")
        shown = name.title()
        for label, word in _READERS[name](said):
            rule = Rule(shown, path[:VALUE_MOST], label, word, number)
            if not self._in_group:
                self.above.append(rule)
                continue
            if self.robot in self._agents:
                self.own.append(rule)
            if "*" in self._agents:
                self.of_all.append(rule)


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(value) <= VALUE_MOST


def _text(content: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 where its mark says so; without the NULs of one that has none."""
    content = content[:ROBOTS_MAX_BYTES]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    return content.replace(b"\0", b"").decode("utf-8-sig", "replace").lstrip("\ufeff")
