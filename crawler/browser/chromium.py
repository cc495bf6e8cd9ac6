"""Chromium on this machine: where it is, and how it is started so that it asks nobody for anything but pages."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from storage.errors import ConfigError
from storage.homes import expanded

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
#: Features that would ask servers of their own, or connect past the proxy; and two pages that Chromium loads into each
#: window for its address bar, which nobody sees: a third of the processor time of a page.
_OFF = (
    *(
        "DnsOverHttps",
        "OptimizationHints",
        "MediaRouter",
        "Translate",
        "NetworkTimeServiceQuerying",
        "DialMediaRouteProvider",
    ),
    *("AutofillServerCommunication", "CertificateTransparencyComponentUpdater", "PreconnectToSearch", "AimEnabled"),
    *("HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "InterestFeedContentSuggestions", "Prerender2"),
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
)


def find_chromium(named: str | None) -> str:
    """The path of Chromium: the one that is named, else the first on the PATH. Raises `ConfigError`."""
    if named is not None:
        if found := shutil.which(str(expanded(named))):
            return found
        raise ConfigError(f"chromium: there is no program {named}")
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    raise ConfigError(
        "pages cannot be rendered: there is no Chromium here; apt install chromium, or name one as `chromium`"
    )


def check_rendering(chromium: str | None) -> str:
    """Return the path of Chromium; raises `ConfigError` where no page can be rendered."""
    missing = [name for name in ("playwright", "hpack", "python_socks") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"pages cannot be rendered: {missing[0]} is not installed; newskeep doctor says how it is added"
        )
    return find_chromium(chromium)


def arguments(net_log: Path, insecure: bool) -> list[str]:
    """The arguments of a browser that logs what it does on the net to `net_log`; its pages have proxies."""
    return [
        f"--log-net-log={net_log}",
        "--net-log-capture-mode=Everything",
        # The way of all that is no page's: nowhere.
        "--proxy-server=socks5://nowhere.invalid:1",
        # Without this Chromium goes to loopback by itself, whatever the proxy says.
        "--proxy-bypass-list=<-loopback>",
        # Names are the proxy's to look up, and nobody else's.
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        "--dns-prefetch-disable",
        # What does not go through a SOCKS proxy: UDP.
        "--disable-quic",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        f"--disable-features={','.join(_OFF)}",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-domain-reliability",
        "--disable-sync",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--no-pings",
        # Megabytes of a page's scripts; one that wants more crashes alone.
        "--js-flags=--max-old-space-size=1024",
        *(("--ignore-certificate-errors",) if insecure else ()),
    ]


def environment(home: Path) -> dict[str, str]:
    """What a browser may know of where it runs: no proxies, no keys, a home of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "HOME": str(home), "TMPDIR": str(home)}


def can_be_sandboxed() -> bool:
    """Whether Chromium's sandbox can work: it refuses to for root."""
    return os.geteuid() != 0
