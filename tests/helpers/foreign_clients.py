"""Asks a running server with clients that others wrote; run by the Python of their own environment, prints JSON.

python foreign_clients.py http://127.0.0.1:APP http://127.0.0.1:ORIGINALS
"""

from __future__ import annotations

import base64
import json
import logging
import os
import sys
from datetime import date, datetime
from typing import Any

os.environ["CDXT_DEFAULT_MIN_RETRY_INTERVAL"] = "0"

import cdx_toolkit
import requests
import wayback
from memento_client import MementoClient

PAPER = "https://www.paper.example"
RFC_URL = "http://a.example.org/"


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def memento_client(app: str) -> dict[str, Any]:
    """memento-client: from an original and a time to the memento and those beside it."""
    client = MementoClient(timegate_uri=f"{app}/timegate/", check_native_timegate=False)
    # It would ask the original itself first, which is not there any more.
    asked = requests.head(f"{app}/timegate/{RFC_URL}", timeout=30)
    info = client.get_memento_info(
        RFC_URL,
        datetime(2001, 9, 11, 20, 35),  # noqa: DTZ001 - it takes no other
        req_uri_response=asked,
    )
    answered = requests.get(info["mementos"]["closest"]["uri"][0], timeout=30)
    timegate = requests.head(f"{app}/timegate/{RFC_URL}", timeout=30, allow_redirects=False)
    return {
        "closest": info["mementos"]["closest"]["uri"][0],
        "beside": {name: each["datetime"].isoformat() for name, each in info["mementos"].items()},
        "original": info["original_uri"],
        "is_timegate": MementoClient.is_timegate(f"{app}/timegate/{RFC_URL}", response=timegate),
        "is_memento": MementoClient.is_memento(answered.url, response=answered),
        "body": answered.text,
    }


def toolkit(source: str, originals: str, size: int) -> dict[str, Any]:
    """cdx-toolkit: get, iterate over pages, estimate, and the original through the capture."""
    client = cdx_toolkit.CDXFetcher(source=source, wb=f"{originals}/web")
    got = client.get(RFC_URL, from_ts="2000", to="2001", filter=["=status:200"])
    every = [capture["url"] for capture in client.iter(f"{PAPER}/*", filter="status:200")]
    story = client.get(f"{PAPER}/big", limit=-1 if source.endswith("search/cdx") else 1)[0]
    moved = client.get(f"{PAPER}/moved", limit=1)[0]
    odd = client.get(f"{PAPER}/a%20b/%C3%A6?q=r%C3%B8d&x=1;y=2", limit=1)[0]
    return {
        "times": [capture["timestamp"] for capture in got],
        "statuses": sorted({capture["status"] for capture in got}),
        "urls": len(every),
        "nothing": len(client.get("http://never.example/")),
        "estimate": client.get_size_estimate(f"{PAPER}/*", as_pages=True),
        "same_size": len(story.content) == size,
        "revisit": bool(story.is_revisit()),
        "location": moved.fetch_warc_record().http_headers.get_header("location"),
        "odd": odd.content.decode(),
    }


class ElsewhereAdapter(requests.adapters.HTTPAdapter):
    """Takes our server for web.archive.org, whose addresses the `wayback` package has built in."""

    def __init__(self, app: str, originals: str) -> None:
        super().__init__()
        self._app, self._originals = app, originals

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        asked = request.url or ""
        path = asked.partition("https://web.archive.org")[2]
        request.url = (self._originals if path.startswith("/web/") else self._app) + path
        response = super().send(request, stream, timeout, verify, cert, proxies)
        request.url = response.url = asked
        if "location" in response.headers:
            held = response.headers["location"].replace(self._originals, "https://web.archive.org")
            response.headers["location"] = held
        link = response.headers.get("link", "")
        response.headers["link"] = link.replace(self._originals, "https://web.archive.org")
        return response


def edgi(app: str, originals: str) -> dict[str, Any]:
    """wayback (EDGI): search with its paging, mementos with their headers and links, a redirect of the archive."""
    session = wayback.WaybackSession(retries=0, search_calls_per_second=0, memento_calls_per_second=0)
    session.mount("https://web.archive.org", ElsewhereAdapter(app, originals))
    with wayback.WaybackClient(session) as client:
        found = list(client.search(RFC_URL, limit=2))
        prefix = list(client.search(f"{PAPER}/", match_type="prefix", limit=5, filter_field="statuscode:200"))
        dated = list(client.search(RFC_URL, from_date=date(2000, 6, 21), to_date=date(2001, 1, 1)))
        memento = client.get_memento(found[3])
        hostile = client.get_memento(next(client.search(f"{PAPER}/hostile")))
        moved = client.get_memento(next(client.search(f"{PAPER}/moved")), exact_redirects=False)
        try:
            client.get_memento("http://never.example/", "20200101000000")
            missing = "found"
        except wayback.exceptions.NoMementoError:
            missing = "no memento"
        return {
            "times": [record.timestamp.strftime("%Y%m%d%H%M%S") for record in found],
            "paged": len(prefix),
            "different": len({(record.original, record.timestamp) for record in prefix}),
            "dated": len(dated),
            "raw_url": found[3].raw_url,
            "body": memento.text,
            "url": memento.url,
            "links": sorted(memento.links),
            "headers": {name.lower(): value for name, value in hostile.headers.items()},
            "hostile": text(hostile.content),
            "moved": [moved.url, [each.url for each in moved.history]],
            "missing": missing,
        }


def main() -> None:
    logging.disable(logging.WARNING)
    app, originals, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    answer = {
        "memento-client": memento_client(app),
        "cdx-toolkit, pywb": toolkit(f"{app}/cdx", originals, size),
        "cdx-toolkit, ia": toolkit(f"{app}/cdx/search/cdx", originals, size),
        "wayback": edgi(app, originals),
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
