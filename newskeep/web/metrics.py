"""/healthz for watchdogs, /metrics for Prometheus (text format 0.0.4)."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from newskeep.web.fleet_watch import metric_lines

if TYPE_CHECKING:
    from storage.archive import Archive

#: First part of a path -> what it is counted as; anything else is "other", so that a visitor cannot make names up.
_GROUPED = ("web", "timegate", "timemap", "cdx", "warc", "api", "feeds", "websub", "healthz", "metrics", "static")
_ROOM = (
    "search",
    "sites",
    "site",
    "article",
    "captures",
    "compare",
    "beside",
    "exchange",
    "verify",
    "doubts",
    "status",
    "fleet",
)
GROUPS = {**{name: name for name in _GROUPED}, **dict.fromkeys(_ROOM, "room")}


class Metrics:
    """Counts of what was asked since the start; threads may share one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds: Counter[str] = Counter()

    def count(self, path: str, status: int, seconds: float) -> None:
        first = path.split("/", 2)[1] if path.startswith("/") else ""
        group = "room" if path == "/" else GROUPS.get(first, "other")
        with self._lock:
            self._requests[group, status] += 1
            # Counter holds floats too.
            self._seconds[group] += seconds  # type: ignore[assignment]

    def lines(self) -> list[str]:
        with self._lock:
            requests, seconds = dict(self._requests), dict(self._seconds)
        return [
            "# HELP newskeep_requests_total Requests answered.",
            "# TYPE newskeep_requests_total counter",
            *(
                f'newskeep_requests_total{{group="{group}",status="{status}"}} {number}'
                for (group, status), number in sorted(requests.items())
            ),
            "# HELP newskeep_request_seconds_total Seconds from request to the last byte handed on.",
            "# TYPE newskeep_request_seconds_total counter",
            *(
                f'newskeep_request_seconds_total{{group="{group}"}} {spent:.6f}'
                for group, spent in sorted(seconds.items())
            ),
        ]


def routes() -> list[BaseRoute]:
    return [Route("/healthz", _healthz), Route("/metrics", _metrics)]


def _healthz(request: Request) -> PlainTextResponse:
    # Raises StoreUnavailable, which becomes a 503.
    request.app.state.archive.index.counts()
    return PlainTextResponse("ok\n")


def _metrics(request: Request) -> PlainTextResponse:
    archive: Archive = request.app.state.archive
    metrics: Metrics = request.app.state.metrics
    counts = archive.index.counts()
    traffic = archive.store.traffic
    gauges = {
        "newskeep_warcs": ("WARC files in the index.", counts.warcs),
        "newskeep_warc_bytes": ("Bytes of all WARC files.", counts.bytes),
        "newskeep_captures": ("Captures in the index.", counts.captures),
        "newskeep_articles": ("Articles in the index.", counts.articles),
    }
    lines = metrics.lines()
    for name, (text, value) in gauges.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", f"{name} {value}"]
    counters = {
        "newskeep_store_requests_total": ("Requests to the object store.", traffic.requests),
        "newskeep_store_read_bytes_total": ("Bytes read from the object store.", traffic.bytes_read),
    }
    for name, (text, value) in counters.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} counter", f"{name} {value}"]
    lines += metric_lines(request.app.state.fleet)
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")
