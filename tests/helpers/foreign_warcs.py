"""Files as other crawlers write them, made here by the shapes of their records, a function a writer.

Each returns the records, one by one and not compressed; `gzipped` and its like put them into a file. The pages are made
for this.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Iterable, Mapping

Fields = Iterable[tuple[str, str]]


def sha1(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def page(name: str, words: str = "harbour") -> bytes:
    """A news page with enough text to be one."""
    text = "".join(
        f"<p>Paragraph {number} of {name} tells of the {words} and its ships at length.</p>" for number in range(6)
    )
    head = f"<!doctype html><html><head><title>{name}</title></head>"
    return f"{head}<body><article><h1>{name}</h1>{text}</article></body></html>".encode()


def answer(body: bytes, *fields: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join([status, "Content-Type: text/html; charset=utf-8", *fields, "", ""]).encode() + body


def record(version: str, fields: Fields, block: bytes) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in [*fields, ("Content-Length", str(len(block)))])
    return f"WARC/{version}\r\n{head}\r\n".encode() + block + b"\r\n\r\n"


def new_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"


def heritrix(host: str) -> list[bytes]:
    """Heritrix 3: WARC/1.0, payload digests alone, `dns:` records, metadata of a page, a revisit without a moment."""
    body = page("Heritrix story")
    response, dns = answer(body), f"20140802095213\n{host}.\t300\tIN\tA\t192.0.2.1\n".encode()
    page_id, url, date = new_id(), f"http://{host}/heritrix", ("WARC-Date", "2014-08-02T09:52:13Z")
    common = [("WARC-Target-URI", url), date, ("WARC-IP-Address", "192.0.2.1")]
    payload = ("WARC-Payload-Digest", sha1(body))
    http = ("Content-Type", "application/http; msgtype=response")
    info = b"software: Heritrix/3.4.0 http://crawler.archive.org\r\nformat: WARC File Format 1.0\r\n"
    return [
        record(
            "1.0",
            [
                ("WARC-Type", "warcinfo"),
                date,
                ("WARC-Record-ID", new_id()),
                ("Content-Type", "application/warc-fields"),
            ],
            info,
        ),
        record(
            "1.0",
            [
                ("WARC-Type", "response"),
                ("WARC-Target-URI", f"dns:{host}"),
                date,
                ("WARC-Record-ID", new_id()),
                ("Content-Type", "text/dns"),
            ],
            dns,
        ),
        record("1.0", [("WARC-Type", "response"), *common, payload, ("WARC-Record-ID", page_id), http], response),
        record(
            "1.0",
            [
                ("WARC-Type", "request"),
                *common,
                ("WARC-Concurrent-To", page_id),
                ("WARC-Record-ID", new_id()),
                ("Content-Type", "application/http; msgtype=request"),
            ],
            f"GET /heritrix HTTP/1.0\r\nHost: {host}\r\n\r\n".encode(),
        ),
        record(
            "1.0",
            [
                ("WARC-Type", "metadata"),
                *common,
                ("WARC-Concurrent-To", page_id),
                ("WARC-Record-ID", new_id()),
                ("Content-Type", "application/warc-fields"),
            ],
            b"seed: \r\nfetchTimeMs: 12\r\n",
        ),
        record(
            "1.0",
            [
                ("WARC-Type", "revisit"),
                ("WARC-Target-URI", url),
                ("WARC-Date", "2014-08-03T09:52:13Z"),
                payload,
                ("WARC-Profile", "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"),
                ("WARC-Truncated", "length"),
                ("WARC-Record-ID", new_id()),
                http,
            ],
            answer(b""),
        ),
    ]


def browsertrix(host: str) -> list[bytes]:
    """Browsertrix: WARC/1.1, SHA-256 in hexadecimal digits, rebuilt heads, pseudo-headers, `urn:` resources."""
    body = page("Browsertrix story")
    url, date, page_id = f"https://{host}/browsertrix", ("WARC-Date", "2026-03-04T05:06:07.891Z"), new_id()
    # The browser has unpacked the body and taken it out of its chunks.
    response = answer(body, "x-orig-content-encoding: br", "Transfer-Encoding: chunked", ":status: 200")
    info = b"software: Browsertrix-Crawler 1.6.0 (with warcio.js 2.4.2)\r\nformat: WARC File Format 1.1\r\n"
    shot = json.dumps({"pageid": "1", "url": url, "urls": {}}).encode()

    def digests(block: bytes, payload: bytes) -> list[tuple[str, str]]:
        return [("WARC-Payload-Digest", sha256(payload)), ("WARC-Block-Digest", sha256(block))]

    common = [
        ("WARC-Target-URI", url),
        date,
        ("WARC-Protocol", "h2"),
        ("WARC-Protocol", "tls/1.3"),
        ("WARC-Page-ID", "1"),
    ]
    request = b"GET /browsertrix HTTP/1.1\r\n:method: GET\r\n\r\n"
    return [
        record(
            "1.1",
            [
                ("WARC-Type", "warcinfo"),
                date,
                ("WARC-Record-ID", new_id()),
                ("Content-Type", "application/warc-fields"),
            ],
            info,
        ),
        record(
            "1.1",
            [
                *common,
                ("WARC-Type", "response"),
                ("WARC-Record-ID", page_id),
                *digests(response, body),
                ("Content-Type", "application/http; msgtype=response"),
                ("WARC-JSON-Metadata", "{}"),
            ],
            response,
        ),
        record(
            "1.1",
            [
                *common,
                ("WARC-Type", "request"),
                ("WARC-Record-ID", new_id()),
                ("WARC-Concurrent-To", page_id),
                *digests(request, b""),
                ("Content-Type", "application/http; msgtype=request"),
            ],
            request,
        ),
        record(
            "1.1",
            [
                ("WARC-Type", "resource"),
                ("WARC-Target-URI", f"urn:pageinfo:{url}"),
                date,
                ("WARC-Record-ID", new_id()),
                *digests(shot, shot),
                ("Content-Type", "application/json"),
            ],
            shot,
        ),
    ]


def cc_news(host: str) -> list[bytes]:
    """Common Crawl's news crawl (StormCrawler): WARC/1.0, the request before or behind, framing fields renamed."""
    body = page("CC-NEWS story")
    url, date, page_id = f"https://{host}/ccnews", ("WARC-Date", "2026-11-01T00:00:07Z"), new_id()
    response = answer(body, "X-Crawl-Transfer-Encoding: chunked", f"Content-Length: {len(body)}")
    request = f"GET /ccnews HTTP/1.1\r\nUser-Agent: CCBot/2.0\r\nHost: {host}\r\n\r\n".encode()
    common = [("WARC-Target-URI", url), date, ("WARC-IP-Address", "192.0.2.1")]
    info = b"software: StormCrawler 2.11 https://stormcrawler.apache.org/\r\nisPartOf: CC-NEWS\r\n"
    return [
        record(
            "1.0",
            [
                ("WARC-Type", "warcinfo"),
                date,
                ("WARC-Record-ID", new_id()),
                ("WARC-Filename", "CC-NEWS-20261101000000-00001.warc.gz"),
                ("Content-Type", "application/warc-fields"),
            ],
            info,
        ),
        record(
            "1.0",
            [
                ("WARC-Record-ID", new_id()),
                ("WARC-Type", "request"),
                *common,
                ("WARC-Concurrent-To", page_id),
                ("Content-Type", "application/http; msgtype=request"),
            ],
            request,
        ),
        record(
            "1.0",
            [
                ("WARC-Record-ID", page_id),
                ("WARC-Type", "response"),
                *common,
                ("WARC-Payload-Digest", sha1(body)),
                ("WARC-Block-Digest", sha1(response)),
                ("Content-Type", "application/http; msgtype=response"),
            ],
            response,
        ),
    ]


