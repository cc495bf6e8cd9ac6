"""A folder archive with one of everything, made by the command itself, to hold against software of others.

`pytest_plugins = ["sample_archive"]` in a test module gives it the session's `sample` and `tools`.
Nothing is asserted here: PYTEST_DONT_REWRITE lets test modules import the rest as well.
"""

from __future__ import annotations

import os
import struct
import subprocess
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from certificates import Authority
from foreign_venvs import clean_environ, environment
from hostile_responses import MAX_BODY, TEXT, hostile_cases
from origin import Origin, Pause, response
from warcs import warc_files
from warm_start import shared

#: What people use WARC files with, in the versions these tests were written against. It lives apart from us: pywb is
#: GPL with old pins, and warcio cannot read brotli with the package that Scrapy needs, only with brotlipy.
TOOLS = (
    "pywb==2.10.0",
    "warcio==1.8.1",
    "cdxj-indexer==1.5.0",
    "wacz==0.6.0",
    "brotlipy==0.7.0",
    "gevent==26.9.0",
    "setuptools<81",
)
OPERATOR = "https://example.org/contact"
HTML = [("Content-Type", "text/html; charset=utf-8")]
#: Cases that only cost time here.
_LEFT_OUT = {"stall-at-once", "stall-in-head", "bomb"}
#: Answers that are not HTTP, or end inside their head: everybody makes up a status and a digest of his own for these.
UNCLEAR = {name for name, case in hostile_cases().items() if "unspecified" in case.verdicts} - {"bad-chunk-size"}
UNCLEAR |= {"head-cut", "reset-in-head"}
#: Addresses whose keys are hard to get right, fetched through a proxy so that they may have names.
NAMED = (
    "http://www.Nyhed.example/Artikel/1?b=2&a=1",
    "http://nyhed.example/artikel/%C3%A6ble?utm_source=x&q=r%C3%B8d",
    "http://blåbær.example/",
    "http://nyhed.example:8080/a;jsessionid=0123456789ABCDEF0123456789ABCDEF?x=1",
    "http://nyhed.example//double//slash/./x",
    "http://nyhed.example/a b",
    "http://www2.nyhed.example/Ende/",
    "http://nyhed.example/?",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """The archive of three runs: everything; again what changed and what did not; the named addresses by proxy.

    The origins have stopped; they still know their addresses and what they sent.
    """

    archive: Path
    origin: Origin
    secure: Origin

    @property
    def warcs(self) -> list[Path]:
        return warc_files(self.archive)

    @staticmethod
    def cdxj(warc: Path) -> Path:
        """The index beside a WARC."""
        folders = [*warc.parts[:-1]]
        folders[-4] = "cdxj"
        return Path(*folders) / warc.name.replace(".warc.gz", ".cdxj")


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs of `TOOLS`."""

    folder: Path

    def __call__(
        self, program: str, *arguments: str | Path, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one to its end."""
        command = [str(self.folder / "bin" / program), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=240, check=False, cwd=cwd, env=clean_environ()
        )


@pytest.fixture(scope="session")
def tools() -> Tools:
    return Tools(environment("webarchive", TOOLS))


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    folder = tmp_path_factory.mktemp("sample")
    authority = Authority()
    roots = authority.written(folder)
    with Origin() as origin, Origin(tls=authority.server("127.0.0.1")) as secure:
        cases = hostile_cases()
        hostile = {name: cases[name].install(origin, name) for name in cases if name not in _LEFT_OUT}
        before = [origin.url(case.before) for name, case in cases.items() if name in hostile and case.before]
        for one in (origin, secure):
            _install(one)
        pages = [one.url(path) for one in (origin, secure) for path in PATHS]
        _save(folder, [*pages, *before, *hostile.values()], "--operator", OPERATOR, roots=roots, code=4)
        _save(folder, pages, "--operator", OPERATOR, roots=roots, code=4)
        _save(folder, NAMED, "--proxy", origin.url(""), "--ignore-robots", code=0)
    yield Sample(folder / "archive", origin, secure)


def is_unclear(url: str) -> bool:
    """Whether a URL is that of a case in `UNCLEAR`."""
    return url.rpartition("/case/")[2] in UNCLEAR


def picture() -> bytes:
    """A PNG of 16 by 16 pixels, with bytes in it that text modes and line ends would harm."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(range(16 * row, 16 * row + 16)) * 3 for row in range(16))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)), (b"tEXt", b"Comment\0\r\n\r\n \xff\xfe\r\n")]
    parts += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts)


def page(text: str) -> bytes:
    return (
        f"<!doctype html><html lang=da><head><meta charset=utf-8><title>{text}</title></head>"
        f'<body><h1>{text}</h1><img src="/picture.png" alt=""><p>Rødgrød med fløde, {text}.</p></body></html>\n'
    ).encode()


#: Fetched over http and https in the first two runs; `/changing` differs in the second, the others do not.
PATHS = ("/page", "/picture.png", "/changing", "/same", "/same-chunked", "/moved", "/missing", "/early")
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </picture.png>; rel=preload\r\n\r\n"


def _install(origin: Origin) -> None:
    origin.reply("/robots.txt", b"User-agent: *\nDisallow: /private\n", headers=[("Content-Type", "text/plain")])
    origin.reply("/page", page("The page"), headers=HTML)
    origin.reply("/picture.png", picture(), headers=[("Content-Type", "image/png")])
    for version in ("first", "second"):
        origin.reply("/changing", page(f"The {version} version"), headers=HTML)
    origin.reply("/same", page("Always the same"), headers=HTML)
    origin.on("/same-chunked", _chunked(page("The same in chunks")))
    origin.reply("/moved", b"gone there", "301 Moved Permanently", [("Location", "/page"), *HTML])
    origin.reply("/missing", page("Not here"), "404 Not Found", HTML)
    origin.on("/early", EARLY, Pause(0.02), response(page("The hinted page"), headers=HTML))
    origin.on_any(lambda path: response(TEXT + path.encode(), headers=HTML))


def _chunked(body: bytes) -> bytes:
    pieces = [body[start : start + 50] for start in range(0, len(body), 50)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + framed


def _save(folder: Path, urls: Sequence[str], *options: str, code: int, roots: Path | None = None) -> None:
    listed = folder / "list.txt"
    listed.write_text("\n".join(urls))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSKEEP_", "AWS_"))}
    if roots is not None:
        clean["SSL_CERT_FILE"] = str(roots)
    common = ["--archive", str(folder / "archive"), "--allow-private", "--json", "--timeout", "2"]
    arguments = ("save", "-i", str(listed), *common, "--max-size", str(MAX_BODY), *options)
    done = shared().run(arguments, folder, clean)
    if done.returncode != code:
        raise RuntimeError(f"save ended with {done.returncode}:\n{done.stdout.decode()}{done.stderr.decode()}")
