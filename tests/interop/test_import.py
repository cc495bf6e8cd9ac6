"""What other programs write is brought in, and what was brought in is replayed by other programs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import foreign_warcs as foreign
import pytest
from command import Run
from fastwarc.warc import WarcRecord, WarcRecordType
from origin import Origin
from pywb_server import Pywb, running_pywb
from sample_archive import Tools
from warcs import warc_files

pytest_plugins = ["sample_archive"]


@pytest.fixture
def site() -> Iterator[Origin]:
    with Origin() as origin:
        page = foreign.page("The page").replace(b"</article>", b'<a href="/chunked">next</a></article>')
        origin.reply("/", page, headers=[("Content-Type", "text/html")])
        body = foreign.page("The chunked page")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        origin.on("/chunked", head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        yield origin


def wget(folder: Path, *arguments: str) -> None:
    subprocess.run(["wget", "-q", "-r", "--tries=1", *arguments], cwd=folder, timeout=60, check=False)


def test_wget(newskeep: Run, tmp_path: Path, site: Origin) -> None:
    folder = tmp_path / "wget"
    folder.mkdir()
    wget(folder, "--warc-file=first", "--warc-cdx", site.url())
    wget(folder, "--warc-file=again", "--warc-dedup=first.cdx", site.url())
    wget(folder, "--warc-file=plain", "--no-warc-compression", site.url())
    done = newskeep("import", "wget", "--json")
    assert done.returncode == 0, done.stderr
    *files, _ = map(json.loads, done.stdout.splitlines())
    assert [each["unchanged"] for each in files] == [True, True, False]
    assert all(each["writer"].startswith("Wget/") for each in files)
    assert newskeep("get", site.url("/chunked")).stdout == foreign.page("The chunked page")
    # It writes the request before its response.
    assert newskeep("get", site.url("/chunked"), "--as", "request").stdout.startswith(b"GET /chunked HTTP/1.1\r\n")
    captures = [json.loads(line) for line in newskeep("captures", site.url("/chunked"), "--json").stdout.splitlines()]
    assert [each["mime"] for each in captures].count("warc/revisit") == 1
    for each in captures:
        body = newskeep("get", site.url("/chunked"), "--at", each["timestamp"]).stdout
        assert body == foreign.page("The chunked page")
    assert newskeep("verify", "--deep").returncode == 0


#: warcio leaves its temporary files to the garbage collector: in a process of its own.
WARCIO = """
import io, sys
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter
writer = WARCWriter(sys.stdout.buffer, gzip=sys.argv[1] == "True", warc_version="WARC/1.1")
writer.write_record(writer.create_warcinfo_record("a.warc", {"software": "warcio"}))
head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
body = io.BytesIO(sys.stdin.buffer.read())
writer.write_record(writer.create_warc_record("http://paper.example/", "response", payload=body, http_headers=head))
"""


@pytest.mark.parametrize("gzip", [True, False])
def test_warcio(newskeep: Run, tmp_path: Path, gzip: bool) -> None:
    command = [sys.executable, "-c", WARCIO, str(gzip)]
    made = subprocess.run(command, input=foreign.page("warcio"), capture_output=True, timeout=60, check=True)
    (tmp_path / "a.warc").write_bytes(made.stdout)
    told = json.loads(newskeep("import", "a.warc", "--json").stdout.splitlines()[0])
    assert (told["outcome"], told["unchanged"], told["faults"]) == ("imported", gzip, [])
    assert newskeep("get", "http://paper.example/").stdout == foreign.page("warcio")


def test_fastwarc(newskeep: Run, tmp_path: Path) -> None:
    out = BytesIO()
    made = WarcRecord()
    made.init_headers(WarcRecordType.response)
    made.headers["WARC-Target-URI"] = "http://paper.example/"
    made.set_bytes_content(foreign.answer(foreign.page("FastWARC")))
    made.write(out, checksum_data=True)
    (tmp_path / "a.warc").write_bytes(out.getvalue())
    told = json.loads(newskeep("import", "a.warc", "--json").stdout.splitlines()[0])
    assert (told["outcome"], told["faults"], told["remarks"]) == ("imported", [], [])
    assert newskeep("get", "http://paper.example/").stdout == foreign.page("FastWARC")


def test_pywb_replays_what_was_brought_in(newskeep: Run, tmp_path: Path, tools: Tools) -> None:
    crawls, folder = tmp_path / "crawls", tmp_path / "pywb"
    for each in (crawls, folder):
        each.mkdir()
    for writer, records in foreign.WRITERS.items():
        (crawls / f"{writer}.{'arc' if writer == 'arc' else 'warc'}").write_bytes(
            foreign.plain(records("paper.example"))
        )
    assert newskeep("import", "crawls").returncode == 0
    warcs = warc_files(tmp_path / "archive")
    lines = [
        line for path in (tmp_path / "archive" / "cdxj").rglob("*.cdxj") for line in path.read_bytes().splitlines(True)
    ]
    (folder / "ours.cdxj").write_bytes(b"".join(sorted(lines)))
    places = sorted({f"{warc.parent}/" for warc in warcs})
    ours = {"index": str(folder / "ours.cdxj"), "archive_paths": places}
    (folder / "config.yaml").write_text(json.dumps({"collections": {"ours": ours}, "framed_replay": False}))
    with running_pywb(tools, folder) as port:
        for name, page in {
            "http://paper.example/heritrix": "Heritrix story",
            "https://paper.example/browsertrix": "Browsertrix story",
            "https://paper.example/ccnews": "CC-NEWS story",
            "http://paper.example/wget": "wget story",
            "http://paper.example/warcit": "warcit story",
            "http://paper.example/arc": "ARC story",
        }.items():
            answer = Pywb(port).get(f"/ours/2030id_/{name}")
            assert (answer.status, answer.body) == (200, foreign.page(page)), name