def old_wget(host: str) -> list[bytes]:
    """wget before 1.20: addresses in angle brackets, chunks as they came, payload digests of these chunks."""
    body = page("wget story")
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    response = answer(chunked, "Transfer-Encoding: chunked")
    common = [("WARC-Target-URI", f"<http://{host}/wget>"), ("WARC-Date", "2017-05-06T07:08:09Z")]
    return [
        record(
            "1.0",
            [
                ("WARC-Type", "warcinfo"),
                ("Content-Type", "application/warc-fields"),
                ("WARC-Date", "2017-05-06T07:08:09Z"),
                ("WARC-Record-ID", new_id()),
            ],
            b"software: Wget/1.19 (linux-gnu)\r\nrobots: classic\r\n",
        ),
        record(
            "1.0",
            [
                ("WARC-Type", "response"),
                ("WARC-Record-ID", new_id()),
                *common,
                ("WARC-Block-Digest", sha1(response)),
                ("WARC-Payload-Digest", sha1(chunked)),
                ("Content-Type", "application/http;msgtype=response"),
            ],
            response,
        ),
    ]


def warcit(host: str) -> list[bytes]:
    """warcit: pages from a disk, as `resource` records."""
    body = page("warcit story")
    fields = [
        ("WARC-Type", "resource"),
        ("WARC-Target-URI", f"http://{host}/warcit"),
        ("WARC-Date", "2019-01-02T03:04:05Z"),
    ]
    return [
        record(
            "1.0",
            [
                *fields,
                ("WARC-Record-ID", new_id()),
                ("WARC-Payload-Digest", sha1(body)),
                ("WARC-Block-Digest", sha1(body)),
                ("Content-Type", "text/html"),
            ],
            body,
        )
    ]


