"""Hosts that pages are not to ask, such as those of advertisers: lists as others keep them. Pure, but `read`.

Lines of a hosts file (`0.0.0.0 ads.example`: that host alone), names (`ads.example`) and domain rules of ad blockers
(`||ads.example^`, also with options behind `$`: the host and all below it; `@@||…^`: not, after all). Rules about paths
and elements of pages are passed over: they are about more than hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crawler.politeness.addresses import is_literal
from storage.errors import ConfigError

#: Bytes of a list; the largest that are kept by anybody have a third.
_MAX_BYTES = 64 << 20
_NAME = re.compile(r"(?=[^.]{1,63}(?:\.|$))[a-z0-9_-]+(?:\.[a-z0-9_-]{1,63})+\.?", re.ASCII)
_RULE = re.compile(r"(@@)?\|\|([^/^*$|]+)\^?(?:\$[\w~,=.|-]*)?", re.ASCII)
_LOCAL = {"localhost.localdomain", "ip6-localhost", "local"}


@dataclass(frozen=True, slots=True)
class Blocklist:
    """Hosts that are blocked: `hosts` alone, `domains` with what is below them, but not `spared` and what is below."""

    hosts: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    spared: frozenset[str] = frozenset()

    def blocks(self, host: str) -> bool:
        """Whether a host is on the list; of two rules about it the one for the longer name counts."""
        host = host.lower().rstrip(".")
        if host in self.hosts and host not in self.spared:
            return True
        for name in _upwards(host):
            if name in self.spared:
                return False
            if name in self.domains:
                return True
        return False


def parse(lines: Iterable[str]) -> Blocklist:
    """Read a list; what is not understood is passed over."""
    hosts, domains, spared = set[str](), set[str](), set[str]()
    for line in lines:
        said = " ".join(line.lower().split())
        if not said or said[0] in "!#[":
            continue
        if rule := _RULE.fullmatch(said):
            if _is_name(rule[2]):
                (spared if rule[1] else domains).add(rule[2].rstrip("."))
            continue
        first, *names = said.partition(" #")[0].split()
        if not names and _is_name(first):
            domains.add(first.rstrip("."))
        elif names and is_literal(first):
            hosts.update(name.rstrip(".") for name in names if _is_name(name) and name not in _LOCAL)
    return Blocklist(frozenset(hosts), frozenset(domains), frozenset(spared))


@cache
def read(path: Path) -> Blocklist:
    """The list in a file. Raises `ConfigError` for one that is not there, or names no host."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"blocklist: cannot read {path}: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"blocklist: more than {_MAX_BYTES:,} bytes: {path}")
    found = parse(data.decode("utf-8", "replace").splitlines())
    if not found.hosts and not found.domains:
        raise ConfigError(f"blocklist names no host, as 0.0.0.0 ads.example or ||ads.example^ would: {path}")
    return found


def _upwards(host: str) -> Iterable[str]:
    labels = host.split(".")
    return (".".join(labels[at:]) for at in range(len(labels)))


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and not is_literal(text)