def arc(host: str) -> list[bytes]:
    """An ARC of version 1, as the Internet Archive's and old Heritrix wrote them."""
    description = b"1 0 InternetArchive\nURL IP-address Archive-date Content-type Archive-length\n"
    response = answer(page("ARC story"), status="HTTP/1.0 200 OK")
    parts = [
        (b"filedesc://IA-000001.arc 0.0.0.0 20040102030405 text/plain", description),
        (f"dns:{host} 192.0.2.1 20040102030405 text/dns".encode(), b"20040102030405\n192.0.2.1\n"),
        (f"http://{host}/arc 192.0.2.1 20040102030405 text/html".encode(), response),
    ]
    return [line + b" %d\n" % len(block) + block + b"\n" for line, block in parts]


#: Writer -> its records.
WRITERS = {
    "heritrix": heritrix,
    "browsertrix": browsertrix,
    "ccnews": cc_news,
    "wget": old_wget,
    "warcit": warcit,
    "arc": arc,
}


def gzipped(records: Iterable[bytes]) -> bytes:
    """A gzip member for each record."""
    return b"".join(gzip.compress(each, mtime=0) for each in records)


def plain(records: Iterable[bytes]) -> bytes:
    return b"".join(records)


def gzipped_whole(records: Iterable[bytes]) -> bytes:
    return gzip.compress(b"".join(records), mtime=0)


def zstandard(records: Iterable[bytes]) -> bytes:
    """A Zstandard frame for each record."""
    import sys

    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return b"".join(zstd.compress(each) for each in records)


def wacz(warcs: Mapping[str, bytes], title: str = "A collection") -> bytes:
    """A WACZ of WARCs by their names, as WACZ 1.1.1 has it."""
    out = io.BytesIO()
    resources = [
        {"name": name, "path": f"archive/{name}", "hash": sha256(data), "bytes": len(data)}
        for name, data in warcs.items()
    ]
    package = {
        "profile": "data-package",
        "wacz_version": "1.1.1",
        "title": title,
        "software": "Browsertrix-Crawler 1.6.0",
        "resources": resources,
    }
    with zipfile.ZipFile(out, "w") as file:
        for name, data in warcs.items():
            file.writestr(f"archive/{name}", data)
        file.writestr("pages/pages.jsonl", '{"format": "json-pages-1.0", "id": "pages"}\n')
        file.writestr("datapackage.json", json.dumps(package))
    return out.getvalue()
